"""Repairs of one setting: read it whole, change a part, write it whole, keep what was there.

The shape most repairs share. A subclass says how its setting is read and written and what it should be; how that
becomes a change, and how nobody's concurrent work is lost, stands here.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import TypeAdapter

from consumer.core.errors import ChangedMeanwhile, Refused
from consumer.core.printable import quoted
from consumer.remediations.base import Change, Compliant, Finding
from consumer.remediations.oss._bucket import BucketRemediation
from consumer.resources.oss.bucket import Bucket, BucketInfo

State = TypeVar("State")


class Notation(Generic[State]):
    """A state as canonical JSON and back: equal states are equal texts, and nothing of a state is left out."""

    def __init__(self, state: Any) -> None:
        self._adapter: TypeAdapter[State] = TypeAdapter(state)

    def text(self, state: State) -> str:
        """The state in the notation of findings, endings and the journal."""
        return self._adapter.dump_json(state).decode()

    def state(self, text: str) -> State:
        """What such a text stands for.

        Raises:
            Refused: it is not such a text: another version wrote it, or it was not written by a worker.
        """
        try:
            return self._adapter.validate_json(text)
        except ValueError:
            raise Refused("state_not_understood", f"{quoted(text)} is no state of this setting") from None


class SettingRepair(BucketRemediation[State]):
    """Read, merge, write: the repair of one setting."""

    notation: ClassVar[Notation[Any]]

    @abstractmethod
    def read(self, bucket: Bucket) -> State:
        """The whole setting."""

    @abstractmethod
    def wanted(self, state: State) -> State:
        """What the setting should be: the same state when nothing is wrong. Pure."""

    @abstractmethod
    def write(self, bucket: Bucket, state: State) -> None:
        """Replace the whole setting, or take it away where the state says that there is none."""

    def inspect(self, bucket: Bucket, info: BucketInfo) -> State:  # noqa: ARG002 - the setting is not in the info
        """The whole setting."""
        return self.read(bucket)

    def plan(self, state: State) -> Finding:
        """From what it is to what it should be."""
        before, after = self.notation.text(state), self.notation.text(self.wanted(state))
        return Compliant(before) if before == after else Change(before, after)

    def apply(self, bucket: Bucket, change: Change) -> None:
        """Write what was planned, unless the setting has changed since."""
        now = self.notation.text(self.read(bucket))
        if now == change.after:
            return
        if now != change.before:
            raise ChangedMeanwhile(self.name, f"planned on {change.before}, but it is {now} now")
        self.write(bucket, self.notation.state(change.after))

    def revert(self, bucket: Bucket, change: Change) -> None:
        """Write what was found."""
        self.write(bucket, self.notation.state(change.before))
