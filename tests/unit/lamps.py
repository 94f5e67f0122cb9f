"""A kind of resource that no cloud has: lamps, in memory. What the engine does with it, it does with every kind.

Switching a lamp on makes one where there is none, as some services' calls do, so the accident can happen here too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from consumer.core.errors import ResourceGone, Unanswered
from consumer.core.outcome import Ending, Outcome
from consumer.remediations.base import Change, Compliant, Finding, Options, Remediation
from consumer.resources.base import Identity, Resource, ResourceKind

LAMP = "Example::Light::Lamp"


class LampKind(ResourceKind):
    """`Example::Light::Lamp`."""

    resource_type: ClassVar[str] = LAMP
    noun: ClassVar[str] = "lamp"
    look_actions: ClassVar[tuple[str, ...]] = ("light:DescribeLamp",)
    tag_actions: ClassVar[tuple[str, ...]] = ("light:ListTags",)

    def names(self, resource_id: str) -> bool:
        """A bucket could have such a name, too."""
        return resource_id.isalnum()

    def absent(self) -> str:
        """No lamp is called so."""
        return "nolamp"

    def arn(self, resource_id: str) -> str:
        """Of one lamp."""
        return f"acs:light:*:*:lamp/{resource_id}"


LAMPS = LampKind()


@dataclass(frozen=True)
class Lamp(Identity):
    """One lamp, as a look shows it."""

    on: bool = True


@dataclass
class House:
    """Every lamp there is; implements `consumer.resources.base.Opener`."""

    lamps: dict[str, Lamp] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    before: dict[str, deque[Callable[[], None]]] = field(default_factory=dict)
    loses_answers: bool = False
    """Whether a switch takes effect and is not answered."""
    made: int = 0

    def add(self, name: str, owner_id: str, *, on: bool = True) -> None:
        """Somebody hangs a lamp up."""
        self.made += 1
        self.lamps[name] = Lamp(owner_id, "moon-1", f"lamp number {self.made}", on)

    def open(self, resource: Resource, _until: Callable[[], float]) -> LampTarget:
        """One lamp for one delivery."""
        return LampTarget(self, resource)

    def close(self) -> None:
        """Nothing is open."""


class LampTarget:
    """One lamp; implements `consumer.resources.base.Target`."""

    def __init__(self, house: House, resource: Resource) -> None:
        self.request_ids: list[str] = []
        self.granted: set[str] = set()
        self._house = house
        self._resource = resource

    def identity(self) -> Lamp:
        """The lamp now."""
        self._begin("identity")
        self.granted.add("light:DescribeLamp")
        if self._resource.resource_id not in self._house.lamps:
            raise ResourceGone("light", "DescribeLamp", "NoSuchLamp", "it is dark")
        return self._house.lamps[self._resource.resource_id]

    def tags(self) -> Mapping[str, str]:
        """What hangs on it."""
        self._begin("tags")
        return self._house.tags

    def switch(self, *, on: bool) -> None:
        """Switch it, and make one where there is none."""
        self._begin("switch")
        name = self._resource.resource_id
        if name not in self._house.lamps:
            self._house.add(name, self._resource.account_id)
        self._house.lamps[name] = replace(self._house.lamps[name], on=on)
        if self._house.loses_answers:
            raise Unanswered("light", "SwitchLamp", "timeout", "no answer")

    def remove(self) -> None:
        """Take it down."""
        self._begin("remove")
        del self._house.lamps[self._resource.resource_id]

    def _begin(self, call: str) -> None:
        self._house.calls.append(call)
        self.request_ids.append(f"request-{len(self._house.calls)}")
        if planned := self._house.before.get(call):
            planned.popleft()()


class SwitchOff(Remediation[LampTarget, Lamp, bool]):
    """Switches lamps off."""

    kind: ClassVar[ResourceKind] = LAMPS
    name: ClassVar[str] = "light.switch-off"
    summary: ClassVar[str] = "switches the lamp off"
    repairs: ClassVar[tuple[str, ...]] = ()
    reversible: ClassVar[str] = "yes"
    may_break: ClassVar[str] = "reading"
    actions: ClassVar[tuple[str, ...]] = ("light:SwitchLamp",)

    Options: ClassVar[type[Options]] = Options

    def inspect(self, target: LampTarget, identity: Lamp) -> bool:  # noqa: ARG002 - the look has it
        """Whether it is on."""
        return identity.on

    def plan(self, state: bool) -> Finding:
        """Off."""
        return Change("on", "off") if state else Compliant("off")

    def apply(self, target: LampTarget, change: Change) -> None:
        """Switch it."""
        target.switch(on=change.after == "on")

    def recover(self, target: LampTarget, before: Lamp) -> Ending | None:
        """Take a lamp down that was made by switching."""
        if not target.identity().replaces(before):
            return None
        target.remove()
        return Ending(Outcome.GONE, "taken_down", "the lamp was gone; the new one was taken down")

    def revert(self, target: LampTarget, change: Change) -> None:
        """Switch it back."""
        target.switch(on=change.before == "on")
