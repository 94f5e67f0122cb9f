"""What a remediation is: code that can inspect, plan, apply, verify and revert one kind of repair.

A remediation keeps no state between deliveries and never decides whether it may act: guards have done that, and the
pipeline calls its steps in order. `plan` is pure, so that observing, simulating and enforcing decide the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from consumer.bucket import Bucket, BucketInfo

OSS_BUCKET = "ACS::OSS::Bucket"


class Options(BaseModel):
    """A remediation's own settings, the `[rules.options]` of a rule; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Compliant:
    """Finding: nothing is wrong now."""

    state: str


@dataclass(frozen=True, slots=True)
class Change:
    """Finding: this is wrong now, and this would put it right.

    Both texts are complete states in the remediation's own notation, so that `before` is enough to undo and `after`
    enough to tell whether anybody has changed it since.
    """

    before: str
    after: str


Finding = Compliant | Change

State = TypeVar("State")


class Remediation(ABC, Generic[State]):
    """One kind of repair, bound to one rule's options."""

    name: ClassVar[str]
    """`oss.bucket-acl`: what `remediation =` says in a rule."""
    summary: ClassVar[str]
    """One line: what it changes."""
    repairs: ClassVar[tuple[str, ...]]
    """Identifiers of the managed rules it makes compliant."""
    reversible: ClassVar[str]
    """Whether and how it can be undone, for people."""
    may_break: ClassVar[str]
    """What somebody may notice after the change, for people."""
    actions: ClassVar[tuple[str, ...]]
    """RAM actions it needs on the bucket, besides oss:GetBucketInfo."""
    resource_type: ClassVar[str] = OSS_BUCKET

    @abstractmethod
    def inspect(self, bucket: Bucket, info: BucketInfo) -> State:
        """The live state that this repair is about; `info` was read a moment ago."""

    @abstractmethod
    def plan(self, state: State) -> Finding:
        """What that state calls for. Pure."""

    @abstractmethod
    def apply(self, bucket: Bucket, change: Change) -> None:
        """Carry the change out; doing it twice is the same as doing it once."""

    @abstractmethod
    def revert(self, bucket: Bucket, change: Change) -> None:
        """Put back `change.before`. Whether the live state is still `change.after` has been checked."""
