"""The one record that travels: one receipt of one message, from the poll through a worker and a settler to the report.

Each step of the way fills its part. One thread owns a delivery at a time: the poller that makes it, the worker that
takes it out of the buffer, the settler that takes it out of a settle queue. Only its lease is shared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from consumer.core.event import Event
from consumer.core.message import Received
from consumer.core.observers import Report, Step, StepName
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.sent import NO_REQUESTS
from consumer.engine.lease import Lease
from consumer.engine.parked_copy import ParkedCopy
from consumer.engine.timings import Timings
from consumer.guards.rule import Rule
from consumer.remediations.base import Finding
from consumer.resources.base import Resource


@dataclass(slots=True, eq=False)
class Delivery:
    """A message that is in flight: received, not settled yet. Times are local monotonic seconds."""

    message: Received
    lease: Lease
    received_at: float
    timings: Timings = field(default_factory=Timings)
    crowded_out: bool = False
    """Whether it has come back and found no slot left for such ones, so that it is decoded and then waits once more."""

    # Filled by triage.
    event: Event | None = None
    rule: Rule | None = None
    resource: Resource | None = None

    # Filled by the worker.
    incarnation: str = ""
    """Which resource of that id the first look has found: the service's own text for when it was created."""
    finding: Finding | None = None
    """The result of the look at the resource."""
    ending: Ending | None = None
    """How the work ended; a delivery that is settled without one is released."""
    attempts: int = 0
    """Real failures of this message, this one included, with those that its parked copies had before."""
    attempts_seen: int = 0
    """Of them, those that this process knows itself."""
    followers: list[Delivery] = field(default_factory=list)
    """Older deliveries of the same resource and rule: deleted once this one is settled or kept, never before."""
    resolved_at: float = 0.0

    # Filled while it is settled.
    hide_seconds: int = 0
    """For how long it is hidden if it is kept where it is."""
    parked_copy: ParkedCopy | None = None
    """What it is parked as, if it is."""
    copied: Disposition | None = None
    """Set once its copy is confirmed: how the message counts when it is deleted, as dead-lettered or as parked."""
    copy_id: str = ""
    """The queue's id of the parked copy."""
    settle_failures: int = 0
    """Failed requests of its present settle queue."""

    @property
    def message_id(self) -> str:
        """The queue's id of the message, the same in every delivery of it."""
        return self.message.message_id

    @property
    def age_order(self) -> tuple[int, int, float]:
        """Later is newer: by evaluation, then by notification; of two receipts of one message, the later receipt."""
        if self.event is None:
            raise ValueError("only a delivery with an event has an age")
        return self.event.evaluated_at_ms, self.event.notified_at_ms, self.received_at

    @property
    def exhausted_by_claim(self) -> bool:
        """Whether it is given up for attempts that it claims, and that this process has not seen."""
        claimed = self.attempts > self.attempts_seen
        return claimed and self.ending is not None and self.ending.outcome is Outcome.EXHAUSTED

    def same_origin(self, other: Delivery) -> bool:
        """Whether both are copies of one message; the body has to be the same, for the original id is only claimed."""
        return self.message.origin_id == other.message.origin_id and self.message.body == other.message.body

    def covers(self, other: Delivery) -> bool:
        """Whether repairing for this delivery repairs for the other one too.

        The region has to be the same as well: a newer event that names a wrong one must not stand in for a true one.
        """
        return self.rule is other.rule and self.resource == other.resource and self.age_order >= other.age_order

    def step(self, name: StepName, *, before: str, after: str, ending: Ending | None = None) -> Step:
        """One step of its way, for step listeners."""
        rule = self.rule
        return Step(
            name,
            self.message,
            self.event,
            rule.name if rule else "",
            rule.remediation.name if rule else "",
            rule.mode.value if rule else "",
            ending,
            before,
            after,
            self.incarnation,
            self.timings.request_ids if ending else (),
            rule.observed.value if rule else "",
            self.timings.requests if ending else NO_REQUESTS,
        )

    def report(self, disposition: Disposition, settled_at_ms: int) -> Report:
        """The frozen view of a settled delivery that listeners get."""
        rule, ending = self.rule, self.ending
        lost = disposition is Disposition.LEASE_LOST
        parked = self.parked_copy if disposition is Disposition.PARKED else None
        return Report(
            message=self.message,
            outcome=Outcome.LEASE_LOST if lost else ending.outcome if ending else None,
            disposition=disposition,
            ending=ending,
            event=self.event,
            rule=rule.name if rule else "",
            remediation=rule.remediation.name if rule else "",
            mode=rule.mode.value if rule else "",
            attempts=self.attempts,
            hidden_seconds=self.hide_seconds if disposition is Disposition.HIDDEN else 0,
            parked_as=self.copy_id if parked else "",
            parked_seconds=parked.delay_seconds if parked else 0,
            settled_at_ms=settled_at_ms,
            request_ids=self.timings.request_ids,
            stage_seconds=self.timings.as_tuple(),
            confirmed=bool(self.incarnation),
        )
