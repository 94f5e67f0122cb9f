"""Workers: take a buffered delivery, carry it through the pipeline, leave its ending to be settled.

Workers are the only threads that touch resources, and they never touch the queue: whatever they do or fail to do, the
message is still there until a settler has carried an ending out.
"""

from __future__ import annotations

from dataclasses import replace

from consumer.core.outcome import Ending, Outcome
from consumer.engine.context import EngineContext
from consumer.engine.delivery import Delivery
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.loop import Loop
from consumer.engine.pipeline import Pipeline


class Worker(Loop):
    """One thread of repairs."""

    def __init__(self, shared: EngineContext, pipeline: Pipeline, heartbeat: Heartbeat, *, max_attempts: int) -> None:
        super().__init__(heartbeat)
        self._in_flight = shared.in_flight
        self._groups = shared.groups
        self._settlements = shared.settlements
        self._attempts = shared.history.attempts
        self._unsettled = shared.history.unsettled
        self._postponement = shared.postponement
        self._stopping = shared.stopping
        self._monotonic = shared.monotonic
        self._pipeline = pipeline
        self._max_attempts = max_attempts

    @property
    def done(self) -> bool:
        """Nothing more may be worked on."""
        return self._in_flight.closed

    def step(self) -> None:
        """Work on the oldest buffered delivery, if one comes within the idle time."""
        if delivery := self._in_flight.next(self._heartbeat.idle_seconds):
            self.process(delivery)
            self._in_flight.free(delivery)

    def process(self, delivery: Delivery) -> None:
        """Carry one delivery to its ending, or leave it to the worker that has the same resource in work."""
        self._heartbeat.beat(f"working on message {delivery.message_id}")
        waited = delivery.message.queued_seconds + self._monotonic() - delivery.received_at
        delivery.timings.add("wait", waited)
        with delivery.timings.measure("decode"):
            self._pipeline.triage(delivery)
        if ending := self._unsettled.ending_of_copy(delivery.message_id):
            delivery.ending = ending  # it stands in the dead-letter queue, and only its deletion is outstanding
        if delivery.crowded_out and not delivery.ending:
            delivery.ending = self._postponement.crowded_out(delivery)
        if delivery.ending:
            self.finish(delivery)
        elif self._groups.join(delivery):
            self._work_on_group(delivery)

    def _work_on_group(self, opener: Delivery) -> None:
        """Repair for the newest delivery of a group; whatever that covers by then follows it.

        A delivery that came meanwhile and is newer still is repaired for in turn: what it reports may have happened
        after our look.
        """
        while leader := self._groups.newest(opener):
            self._heartbeat.beat(f"working on message {leader.message_id}")
            if leader is opener or not self._stopping.is_set():  # at a stop what came meanwhile is released
                leader.ending = self._pipeline.repair(leader)
                if leader.ending.outcome is not Outcome.LEASE_LOST:
                    # A lost delivery covers no other one: the next newest of the group is worked on instead.
                    leader.followers = self._groups.covered(leader)
            self.finish(leader)

    def finish(self, delivery: Delivery) -> None:
        """Pass it on to be settled; a failure is counted, and ends the attempts when there were enough."""
        message_id, claimed = delivery.message_id, delivery.message.attempts
        delivery.attempts = self._attempts.of(message_id, claimed)
        if delivery.ending and delivery.ending.outcome is Outcome.FAILED:
            if self._stopping.is_set():
                delivery.ending = None  # cut short by the stop, so not an attempt: another replica begins at once
            else:
                delivery.attempts = self._attempts.failed(message_id, claimed)
                delivery.ending = self._exhausted(delivery.ending, delivery.attempts)
        delivery.attempts_seen = self._attempts.seen(message_id)
        delivery.resolved_at = self._monotonic()
        self._settlements.put(delivery)

    def _exhausted(self, ending: Ending, attempts: int) -> Ending:
        if attempts < self._max_attempts:
            return ending
        return replace(ending, outcome=Outcome.EXHAUSTED, detail=f"failed {attempts} times, last: {ending.detail}")
