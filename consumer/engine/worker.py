"""Workers: take a buffered delivery, carry it through the pipeline, hand its ending to the settler.

Workers are the only threads that touch OSS, and they never touch the queue: whatever they do or fail to do, the
message is still there until the settler has carried an ending out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from consumer.core.message import Received
from consumer.core.observers import Hooks, Step, StepName
from consumer.core.outcome import Ending, Outcome
from consumer.engine.backoff import Attempts
from consumer.engine.coalescing import Cases, Member
from consumer.engine.delivery import Delivery
from consumer.engine.heartbeat import Pulse
from consumer.engine.in_flight import Hand
from consumer.engine.pipeline import Dismissed, Pipeline, Tell, untold
from consumer.engine.resolved import Resolved
from consumer.engine.settler import Settlements
from consumer.engine.timings import Stages
from consumer.remediations.base import Change


class Worker:
    """One thread of repairs."""

    def __init__(
        self,
        hand: Hand,
        pipeline: Pipeline,
        cases: Cases,
        settlements: Settlements,
        attempts: Attempts,
        stopping: threading.Event,
        pulse: Pulse,
        *,
        max_attempts: int,
        hooks: Hooks | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hand = hand
        self._pipeline = pipeline
        self._cases = cases
        self._settlements = settlements
        self._attempts = attempts
        self._stopping = stopping
        self._pulse = pulse
        self._max_attempts = max_attempts
        self._hooks = hooks or Hooks()
        self._monotonic = monotonic

    def run(self) -> None:
        """Work on deliveries until the hand is closed and this worker's own is done."""
        while not self._hand.closed:
            self._pulse.rest()
            delivery = self._hand.next(self._pulse.idle_seconds)
            if delivery is not None:
                self._pulse.beat(f"working on message {delivery.message_id}")
                self.work(delivery)

    def work(self, delivery: Delivery) -> None:
        """Carry one delivery to its ending, or leave it to the worker that has the same resource in hand."""
        stages = Stages(self._monotonic)
        stages.add("wait", delivery.message.queued_seconds + self._monotonic() - delivery.received_at)
        with stages.measure("decode"):
            found = _damaged(delivery.message) or self._pipeline.triage(delivery.message.body)
        if isinstance(found, Dismissed):
            self._resolve(Resolved(delivery, found.ending, found.event, found.rule, stages=stages))
            return
        member = Member(delivery, found, stages)
        if self._cases.join(member):
            self._work_on_case(member)

    def _work_on_case(self, opener: Member) -> None:
        """Repair for the newest delivery of a case; whatever that covers by then follows it.

        A delivery that came meanwhile and is newer still is repaired for in turn: what it reports may have happened
        after our look.
        """
        while (member := self._cases.newest(opener.bucket_name)) is not None:
            self._pulse.beat(f"working on message {member.delivery.message_id}")
            if self._stopping.is_set() and member is not opener:
                self._resolve(_resolved(member, None))
                continue
            lease = member.delivery.lease
            ending = self._pipeline.repair(
                member.matched,
                member.stages,
                lambda: lease.held(self._monotonic()),  # noqa: B023 - called before the loop goes on
                self._teller(member),
            )
            if ending.outcome is Outcome.LEASE_LOST:
                self._resolve(_resolved(member, ending))  # nobody follows it: the next newest is worked on instead
                continue
            followers = tuple(_resolved(older, None) for older in self._cases.covered(member))
            self._resolve(_resolved(member, ending, followers))

    def _teller(self, member: Member) -> Tell:
        if not self._hooks.followed:
            return untold
        rule, message = member.matched.rule, member.delivery.message

        def tell(name: StepName, change: Change) -> None:
            self._hooks.step(
                Step(
                    name,
                    message,
                    member.matched.event,
                    rule.name,
                    rule.remediation.name,
                    rule.mode.value,
                    before=change.before,
                    after=change.after,
                )
            )

        return tell

    def _resolve(self, resolved: Resolved) -> None:
        """Hand over to the settler; a failure is counted, and is the last one when it is one too many."""
        ending = resolved.ending
        attempts = self._attempts.of(resolved.delivery.message_id)
        if ending is not None and ending.outcome is Outcome.FAILED:
            if self._stopping.is_set():
                ending = None  # cut short by the stop, so not an attempt: another replica begins at once
            else:
                attempts = self._attempts.failed(resolved.delivery.message_id)
                ending = self._exhausted(ending, attempts)
        now = self._monotonic()
        self._settlements.put(replace(resolved, ending=ending, attempts=attempts, resolved_at=now))

    def _exhausted(self, ending: Ending, attempts: int) -> Ending:
        if attempts < self._max_attempts:
            return ending
        return replace(ending, outcome=Outcome.EXHAUSTED, detail=f"failed {attempts} times, last: {ending.detail}")


def _damaged(message: Received) -> Dismissed | None:
    """The ending of a message whose body no reply can carry: a person has to look, for it may have been anything."""
    if not message.damage:
        return None
    return Dismissed(Ending(Outcome.INVALID, "damaged_body", message.damage, error_class="InvalidMessage"))


def _resolved(member: Member, ending: Ending | None, followers: tuple[Resolved, ...] = ()) -> Resolved:
    matched = member.matched
    return Resolved(member.delivery, ending, matched.event, matched.rule, stages=member.stages, followers=followers)
