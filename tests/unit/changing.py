"""One change of a lamp, made as often as a test says: its requests, its looks and the journal end as the test wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from consumer.core.message import Received
from consumer.core.observers import Hooks, Report, Step
from consumer.core.outcome import Ending
from consumer.engine.change import ChangeMaker, PermittedChange
from consumer.engine.timings import Timings
from consumer.guards.chain import Guards, Intent, Permit
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.base import Change, Compliant, Finding, Note, Options, Remediation
from consumer.resources.base import Identity, ResourceKind, Written
from tests.unit.bodies import ACCOUNT
from tests.unit.fakes import Clock, delivery
from tests.unit.lamps import LAMPS

LAMP = LAMPS.resource(ACCOUNT, "moon-1", "lamp")
FOUND = Identity(ACCOUNT, "moon-1", "lamp number 1")
CHANGE = Change("on", "off")
APPLY_SECONDS = 2.0
LOOK_SECONDS = 0.25


@dataclass
class ScriptedLamp:
    """One lamp, which is whatever the test says; implements `consumer.resources.base.Target`."""

    clock: Clock
    identities: list[Identity] = field(default_factory=lambda: [FOUND])
    """What the next looks meet; the last one stays."""
    findings: list[Finding | Exception] = field(default_factory=lambda: [Compliant("off")])
    """What the next looks find, or fail with; the last one stays."""
    answer: Exception | None = None
    """What the change fails with."""
    notes: dict[Identity, Note] = field(default_factory=dict)
    """What is to be known of a lamp after its change."""
    recovery: Ending | None = None
    written: Written = Written.NO
    look_seconds: float = LOOK_SECONDS
    request_ids: list[str] = field(default_factory=list)
    granted: set[str] = field(default_factory=set)
    calls: list[object] = field(default_factory=list)

    def identity(self) -> Identity:
        """Which lamp it is."""
        return self.identities.pop(0) if len(self.identities) > 1 else self.identities[0]

    def tags(self) -> Mapping[str, str]:
        """None."""
        return {}


class Dim(Remediation[ScriptedLamp, Identity, Finding]):
    """Finds what the lamp's script says."""

    kind: ClassVar[ResourceKind] = LAMPS
    name: ClassVar[str] = "light.dim"
    actions: ClassVar[tuple[str, ...]] = ("light:GetLamp", "light:SetLamp")

    def inspect(self, target: ScriptedLamp, identity: Identity) -> Finding:
        """What the script says."""
        target.calls.append(("look", identity))
        target.clock.advance(target.look_seconds)
        found = target.findings.pop(0) if len(target.findings) > 1 else target.findings[0]
        if isinstance(found, Exception):
            raise found
        return found

    def plan(self, state: Finding) -> Finding:
        """That."""
        return state

    def apply(self, target: ScriptedLamp, change: Change) -> None:
        """Fails if the script says so."""
        target.calls.append(("apply", change))
        target.clock.advance(APPLY_SECONDS)
        if target.answer:
            raise target.answer

    def recover(self, target: ScriptedLamp, before: Identity) -> Ending | None:
        """As the script says."""
        target.calls.append(("recover", before))
        return target.recovery

    def note(self, target: ScriptedLamp, identity: Identity) -> Note | None:
        """As the script says."""
        return target.notes.get(identity)

    def revert(self, target: ScriptedLamp, change: Change) -> None:
        """Never called here."""


class Paint(Dim):
    """Writes what `Dim` writes."""

    name: ClassVar[str] = "light.paint"
    actions: ClassVar[tuple[str, ...]] = ("light:SetLamp", "light:SetColour")


class Move(Dim):
    """Reads what `Dim` reads, and writes something else."""

    name: ClassVar[str] = "light.move"
    actions: ClassVar[tuple[str, ...]] = ("light:GetLamp", "light:DescribeLamp", "light:ListLamps", "light:MoveLamp")


def rule(remediation: type[Dim] = Dim, *, name: str = "", hold_seconds: float = 600.0) -> Rule:
    """A rule with one of them."""
    return Rule(name or remediation.name, Selector(), remediation(Options()), Mode.ENFORCE, hold_seconds)


def permit_of(which: Rule, change: Change = CHANGE, guards: Guards | None = None) -> Permit:
    """Permission to make a change."""
    permit = (guards or Guards()).permit(Intent(which, LAMP, LAMP.region, change), dict)
    assert isinstance(permit, Permit)
    return permit


class Journal:
    """Records steps, and then does what a test wants."""

    def __init__(self, then: Callable[[], object] = bool) -> None:
        self.steps: list[Step] = []
        self._then = then

    def received(self, messages: Sequence[Received]) -> None:
        """Not of interest."""

    def step(self, step: Step) -> None:
        """Record it."""
        self.steps.append(step)
        self._then()

    def report(self, report: Report) -> None:
        """Not of interest."""

    def sync(self) -> None:
        """Nothing is buffered."""


class Making:
    """One maker of changes, on a clock that only moves with what is done."""

    def __init__(self, journal: Journal | None = None, *, journal_required: bool | None = None) -> None:
        self.clock = Clock()
        self.lamp = ScriptedLamp(self.clock)
        self.pauses: list[float] = []
        hooks = Hooks((), (journal,) if journal else ())
        required = {} if journal_required is None else {"journal_required": journal_required}
        self.maker = ChangeMaker(hooks, monotonic=self.clock, pause=self._pause, **required)

    def work(
        self, which: Rule | None = None, *, change: Change = CHANGE, budget_seconds: float = 45.0
    ) -> PermittedChange:
        """A change of the lamp that may be made."""
        which = which or rule()
        found = delivery(self.clock)
        found.timings, found.rule, found.resource = Timings(self.clock), which, LAMP
        until = self.clock() + budget_seconds
        return PermittedChange(found, which, LAMP, self.lamp, FOUND, change, permit_of(which, change), until)

    def make(self, which: Rule | None = None, *, change: Change = CHANGE) -> Ending:
        """How the change ends."""
        return self.maker.make(self.work(which, change=change))

    def looked(self, finding: Finding, which: Rule | None = None, *, found: Identity = FOUND) -> Ending | None:
        """What a later look, by any rule, says of the changes made before."""
        return self.maker.made_before(which or rule(), LAMP, self.lamp, found, finding)

    def _pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        return False
