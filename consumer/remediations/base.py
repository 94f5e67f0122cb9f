"""What a remediation is: code that can inspect, plan, apply, verify and revert one kind of repair.

A remediation keeps no state between deliveries and never decides whether it may act: guards have done that, and the
pipeline calls its steps in order. `plan` is pure, so that observing, simulating and enforcing decide the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from consumer.core.outcome import Ending, Outcome
from consumer.resources.base import Identity, ResourceKind, Target


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
    enough to show whether anybody has changed it since.
    """

    before: str
    after: str

    @property
    def state(self) -> str:
        """The state found, under the name that every finding has for it."""
        return self.before


@dataclass(frozen=True, slots=True)
class Pending:
    """Finding: the repair is under way and takes longer than a delivery; look again later."""

    state: str
    detail: str
    """One sentence for a person."""


@dataclass(frozen=True, slots=True)
class ReportOnly:
    """Finding: nothing here, or nothing more, can be repaired safely; a person is to know."""

    state: str
    detail: str
    """One sentence for a person."""
    outcome: Outcome
    """How the delivery ends, as configured."""
    reason: str = "report_only"
    """One word for metrics."""


Finding = Compliant | Change | Pending | ReportOnly


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody has to know although the repair itself is done and read back."""

    reason: str
    """One word for metrics: `still_public`."""
    detail: str
    """One sentence for a person."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A RAM action that is needed on something else than the resource."""

    action: str
    resource: str
    """`acs:oss:*:*:access-logs/*`"""
    own: bool = True
    """Whether it belongs to the account of the resource that is repaired."""


TargetT = TypeVar("TargetT", bound=Target[Identity])
IdentityT = TypeVar("IdentityT", bound=Identity)
State = TypeVar("State")


class Remediation(ABC, Generic[TargetT, IdentityT, State]):
    """One kind of repair of one kind of resource, bound to one rule's options.

    Its parameters: what the kind's client opens, what a look at that brings, and the state that this repair is about.
    """

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
    """RAM actions it needs on the resource to repair it, reads included, besides the kind's `look_actions`."""
    optional_actions: ClassVar[tuple[str, ...]] = ()
    """RAM actions without which it repairs all the same, and says what it could not find out or take back."""
    undo_actions: ClassVar[tuple[str, ...]] = ()
    """RAM actions that only `revert` needs, besides `actions`."""
    kind: ClassVar[ResourceKind]
    """What it repairs; events about anything else are rejected."""
    one_way: ClassVar[bool] = False
    """Whether the change can never be taken back, or leaves costs behind: the evaluator has to confirm it first."""

    break_opens: ClassVar[bool] = False
    """Whether what `harmless_breaks` names may let everyone in, although there is nothing to find."""

    def __init__(self, options: Options) -> None:
        """Bind to one rule's options; a class with options of its own narrows the type."""

    @abstractmethod
    def inspect(self, target: TargetT, identity: IdentityT, /) -> State:
        """The live state that this repair is about; `identity` was read a moment ago."""

    @abstractmethod
    def plan(self, state: State) -> Finding:
        """What that state calls for. Pure.

        Raises:
            Refused: this resource can never be repaired with these options.
        """

    @abstractmethod
    def apply(self, target: TargetT, change: Change, /) -> None:
        """Carry the change out; doing it twice is the same as doing it once.

        Raises:
            ChangedMeanwhile: the live state is no longer `change.before`, and writing would lose what is new in it.
        """

    def recover(self, target: TargetT, before: IdentityT, /) -> Ending | None:  # noqa: ARG002 - for those that can have one
        """Undo an accident of this repair's own calls, and how the delivery ends for it; None where there was none.

        Called when a call of `apply` or `revert` failed and may have taken effect, and when the resource is another one
        than before it. `before` is the resource that was meant. A repair that can bring a resource into being which
        somebody has just deleted takes that one away again, and nothing else.
        """
        return None

    def note(self, target: TargetT, identity: IdentityT, /) -> Note | None:  # noqa: ARG002 - for those that have something to say
        """What is still to be known after the change was read back; `identity` is newer than the change."""
        return None

    def remark(self, target: TargetT, identity: IdentityT, /) -> Note | None:  # noqa: ARG002 - for those that have something to say
        """What has to be known of a resource that is compliant as it is.

        Most deliveries end so, so no more is requested than what `already_compliant` would wrongly promise without it.
        """
        return None

    def falls_short(self) -> Mapping[str, str]:
        """Managed rules that may seem to be meant but are not satisfied, with these options, and what to set for each.

        With them a resource would be called compliant that still breaks the rule, so a rule of the configuration that
        selects one of these identifiers is refused.
        """
        return {}

    def weakens(self, change: Change) -> str:  # noqa: ARG002 - for those that know better
        """What protects the resource no more once `change.before` is put back, for people; empty where nothing is lost.

        Whoever takes a repair back puts back what broke the rule, so undo asks for more than a yes. Pure.
        """
        return f"the {self.kind.noun} is again in the state that the rule forbids"

    def further_grants(self) -> tuple[Grant, ...]:
        """RAM actions that it needs elsewhere, with these options: those that read for every look, too."""
        return ()

    def harmless_breaks(self, state: State) -> tuple[State, ...]:  # noqa: ARG002 - for those that have one
        """States that break the rule and harm nothing on an empty resource that nobody uses, the mildest first.

        `state` is compliant. Where nothing is that harmless there is none. Pure.
        """
        return ()

    def unbreakable(self, target: TargetT, /) -> str:  # noqa: ARG002 - for those whose break a service may refuse
        """What makes the service refuse such a state, for people; empty where nothing is known to.

        Raises:
            ServiceError: it cannot be read.
        """
        return ""

    @property
    def rehearsable(self) -> bool:
        """Whether it knows such states."""
        return type(self).harmless_breaks is not Remediation.harmless_breaks

    def rehearsal(self, state: State) -> Change | None:
        """The repair of a harmless break that leaves exactly what `state` is; None where there is no such break.

        To `revert` this change is to break the resource, and to repair it is to put it back as it was. Pure.

        Raises:
            Refused: this resource can never be repaired with these options.
        """
        for broken in self.harmless_breaks(state):
            finding = self.plan(broken)
            if isinstance(finding, Change) and finding.after == self.plan(state).state:
                return finding
        return None

    @abstractmethod
    def revert(self, target: TargetT, change: Change, /) -> None:
        """Put back `change.before`. Whether the live state is still `change.after` has been checked."""


AnyRemediation = Remediation[Any, Any, Any]
"""One whose kind does not matter to who uses it."""
