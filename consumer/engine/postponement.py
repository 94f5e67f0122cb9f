"""How a message waits that is not settled for good: parked or hidden, and for how long.

Parking says what can be parked; here that is weighed against the service's limit on messages that are not deleted.
Nothing is sent here, and no delivery is changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from consumer.core.outcome import SETTLED_BY, Ending, Outcome, Settlement
from consumer.core.queue_limits import MAX_VISIBILITY_SECONDS
from consumer.engine.backoff import Backoff
from consumer.engine.delivery import Delivery
from consumer.engine.parked_copy import ParkedCopy
from consumer.engine.parking import Parking
from consumer.engine.settle_policy import SettlePolicy
from consumer.engine.undeleted_limit import UndeletedLimit

CROWDED = "crowded"
"""The reason of a delivery that has come back and is held because others that came back have all slots for that."""

_CROWDED_BACKOFF = Backoff(2.0)

_UNPARKABLE_SHARE = 0.25
"""So much of the limit of undeleted messages is for those that can never be parked; more of them are dead-lettered."""


class Postponement:
    """Whether and how long messages wait; one for the process, shared by workers and settlers."""

    def __init__(
        self,
        policy: SettlePolicy,
        parking: Parking,
        undeleted: UndeletedLimit,
        *,
        jitter: Callable[[float, float], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.parking = parking
        self._policy = policy
        self._undeleted = undeleted
        self._unparkable = UndeletedLimit(max(1, int(undeleted.most * _UNPARKABLE_SHARE)))
        """Of what is not deleted, what can never be parked."""
        self._jitter = jitter
        self._monotonic = monotonic

    def backoff_seconds(self, failures: int) -> int:
        """How long a message waits after its n-th failure, or after settling it was given up for the n-th time."""
        return self._policy.backoff.seconds(failures, self._jitter)

    def crowded_out(self, delivery: Delivery) -> Ending:
        """The ending of a delivery for which there is no slot: held, for longer the more often it came, and no attempt.

        At first for a moment only, for it may have been released without having been worked on.
        """
        rule = delivery.rule
        longest = self._policy.hold_seconds if rule is None else rule.hold_seconds
        seconds = min(_CROWDED_BACKOFF.seconds(delivery.message.receipts - 1, self._jitter), longest)
        detail = "other messages that came back have all slots for that"
        return Ending(Outcome.HELD, CROWDED, detail, hold_seconds=seconds)

    def hidden_seconds(self, delivery: Delivery, seconds: float) -> int:
        """For how long to hide a message that should be hidden for so long: never past its retention."""
        bounded = self.parking.hidden_for(delivery.message, delivery.received_at, seconds)
        return min(max(round(bounded), 1), MAX_VISIBILITY_SECONDS)

    def stretched_seconds(self, delivery: Delivery, seconds: float) -> int:
        """The same for a message that has to wait: for longer the more is hidden."""
        return self.hidden_seconds(delivery, self._undeleted.stretched(seconds, self._monotonic()))

    def copy(self, delivery: Delivery, ending: Ending, seconds: float) -> ParkedCopy | str | None:
        """The copy by which to park the message, or the code of why it cannot be parked; None if it is to be hidden."""
        scarce = self._undeleted.scarce(self._monotonic())
        if scarce or self.parking.wanted(delivery.message, delivery.received_at, seconds):
            return self.parking.copy(delivery, ending, seconds)
        return None

    def may_stay_hidden(self, delivery: Delivery, ending: Ending) -> bool:
        """Whether a message that can never be parked may be hidden: while such are few, and it does not expire.

        It is dead-lettered otherwise, if there is a queue that takes it: it must not keep fresh events waiting.
        """
        if not self._policy.dead_letters or SETTLED_BY[ending.outcome] is Settlement.DEAD_LETTER:
            return True
        if self._unparkable.count(self._monotonic()) >= self._unparkable.most:
            return False
        return not self.parking.expires(delivery.message, delivery.received_at, delivery.hide_seconds)

    def count_unparkable(self) -> None:
        """One more message is hidden that can never be parked."""
        self._unparkable.not_deleted(self._monotonic())

    def count_undeleted(self) -> None:
        """One more delivery has ended without a deletion."""
        self._undeleted.not_deleted(self._monotonic())
