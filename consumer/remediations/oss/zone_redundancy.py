"""Moves a bucket from local to zone redundancy: a task of the service that takes hours and has no way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, field_validator

from consumer.core.errors import DamagedReply, Refused
from consumer.core.printable import quoted
from consumer.remediations.base import Change, Compliant, Finding, Options, Pending
from consumer.remediations.oss._bucket import BucketRemediation
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.settings.redundancy import LOCAL, REDUNDANCY, TRANSITIONS, ZONE, Transition

FINISHED = "Finished"


class ZoneRedundancyOptions(Options):
    """Settings of `oss.zrs`."""

    acknowledge_one_way_and_cost: bool = Field(
        description=(
            "Has to be true. Zone-redundant storage costs more for every byte, the move itself is billed, and no bucket"
            " ever moves back; whoever writes this has decided that for every bucket the rule selects."
        ),
    )

    @field_validator("acknowledge_one_way_and_cost")
    @classmethod
    def _is_acknowledged(cls, acknowledged: bool) -> bool:
        if not acknowledged:
            raise ValueError("has to be true: the move is one-way and billed")
        return acknowledged


@dataclass(frozen=True, slots=True)
class Redundancy:
    """How a bucket is stored, and the tasks that move it."""

    kind: str
    """`LRS` or `ZRS`."""
    transitions: tuple[Transition, ...]


class ZoneRedundancy(BucketRemediation[Redundancy]):
    """CreateBucketDataRedundancyTransition:
    https://www.alibabacloud.com/help/en/oss/developer-reference/createbucketdataredundancytransition
    """

    name: ClassVar[str] = "oss.zrs"
    summary: ClassVar[str] = "starts the move to zone-redundant storage; the message is held until the bucket has moved"
    repairs: ClassVar[tuple[str, ...]] = ("oss-zrs-enabled",)
    reversible: ClassVar[str] = "no: no bucket ever moves back"
    one_way: ClassVar[bool] = True
    may_break: ClassVar[str] = "nothing, but storage costs more from then on, and the move itself is billed"
    actions: ClassVar[tuple[str, ...]] = (
        TRANSITIONS.read_action,
        REDUNDANCY.write_action,
    )

    Options: ClassVar[type[ZoneRedundancyOptions]] = ZoneRedundancyOptions

    def inspect(self, bucket: Bucket, info: BucketInfo) -> Redundancy:
        """The kind of redundancy, and the tasks of a bucket that has not moved yet."""
        if not info.redundancy:
            # Taken for LRS, a silent answer would start what can never be undone.
            text = "the answer does not say how the bucket is stored"
            raise DamagedReply("oss", "GetBucketInfo", "no_redundancy_type", text)
        return Redundancy(info.redundancy, () if info.redundancy == ZONE else bucket.read(TRANSITIONS))

    def plan(self, state: Redundancy) -> Finding:
        """Start a task where there is none; wait for one that is there, even if it has just ended.

        Raises:
            Refused: it is stored in a way that is not known, and starting a move from there might not be undone.
        """
        if state.kind == ZONE:
            return Compliant(ZONE)
        if state.kind != LOCAL:
            raise Refused("redundancy_not_understood", f"it is not known what redundancy {quoted(state.kind)} is")
        if state.transitions:
            task = next((each for each in state.transitions if each.status != FINISHED), state.transitions[0])
            return Pending(state.kind, f"the move to zone redundancy is under way: task {task.task_id}, {task.status}")
        return Change(state.kind, ZONE)

    def apply(self, bucket: Bucket, change: Change) -> None:  # noqa: ARG002 - there is one kind of move
        """Start the task; the service keeps a second one from being started beside it."""
        bucket.write(REDUNDANCY, ZONE)

    def weakens(self, change: Change) -> str:  # noqa: ARG002 - nothing is put back
        """Nothing: there is no way back."""
        return ""

    def revert(self, bucket: Bucket, change: Change) -> None:  # noqa: ARG002 - nothing is sent
        """Refused: there is no way back."""
        raise Refused("irreversible", "a bucket with zone redundancy never goes back to local redundancy")
