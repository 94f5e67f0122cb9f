"""Decides how each delivery is settled: the first request, the next one after each answer, and the end.

Bounded in tries and time. What the queue does not confirm is tried again for a while; then the message is hidden with
backoff, so that its slot is free for fresh work, and its redelivery is looked at and settled anew. A refusal that is
known to last is not repeated at all. If even hiding fails, the delivery counts as lost, and the queue delivers the
message again when its lease ends. No more than half of the slots wait for copies that fail or are slow, or for
deletions that fail.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import assert_never

from consumer.core.errors import MessageGone, PermanentError, QueueMissing, ServiceError
from consumer.core.outcome import SETTLED_BY, Disposition, Ending, Outcome, Settlement
from consumer.engine.delivery import Delivery
from consumer.engine.endings import cannot_be_parked, ending_of_follower
from consumer.engine.history import MessageHistory
from consumer.engine.ledger import Ledger
from consumer.engine.parked_copy import ParkedCopy
from consumer.engine.parking import INTERRUPTED
from consumer.engine.postponement import Postponement
from consumer.engine.settle_policy import Patience, SettlePolicy
from consumer.engine.settle_queue import Action, SettleQueue
from consumer.guards.rule import Mode, Observed

RELEASE_SECONDS = 1
"""A released message is visible again after this: the shortest time the queue allows."""

GIVEN_UP = "given_up"
"""The code of a settlement error after which nothing more is tried: the message returns when its lease ends."""

SLOW = "slow"
"""The code of a copy that was not sent, because the queue takes them too slowly for the slots there are."""

_COPYING = (Action.COPY, Action.PARK)


class Settlements:
    """Every settlement from its ending to its report; shared by workers, pollers and settlers."""

    def __init__(
        self,
        queues: Mapping[Action, SettleQueue],
        policy: SettlePolicy,
        patience: Patience,
        postponement: Postponement,
        history: MessageHistory,
        ledger: Ledger,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queues = queues
        self._policy = policy
        self._patience = patience
        self._postponement = postponement
        self._parking = postponement.parking
        self._history = history
        self._ledger = ledger
        self._monotonic = monotonic

    def put(self, delivery: Delivery) -> None:
        """Settle a delivery that was worked on, and its followers after it."""
        self._ledger.worked(delivery)
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

    def done(self, delivery: Delivery, action: Action, copy_id: str = "") -> None:
        """A request was confirmed; `copy_id` is the message that it made."""
        self._queues[action].failing = False
        match action:
            case Action.DELETE:
                self._conclude(delivery, delivery.copied or Disposition.DELETED)
            case Action.HIDE:
                self._conclude(delivery, Disposition.HIDDEN if delivery.ending else Disposition.RELEASED)
            case Action.COPY:
                if delivery.ending is not None:
                    self._history.unsettled.copied(delivery.message_id, delivery.ending)
                self._copied(delivery, Disposition.DEAD_LETTERED)
            case Action.PARK:
                self._history.carry(delivery.message_id, copy_id)
                delivery.copy_id = copy_id
                self._copied(delivery, Disposition.PARKED)
            case _:
                assert_never(action)

    def failed(self, delivery: Delivery, action: Action, error: ServiceError) -> None:
        """A request was refused or not answered: try again, or hide the message, or give it up to the queue."""
        queue = self._queues[action]
        queue.failing = not isinstance(error, MessageGone)  # an old handle says nothing about the next request
        self._ledger.failed(delivery, action, error.code)
        delivery.settle_failures += 1
        if isinstance(error, MessageGone) or not self.held(delivery):
            self.lost(delivery)  # an invalid handle does not prove that the message was deleted
            return
        pause_seconds = self._patience.pause_seconds(delivery.settle_failures)
        if self._patience.may_retry(delivery, queue, error, pause_seconds):
            queue.put(delivery, pause_seconds)
            return
        if action is Action.PARK and delivery.parked_copy:
            self._parking.refused(delivery.parked_copy, error)
        self.give_up(delivery, action, lasting=isinstance(error, PermanentError | QueueMissing))
        if queue.stopping and action is not Action.HIDE:
            for waiting in queue.drain():
                self.give_up(waiting, action)

    def give_up(self, delivery: Delivery, action: Action, *, lasting: bool = False) -> None:
        """Try this request no more: hide the message instead, for longer each time, or let its lease end."""
        match action:
            case Action.HIDE:
                self._ledger.failed(delivery, action, GIVEN_UP)
                self._conclude(delivery, Disposition.LEASE_LOST)
            case Action.PARK:
                delivery.parked_copy = None
                delivery.hide_seconds = self._parking.hidden_until_tried(delivery.hide_seconds)
                self._enqueue(Action.HIDE, delivery)
            case Action.COPY if lasting:
                self._keep(delivery, self._policy.keep_seconds)
            case Action.COPY:
                self._keep(delivery, self._given_up_seconds(delivery))
            case Action.DELETE:
                self._parked_in_vain(delivery, GIVEN_UP)
                self._hide(delivery, self._given_up_seconds(delivery))
            case _:
                assert_never(action)

    def lost(self, delivery: Delivery) -> None:
        """The delivery is not ours any more, so no request could be right."""
        self._parked_in_vain(delivery, Disposition.LEASE_LOST.value)
        self._conclude(delivery, Disposition.LEASE_LOST)

    def give_up_late(self, delivery: Delivery, action: Action) -> bool:
        """Whether a delivery's turn came so late, behind failures or in a crowd, that it is hidden instead of sent."""
        if action is Action.PARK and delivery.parked_copy and self._parking.overtaken(delivery.parked_copy):
            self._hide_instead(delivery, INTERRUPTED)
            return True
        if action is not Action.HIDE and self._queues[action].failing:
            late = self._patience.over(delivery)
            if late:
                self._copied_maybe(delivery, action)
                self.give_up(delivery, action)
            return late
        late = action in _COPYING and self._gives_way(action)
        if late:
            self._copied_maybe(delivery, action)
            self._give_way(delivery, action)
        return late

    def held(self, delivery: Delivery) -> bool:
        """Whether the delivery is still ours."""
        return delivery.lease.held(self._monotonic())

    def _begin(self, delivery: Delivery) -> None:
        """Send the first request; the ending is reported as a step before anything is done to the message."""
        ending = delivery.ending
        if ending is None:
            self._hide(delivery, RELEASE_SECONDS)
            return
        self._ledger.decided(delivery, ending)
        settlement = SETTLED_BY[ending.outcome]
        match settlement:
            case Settlement.DELETE:
                self._delete(delivery)
            case Settlement.HOLD if _comes_back(delivery, ending):
                self._delete(delivery)
            case Settlement.HOLD:
                seconds = self._policy.hold_seconds if ending.hold_seconds is None else ending.hold_seconds
                self._keep(delivery, seconds)
            case Settlement.BACK_OFF:
                self._keep(delivery, self._postponement.backoff_seconds(delivery.attempts))
            case Settlement.DEAD_LETTER:
                self._dead_letter(delivery)
            case Settlement.NOTHING:
                self.lost(delivery)
            case _:
                assert_never(settlement)

    def _delete(self, delivery: Delivery) -> None:
        if self._patience.fails_in_a_crowd(self._queues[Action.DELETE]):
            self.give_up(delivery, Action.DELETE)
        else:
            self._enqueue(Action.DELETE, delivery)

    def _keep(self, delivery: Delivery, seconds: float) -> None:
        """Let the message wait: parked if it is for long and that works, else hidden, for longer the more is hidden."""
        ending = delivery.ending
        delivery.hide_seconds = self._postponement.stretched_seconds(delivery, seconds)
        planned = self._postponement.copy(delivery, ending, seconds) if ending else None
        if ending is None or planned is None:
            self._enqueue(Action.HIDE, delivery)
        elif isinstance(planned, ParkedCopy):
            delivery.parked_copy = planned
            self._copy(delivery, Action.PARK)
        elif planned == INTERRUPTED or self._postponement.may_stay_hidden(delivery, ending):
            self._hide_instead(delivery, planned)
        else:
            self._ledger.failed(delivery, Action.PARK, planned)
            delivery.ending = cannot_be_parked(ending, planned)
            self._begin(delivery)

    def _dead_letter(self, delivery: Delivery) -> None:
        if not self._policy.dead_letters:
            self._keep(delivery, self._policy.keep_seconds)
        elif self._history.unsettled.ending_of_copy(delivery.message_id):
            delivery.copied = Disposition.DEAD_LETTERED  # by an earlier delivery, whose deletion failed
            self._delete(delivery)
        else:
            self._copy(delivery, Action.COPY)

    def _copy(self, delivery: Delivery, action: Action) -> None:
        queue = self._queues[action]
        if self._patience.fails_in_a_crowd(queue):
            self.give_up(delivery, action)
        elif self._gives_way(action):
            self._give_way(delivery, action)
        else:
            self._enqueue(action, delivery)

    def _copied(self, delivery: Delivery, disposition: Disposition) -> None:
        """The copy is confirmed, and the message is only to be deleted."""
        delivery.copied = disposition
        self._enqueue(Action.DELETE, delivery)

    def _parked_in_vain(self, delivery: Delivery, reason: str) -> None:
        """The message stays, and a copy of it is or may be parked: a duplicate, of which there must not be many."""
        if delivery.parked_copy and (delivery.copied or delivery.settle_failures):
            self._parking.in_vain(delivery.parked_copy, reason)

    def _copied_maybe(self, delivery: Delivery, action: Action) -> None:
        """Nothing more is sent, but the queue may have taken an earlier copy without confirming it."""
        if action is Action.PARK:
            self._parked_in_vain(delivery, GIVEN_UP)

    def _gives_way(self, action: Action) -> bool:
        return self._patience.gives_way(self._queues[action], self._queues[Action.HIDE])

    def _give_way(self, delivery: Delivery, action: Action) -> None:
        """Hide a message whose copy would be slow, and count that: no request has failed that would show it."""
        self._ledger.failed(delivery, action, SLOW)
        self.give_up(delivery, action)

    def _hide_instead(self, delivery: Delivery, code: str) -> None:
        """Hide a message that should be parked, and count that."""
        self._ledger.failed(delivery, Action.PARK, code)
        if code == INTERRUPTED:
            self.give_up(delivery, Action.PARK)
        else:
            self._postponement.count_unparkable()
            self._enqueue(Action.HIDE, delivery)

    def _hide(self, delivery: Delivery, seconds: float) -> None:
        delivery.hide_seconds = self._postponement.hidden_seconds(delivery, seconds)
        self._enqueue(Action.HIDE, delivery)

    def _given_up_seconds(self, delivery: Delivery) -> float:
        """For longer each time that settling it is given up."""
        return self._postponement.backoff_seconds(self._history.unsettled.given_up(delivery.message_id))

    def _enqueue(self, action: Action, delivery: Delivery) -> None:
        delivery.settle_failures = 0
        self._queues[action].put(delivery)

    def _conclude(self, delivery: Delivery, disposition: Disposition) -> None:
        """The delivery is settled; its followers, which had to wait for that, are settled next."""
        self._remember(delivery, disposition)
        self._ledger.settled(delivery, disposition)
        for follower in delivery.followers:
            follower.ending = ending_of_follower(follower, delivery, lost=disposition is Disposition.LEASE_LOST)
            follower.resolved_at = self._monotonic()
            self._begin(follower)

    def _remember(self, delivery: Delivery, disposition: Disposition) -> None:
        match disposition:
            case Disposition.DELETED | Disposition.DEAD_LETTERED | Disposition.PARKED:
                self._history.forget(delivery.message_id)
                if delivery.parked_copy:
                    self._parking.worked(delivery.parked_copy)
            case Disposition.HIDDEN | Disposition.RELEASED | Disposition.LEASE_LOST:
                self._postponement.count_undeleted()
            case _:
                assert_never(disposition)


def _comes_back(delivery: Delivery, ending: Ending) -> bool:
    """Whether catch-up brings an observed violation back from the evaluator's list, so that nothing has to keep it."""
    rule = delivery.rule
    observed = ending.outcome is Outcome.WOULD_FIX and rule is not None and rule.mode is Mode.OBSERVE
    return observed and rule is not None and rule.observed is Observed.DELETE
