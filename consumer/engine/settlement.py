"""What settling a delivery takes: the first request, the next one after an answer, and the books at the end.

Bounded in tries and time. What the queue does not confirm is tried again for a while; then the message is hidden with
backoff, so that its slot is free for fresh work, and its redelivery is looked at and settled anew. A refusal that is
known to last is not repeated at all. If even hiding fails, the delivery counts as lost, and the queue hands the message
out again when its lease ends. No more than half of the slots wait for copies that fail or are slow, or for deletions
that fail.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

from consumer.core.errors import MessageGone, PermanentError, QueueMissing, Retryable, ServiceError
from consumer.core.observers import Hooks, SettleError, Step, StepName
from consumer.core.outcome import SETTLED_BY, Disposition, Ending, Outcome, Settlement
from consumer.core.queue_limits import MAX_VISIBILITY_SECONDS
from consumer.engine.backoff import Attempts, Backoff
from consumer.engine.delivery import Delivery
from consumer.engine.in_flight import InFlight
from consumer.engine.settle_queue import Action, SettleQueue
from consumer.engine.undeleted_limit import UndeletedLimit
from consumer.engine.unsettled import Unsettled
from consumer.guards.rule import Mode, Observed

RELEASE_SECONDS = 1
"""A released message is visible again after this: the shortest time the queue allows."""

GIVEN_UP = "given_up"
"""The code of a settlement error after which nothing more is tried: the message returns when its lease ends."""

SLOW = "slow"
"""The code of a copy that was not sent, because the dead-letter queue takes them too slowly for the slots there are."""

_TRIES_WHILE_STOPPING = 2


@dataclass(frozen=True, slots=True)
class SettlePolicy:
    """For how long messages are hidden, and how hard settling is tried."""

    backoff: Backoff
    hold_seconds: float = 900.0
    """For held and observed deliveries whose rule says nothing else."""
    keep_seconds: float = 3_600.0
    """For a message that cannot succeed and cannot be dead-lettered."""
    retry_seconds: float = 0.5
    """The first pause before a request is tried again; it doubles up to 16 times as much."""
    max_tries: int = 5
    """Tries of one request before the message is hidden instead, the first one included."""
    max_seconds: float = 30.0
    """How long after its ending a delivery may still be tried to be deleted or copied."""
    slow_seconds: float = 3.0
    """A copy that has waited, or would wait, longer than this gives way to fresh work if the slots are crowded."""


class Settlements:
    """Every settlement from its ending to its report; shared by workers, pollers and settlers."""

    def __init__(
        self,
        queues: Mapping[Action, SettleQueue],
        in_flight: InFlight,
        policy: SettlePolicy,
        attempts: Attempts,
        undeleted: UndeletedLimit,
        hooks: Hooks,
        *,
        dead_letters: bool,
        jitter: Callable[[float, float], float],
        monotonic: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._queues = queues
        self._in_flight = in_flight
        self._policy = policy
        self._attempts = attempts
        self._undeleted = undeleted
        self._hooks = hooks
        self._dead_letters = dead_letters
        self._jitter = jitter
        self._monotonic = monotonic
        self._wall_ms = wall_ms
        self.unsettled = Unsettled()

    def put(self, delivery: Delivery) -> None:
        """Settle a delivery that was worked on, and its followers after it."""
        self._in_flight.worked(1 + len(delivery.followers))
        self._begin(delivery)

    def release(self, delivery: Delivery) -> None:
        """Give back a delivery that nobody has begun to work on: it is visible again after a second."""
        delivery.ending = None
        self._begin(delivery)

    def hurry(self) -> None:
        """The process is stopping: let nothing linger, and try nothing for long."""
        for queue in self._queues.values():
            queue.hurry()

    def close(self) -> None:
        """End the settlers; only when nothing is in flight any more."""
        for queue in self._queues.values():
            queue.close()

    def done(self, delivery: Delivery, action: Action) -> None:
        """A request was confirmed."""
        self._queues[action].failing = False
        match action:
            case Action.DELETE:
                self._conclude(delivery, Disposition.DEAD_LETTERED if delivery.copied else Disposition.DELETED)
            case Action.HIDE:
                self._conclude(delivery, Disposition.HIDDEN if delivery.ending else Disposition.RELEASED)
            case Action.COPY:
                self._copied(delivery)
                self._enqueue(Action.DELETE, delivery)
            case _:
                assert_never(action)

    def failed(self, delivery: Delivery, action: Action, error: ServiceError) -> None:
        """A request was refused or not answered: try again, or hide the message, or give it up to the queue."""
        queue = self._queues[action]
        queue.failing = not isinstance(error, MessageGone)  # a handle of the past says nothing about the next request
        self._hooks.settle_error(SettleError(delivery.message_id, action.value, error.code))
        delivery.settle_failures += 1
        if isinstance(error, MessageGone) or not self.held(delivery):
            self.lost(delivery)  # an invalid handle proves neither deletion nor anything else
            return
        delay_seconds = self._policy.retry_seconds * 2 ** min(delivery.settle_failures - 1, 4)
        if isinstance(error, Retryable) and self._may_retry(delivery, queue, delay_seconds):
            queue.put(delivery, delay_seconds)
            return
        self.give_up(delivery, action, lasting=isinstance(error, PermanentError | QueueMissing))
        if queue.stopping and action is not Action.HIDE:
            for waiting in queue.drain():
                self.give_up(waiting, action)

    def give_up(self, delivery: Delivery, action: Action, *, lasting: bool = False) -> None:
        """Try this request no more: hide the message instead, for longer each time, or let its lease end."""
        match action:
            case Action.HIDE:
                self._hooks.settle_error(SettleError(delivery.message_id, action.value, GIVEN_UP))
                self._conclude(delivery, Disposition.LEASE_LOST)
            case Action.COPY if lasting:
                self._hide(delivery, self._policy.keep_seconds)
            case Action.COPY | Action.DELETE:
                times = self.unsettled.given_up(delivery.message_id)
                self._hide(delivery, self._policy.backoff.seconds(times, self._jitter))
            case _:
                assert_never(action)

    def lost(self, delivery: Delivery) -> None:
        """The delivery is not ours any more, so no request could be right."""
        self._conclude(delivery, Disposition.LEASE_LOST)

    def give_up_late(self, delivery: Delivery, action: Action) -> bool:
        """Whether a delivery's turn came so late, behind failures or in a crowd, that it is hidden instead of sent."""
        waited_seconds = self._monotonic() - delivery.resolved_at
        if action is not Action.HIDE and self._queues[action].failing:
            late = waited_seconds >= self._policy.max_seconds
            if late:
                self.give_up(delivery, action)
            return late
        late = action is Action.COPY and self._crowds(waited_seconds)
        if late:
            self._give_way(delivery)
        return late

    def held(self, delivery: Delivery) -> bool:
        """Whether the delivery is still ours."""
        return delivery.lease.held(self._monotonic())

    def _begin(self, delivery: Delivery) -> None:
        """What settling begins with; the ending is reported as a step before anything is done to the message."""
        ending = delivery.ending
        if ending is None:
            self._hide(delivery, RELEASE_SECONDS)
            return
        if self._hooks.followed:
            self._hooks.step(_last_step(delivery, ending))
        settlement = SETTLED_BY[ending.outcome]
        match settlement:
            case Settlement.DELETE:
                self._delete(delivery)
            case Settlement.HOLD if _comes_back(delivery, ending):
                self._delete(delivery)
            case Settlement.HOLD:
                seconds = self._policy.hold_seconds if ending.hold_seconds is None else ending.hold_seconds
                self._hide(delivery, self._stretched(seconds))
            case Settlement.BACK_OFF:
                self._hide(delivery, self._stretched(self._policy.backoff.seconds(delivery.attempts, self._jitter)))
            case Settlement.DEAD_LETTER:
                self._dead_letter(delivery)
            case Settlement.NOTHING:
                self.lost(delivery)
            case _:
                assert_never(settlement)

    def _delete(self, delivery: Delivery) -> None:
        if self._queues[Action.DELETE].failing and self._in_flight.settling_crowded:
            self.give_up(delivery, Action.DELETE)
        else:
            self._enqueue(Action.DELETE, delivery)

    def _dead_letter(self, delivery: Delivery) -> None:
        if not self._dead_letters:
            self._hide(delivery, self._policy.keep_seconds)
        elif self.unsettled.ending_of_copy(delivery.message_id):
            delivery.copied = True  # by an earlier delivery, whose deletion did not work out
            self._delete(delivery)
        elif self._queues[Action.COPY].failing and self._in_flight.settling_crowded:
            self.give_up(delivery, Action.COPY)
        elif self._crowds(self._queues[Action.COPY].seconds_of_work):
            self._give_way(delivery)
        else:
            self._enqueue(Action.COPY, delivery)

    def _crowds(self, waited_seconds: float) -> bool:
        """Whether copies that wait for so long take slots from fresh work; a burst that is copied quickly does not."""
        return waited_seconds > self._policy.slow_seconds and self._in_flight.settling_crowded

    def _give_way(self, delivery: Delivery) -> None:
        """Hide a message whose copy would be slow, and count that: no request has failed that would show it."""
        self._hooks.settle_error(SettleError(delivery.message_id, Action.COPY.value, SLOW))
        self.give_up(delivery, Action.COPY)

    def _copied(self, delivery: Delivery) -> None:
        delivery.copied = True
        if delivery.ending is not None:
            self.unsettled.copied(delivery.message_id, delivery.ending)

    def _hide(self, delivery: Delivery, seconds: float) -> None:
        delivery.hide_seconds = min(max(round(seconds), 1), MAX_VISIBILITY_SECONDS)
        self._enqueue(Action.HIDE, delivery)

    def _stretched(self, seconds: float) -> float:
        return self._undeleted.stretched(seconds, self._monotonic())

    def _enqueue(self, action: Action, delivery: Delivery) -> None:
        delivery.settle_failures = 0
        self._queues[action].put(delivery)

    def _may_retry(self, delivery: Delivery, queue: SettleQueue, delay_seconds: float) -> bool:
        """Whether a request that failed for now is worth a slot any longer."""
        if queue.stopping:
            # A hide is all that brings the message to another replica at once, so it is tried until the grace is over.
            return queue.action is Action.HIDE or delivery.settle_failures < _TRIES_WHILE_STOPPING
        if delivery.settle_failures >= self._policy.max_tries:
            return False
        if queue.action is Action.HIDE:
            return True
        late = self._monotonic() + delay_seconds > delivery.resolved_at + self._policy.max_seconds
        return not late and not self._in_flight.settling_crowded

    def _conclude(self, delivery: Delivery, disposition: Disposition) -> None:
        """The delivery is settled: books, report, and then what had to wait for it."""
        now = self._monotonic()
        lost = disposition is Disposition.LEASE_LOST
        delivery.lease.lose() if lost else delivery.lease.end()
        if disposition in (Disposition.DELETED, Disposition.DEAD_LETTERED):
            self._attempts.forget(delivery.message_id)
            self.unsettled.forget(delivery.message_id)
        else:
            self._undeleted.not_deleted(now)
        delivery.stages.add("settle", now - delivery.resolved_at)
        self._in_flight.settle(disposition)
        self._hooks.report(delivery.report(disposition, self._wall_ms()))
        for follower in delivery.followers:
            self._follow(follower, delivery, lost=lost)

    def _follow(self, follower: Delivery, leader: Delivery, *, lost: bool) -> None:
        """A follower is superseded only by a delivery that is settled or kept; otherwise it is released.

        An older receipt of the leader's own message is neither: deleting it could delete what was just kept.
        """
        if follower.message_id == leader.message_id:
            detail = "a later receipt of the same message was settled"
            follower.ending = Ending(Outcome.LEASE_LOST, "received_again", detail)
        elif lost:
            follower.ending = None
        else:
            follower.ending = Ending(Outcome.SUPERSEDED, "newer_event", "a newer event was settled")
        follower.resolved_at = self._monotonic()
        self._begin(follower)


def _comes_back(delivery: Delivery, ending: Ending) -> bool:
    """Whether catch-up brings an observed violation back from the evaluator's list, so that nothing has to keep it."""
    rule = delivery.rule
    observed = ending.outcome is Outcome.WOULD_FIX and rule is not None and rule.mode is Mode.OBSERVE
    return observed and rule is not None and rule.observed is Observed.DELETE


def _last_step(delivery: Delivery, ending: Ending) -> Step:
    """Verified if the ending is that of a repair, else decided."""
    name = StepName.VERIFIED if ending.outcome is Outcome.FIXED else StepName.DECIDED
    return delivery.step(name, before=ending.before, after=ending.after, ending=ending)
