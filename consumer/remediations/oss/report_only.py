"""Reports what cannot be repaired safely: counted, logged, settled as configured, and never touched."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from consumer.core.errors import Refused
from consumer.core.outcome import Outcome
from consumer.remediations.base import Change, Finding, Options, ReportOnly
from consumer.remediations.oss._bucket import BucketRemediation
from consumer.resources.oss.bucket import Bucket, BucketInfo

_DETAIL = "no safe repair exists for this rule; a person has to look at the bucket"


class Settle(StrEnum):
    """What becomes of a reported message."""

    HOLD = "hold"
    DEAD_LETTER = "dead_letter"
    DELETE = "delete"


_OUTCOMES = {
    Settle.HOLD: Outcome.WOULD_FIX,
    Settle.DEAD_LETTER: Outcome.REJECTED,
    Settle.DELETE: Outcome.EXEMPT,
}


class ReportOptions(Options):
    """Settings of `oss.report`."""

    settle: Annotated[Settle, Field(strict=False)] = Field(
        default=Settle.HOLD,
        description=(
            "What becomes of the message once it is counted and logged: hold keeps it and shows it again (would_fix),"
            " dead_letter sets it aside for a person (rejected), delete takes it off the queue (exempt): the bucket"
            " stays as it is either way."
        ),
    )


class ReportBucket(BucketRemediation[str]):
    """For rules whose repair needs knowledge that only people have, such as address lists and replication targets."""

    name: ClassVar[str] = "oss.report"
    summary: ClassVar[str] = "changes nothing: counts and logs the finding, and settles the message as configured"
    repairs: ClassVar[tuple[str, ...]] = ()
    reversible: ClassVar[str] = "nothing is changed"
    may_break: ClassVar[str] = "nothing"
    actions: ClassVar[tuple[str, ...]] = ()

    Options: ClassVar[type[ReportOptions]] = ReportOptions

    def __init__(self, options: ReportOptions) -> None:
        self._outcome = _OUTCOMES[options.settle]

    def inspect(self, bucket: Bucket, info: BucketInfo) -> str:  # noqa: ARG002 - no request is needed
        """Nothing: that the bucket exists is all there is to know."""
        return ""

    def plan(self, state: str) -> Finding:
        """To be reported."""
        return ReportOnly(state, _DETAIL, self._outcome)

    def apply(self, bucket: Bucket, change: Change) -> None:  # noqa: ARG002 - nothing is sent
        """Refused; no plan of this remediation contains a change."""
        raise Refused("report_only", _DETAIL)

    def weakens(self, change: Change) -> str:  # noqa: ARG002 - nothing is put back
        """Nothing: nothing was changed."""
        return ""

    def revert(self, bucket: Bucket, change: Change) -> None:  # noqa: ARG002 - nothing is sent
        """Refused; there is nothing to put back."""
        raise Refused("report_only", "nothing was changed")
