"""A delivery whose ending is known, on its way from a worker to the settler."""

from __future__ import annotations

from dataclasses import dataclass, field

from consumer.core.event import Event
from consumer.core.observers import Step, StepName
from consumer.core.outcome import Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.engine.timings import Stages
from consumer.guards.rule import Rule


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the settler carries out."""

    delivery: Delivery
    ending: Ending | None
    """None releases the delivery: it was not worked on and becomes visible again at once."""
    event: Event | None = None
    rule: Rule | None = None
    attempts: int = 0
    """Real failures of this message that this replica has seen, this one included."""
    stages: Stages = field(default_factory=Stages, compare=False)
    resolved_at: float = 0.0
    """Local monotonic seconds."""
    followers: tuple[Resolved, ...] = ()
    """Superseded deliveries of the same resource and rule: deleted once this one is settled or kept, never before."""

    def last_step(self, ending: Ending) -> Step:
        """The step that an ending is, for whoever follows the delivery: verified if it ends a repair, else decided."""
        rule = self.rule
        return Step(
            StepName.VERIFIED if ending.outcome is Outcome.FIXED else StepName.DECIDED,
            self.delivery.message,
            self.event,
            rule.name if rule else "",
            rule.remediation.name if rule else "",
            rule.mode.value if rule else "",
            ending,
            ending.before,
            ending.after,
        )
