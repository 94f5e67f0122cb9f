"""Carries endings out on the queue: delete, hide, or dead-letter, and the report once that is done.

A message is deleted here and nowhere else, and only for an outcome that `consumer.core.outcome` settles by deletion, or
after its copy in the dead-letter queue was confirmed. What the queue does not confirm is tried again while the lease
lasts; after that the delivery counts as lost, because the queue will hand the message to somebody again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from consumer.core.errors import MessageGone, Retryable, ServiceError
from consumer.core.observers import Hooks, Report, SettleError
from consumer.core.outcome import SETTLED_BY, Disposition, Ending, Outcome, Settlement
from consumer.core.queue_limits import MAX_VISIBILITY_SECONDS
from consumer.engine.backoff import Attempts, Backoff
from consumer.engine.dead_letter import DeadLetterTooLarge, Origin, compose
from consumer.engine.heartbeat import Pulse
from consumer.engine.in_flight import Hand
from consumer.engine.resolved import Resolved
from consumer.engine.settle_queue import Job, Outbox, Step
from consumer.engine.undeleted_limit import ConsumptionLimit

RELEASE_SECONDS = 1
"""A released message is visible again after this: the shortest time the queue allows."""


class SettlingQueue(Protocol):
    """The part of the queue gateway that a settler needs."""

    def delete(self, receipt_handles: Sequence[str]) -> dict[str, ServiceError]: ...
    def hide(self, receipt_handle: str, seconds: int) -> str: ...


class DeadLetterQueue(Protocol):
    """The part of the dead-letter queue's gateway that a settler needs."""

    def send(self, body: str) -> str: ...


@dataclass(frozen=True, slots=True)
class SettlePolicy:
    """For how long messages are hidden."""

    backoff: Backoff
    hold_seconds: float = 900.0
    """For held and observed deliveries whose rule says nothing else."""
    keep_seconds: float = 3_600.0
    """For a message that cannot succeed and cannot be dead-lettered."""
    retry_seconds: float = 0.5
    """The first pause before a settlement is tried again; it doubles up to 16 times as much."""


class Settlements:
    """Where workers hand over what they have resolved; decides the first step of each settlement."""

    def __init__(
        self,
        outbox: Outbox,
        hand: Hand,
        policy: SettlePolicy,
        *,
        dead_letters: bool,
        jitter: Callable[[float, float], float],
        hooks: Hooks | None = None,
    ) -> None:
        self._outbox = outbox
        self._hand = hand
        self._policy = policy
        self._dead_letters = dead_letters
        self._jitter = jitter
        self._hooks = hooks or Hooks()

    def put(self, resolved: Resolved) -> None:
        """Settle a delivery that was worked on, and its followers after it."""
        self._hand.worked(1 + len(resolved.followers))
        self._outbox.put(self.job(resolved))

    def release(self, resolved: Resolved) -> None:
        """Hand back a delivery that nobody has begun to work on."""
        self._outbox.put(self.job(replace(resolved, ending=None)))

    def job(self, resolved: Resolved) -> Job:
        """What settling this delivery begins with; the ending is told before anything is done to the message."""
        ending = resolved.ending
        if ending is None:
            return Job(resolved, Step.HIDE, RELEASE_SECONDS)
        if self._hooks.followed:
            self._hooks.step(resolved.last_step(ending))
        settlement = SETTLED_BY[ending.outcome]
        match settlement:
            case Settlement.DELETE:
                return Job(resolved, Step.DELETE)
            case Settlement.HOLD:
                seconds = self._policy.hold_seconds if ending.hold_seconds is None else ending.hold_seconds
                return Job(resolved, Step.HIDE, _hidden(seconds))
            case Settlement.BACK_OFF:
                return Job(resolved, Step.HIDE, self._policy.backoff.seconds(resolved.attempts, self._jitter))
            case Settlement.DEAD_LETTER:
                step = Step.COPY if self._dead_letters else Step.HIDE
                return Job(resolved, step, _hidden(self._policy.keep_seconds))
            case Settlement.NOTHING:
                return Job(resolved, Step.NOTHING)
            case _:
                assert_never(settlement)


def _hidden(seconds: float) -> int:
    """What the queue takes for a visibility timeout that comes closest."""
    return min(max(round(seconds), 1), MAX_VISIBILITY_SECONDS)


class Settler:
    """One thread's part in settling: takes jobs from the outbox and carries them out over its own connections."""

    def __init__(
        self,
        queue: SettlingQueue,
        dead_letters: DeadLetterQueue | None,
        settlements: Settlements,
        outbox: Outbox,
        hand: Hand,
        attempts: Attempts,
        consumption: ConsumptionLimit,
        policy: SettlePolicy,
        origin: Origin,
        hooks: Hooks,
        pulse: Pulse,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._queue = queue
        self._dead_letters = dead_letters
        self._settlements = settlements
        self._outbox = outbox
        self._hand = hand
        self._attempts = attempts
        self._consumption = consumption
        self._policy = policy
        self._origin = origin
        self._hooks = hooks
        self._pulse = pulse
        self._monotonic = monotonic
        self._wall_ms = wall_ms
        self._closed = False

    def close(self) -> None:
        """End the loop; only when nothing is in hand any more."""
        self._closed = True

    def run(self) -> None:
        """Settle what is due, for ever."""
        while not self._closed:
            self._pulse.rest()
            if jobs := self._outbox.take(self._pulse.idle_seconds):
                self._pulse.beat(f"settling {len(jobs)}")
                self.settle(jobs)

    def settle(self, jobs: Sequence[Job]) -> None:
        """Carry out one batch of deletions, or one other job."""
        match jobs[0].step:
            case Step.DELETE:
                self._delete(jobs)
            case Step.HIDE:
                self._hide(jobs[0])
            case Step.COPY:
                self._copy(jobs[0])
            case Step.NOTHING:
                # The message is somebody else's by now, or visible again; no request could be right.
                self._settled(jobs[0], Disposition.LEASE_LOST)

    def _delete(self, jobs: Sequence[Job]) -> None:
        with ExitStack() as held:
            # Held until the answer is here, so that no renewal replaces a handle that is on its way.
            handles = [held.enter_context(job.resolved.delivery.lease.exclusively()) for job in jobs]
            failures = self._delete_all(handles)
            for job, handle in zip(jobs, handles, strict=True):
                if error_of_one := failures.get(handle):
                    self._not_settled(job, error_of_one)
                else:
                    self._settled(job, Disposition.DEAD_LETTERED if job.dead_lettered else Disposition.DELETED)

    def _delete_all(self, handles: Sequence[str]) -> dict[str, ServiceError]:
        """The failure of every handle whose message is not known to be deleted."""
        try:
            failures = self._queue.delete(handles)
        except ServiceError as error:
            # The request as a whole: none, some or all of them may be deleted. Asking again tells.
            return dict.fromkeys(handles, error)
        for handle in failures.keys() - set(handles):
            # It names none of ours, so it may mean any of them.
            return dict.fromkeys(handles, failures[handle]) | failures
        return failures

    def _hide(self, job: Job) -> None:
        with job.resolved.delivery.lease.exclusively() as handle:
            try:
                self._queue.hide(handle, job.hide_seconds)
            except ServiceError as error:
                self._not_settled(job, error)
            else:
                self._settled(job, Disposition.RELEASED if job.resolved.ending is None else Disposition.HIDDEN)

    def _copy(self, job: Job) -> None:
        """Copy to the dead-letter queue; the message stays until the copy is confirmed, and a delete follows."""
        if self._dead_letters is None:
            raise AssertionError("a copy is only planned when there is a dead-letter queue")
        if not job.resolved.delivery.lease.held(self._monotonic()):
            # Somebody else has the message by now and may still succeed: a dead letter could be a false one.
            self._settled(job, Disposition.LEASE_LOST)
            return
        try:
            self._dead_letters.send(compose(job.resolved, self._origin, self._wall_ms()))
        except Retryable as error:
            self._not_settled(job, error)
        except (ServiceError, DeadLetterTooLarge) as error:
            # The dead-letter queue will not take it, now or later: keep the message where it is.
            self._tell_failure(job, error.code if isinstance(error, ServiceError) else "too_large")
            self._outbox.put(Job(job.resolved, Step.HIDE, job.hide_seconds))
        else:
            self._outbox.put(Job(job.resolved, Step.DELETE, job.hide_seconds, dead_lettered=True))

    def _not_settled(self, job: Job, error: ServiceError) -> None:
        """Try again while the lease lasts. An invalid handle proves neither deletion nor anything else."""
        self._tell_failure(job, error.code)
        if isinstance(error, MessageGone) or not job.resolved.delivery.lease.held(self._monotonic()):
            self._settled(job, Disposition.LEASE_LOST)
            return
        job.failures += 1
        self._outbox.put(job, self._policy.retry_seconds * 2 ** min(job.failures - 1, 4))

    def _settled(self, job: Job, disposition: Disposition) -> None:
        """The delivery is out of hand: books, report, and then what had to wait for it."""
        resolved = job.resolved
        lease = resolved.delivery.lease
        lease.lose() if disposition is Disposition.LEASE_LOST else lease.end()
        if disposition in (Disposition.DELETED, Disposition.DEAD_LETTERED):
            self._attempts.forget(resolved.delivery.message_id)
        else:
            self._consumption.not_deleted(self._monotonic())
        for follower in resolved.followers:
            self._outbox.put(self._settlements.job(self._follow(follower, resolved, disposition)))
        self._hand.settle(disposition)
        self._hooks.report(self._report(job, disposition))

    def _follow(self, follower: Resolved, leader: Resolved, disposition: Disposition) -> Resolved:
        """A follower is superseded only by a delivery that is settled or kept; otherwise it is handed back.

        An older receipt of the leader's own message is neither: deleting it could delete what was just kept.
        """
        ending: Ending | None = Ending(Outcome.SUPERSEDED, "newer_event", "a newer event was settled")
        if follower.delivery.message_id == leader.delivery.message_id:
            ending = Ending(Outcome.LEASE_LOST, "received_again", "a later receipt of the same message was settled")
        elif disposition is Disposition.LEASE_LOST:
            ending = None
        return replace(follower, ending=ending, resolved_at=self._monotonic())

    def _tell_failure(self, job: Job, code: str) -> None:
        self._hooks.settle_error(SettleError(job.resolved.delivery.message_id, job.step.value, code))

    def _report(self, job: Job, disposition: Disposition) -> Report:
        resolved, ending, rule = job.resolved, job.resolved.ending, job.resolved.rule
        resolved.stages.add("settle", self._monotonic() - resolved.resolved_at)
        if disposition is Disposition.LEASE_LOST:
            outcome: Outcome | None = Outcome.LEASE_LOST
        else:
            outcome = ending.outcome if ending else None
        return Report(
            message=resolved.delivery.message,
            outcome=outcome,
            disposition=disposition,
            ending=ending,
            event=resolved.event,
            rule=rule.name if rule else "",
            remediation=rule.remediation.name if rule else "",
            mode=rule.mode.value if rule else "",
            attempts=resolved.attempts,
            hidden_seconds=job.hide_seconds if disposition is Disposition.HIDDEN else 0,
            settled_at_ms=self._wall_ms(),
            request_ids=resolved.stages.request_ids,
            stage_seconds=resolved.stages.as_tuple(),
        )
