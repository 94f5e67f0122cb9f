"""For how long messages are kept, and how hard settling is tried: bounded in tries, in time and in slots."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from consumer.core.errors import DamagedReply, Retryable, ServiceError, Unanswered, Unavailable
from consumer.engine.backoff import Backoff
from consumer.engine.delivery import Delivery
from consumer.engine.in_flight import InFlight
from consumer.engine.settle_queue import Action, SettleQueue

_TRIES_WHILE_STOPPING = 2
_TRIES_OF_A_PARK = 2
"""Where the queue may have taken the copy: each try may be one more copy, and hiding is as good."""

_ASSUMED_SECONDS = 0.25
"""How long hiding a message takes before any was hidden: rather too long than too short."""


@dataclass(frozen=True, slots=True)
class SettlePolicy:
    """For how long messages are kept, and how hard settling is tried."""

    backoff: Backoff
    hold_seconds: float = 900.0
    """For held and observed deliveries whose rule says nothing else."""
    dead_letters: bool = True
    """Whether there is a dead-letter queue."""
    keep_seconds: float = 3_600.0
    """For a message that cannot succeed and cannot be dead-lettered."""
    retry_seconds: float = 0.5
    """The first pause before a request is tried again; it doubles up to 16 times as much."""
    max_tries: int = 5
    """Tries of one request before the message is hidden instead, the first one included."""
    max_seconds: float = 30.0
    """How long after its ending a delivery may still be tried to be deleted, copied or parked."""
    slow_seconds: float = 3.0
    """Copies give way to fresh work if the slots are crowded and hiding would free theirs so much sooner."""


class Patience:
    """Whether a request that failed, or has to wait, is worth its slot any longer."""

    def __init__(
        self, policy: SettlePolicy, in_flight: InFlight, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._policy = policy
        self._in_flight = in_flight
        self._monotonic = monotonic

    def pause_seconds(self, failures: int) -> float:
        """How long to wait after the n-th failure of a request."""
        return self._policy.retry_seconds * 2.0 ** min(failures - 1, 4)

    def may_retry(self, delivery: Delivery, queue: SettleQueue, error: ServiceError, pause_seconds: float) -> bool:
        """Whether a request that failed is to be sent again after a pause."""
        if not isinstance(error, Retryable):
            return False
        if queue.stopping:
            # A hide is all that brings the message to another replica at once, so it is tried until the grace is over.
            return queue.action is Action.HIDE or delivery.settle_failures < _TRIES_WHILE_STOPPING
        unclear = queue.action is Action.PARK and isinstance(error, Unanswered | DamagedReply | Unavailable)
        if delivery.settle_failures >= (_TRIES_OF_A_PARK if unclear else self._policy.max_tries):
            return False
        if queue.action is Action.HIDE:
            return True
        late = self._monotonic() + pause_seconds >= delivery.resolved_at + self._policy.max_seconds
        return not late and not self._in_flight.settling_crowded

    def over(self, delivery: Delivery) -> bool:
        """Whether a delivery has waited for so long that requests which fail are not worth its slot."""
        return self.waited_seconds(delivery) >= self._policy.max_seconds

    def fails_in_a_crowd(self, queue: SettleQueue) -> bool:
        """Whether requests of this kind fail while slots are scarce."""
        return queue.failing and self._in_flight.settling_crowded

    def gives_way(self, copies: SettleQueue, hides: SettleQueue) -> bool:
        """Whether copies occupy slots that hiding the messages would free for fresh work much sooner.

        Not if they are copied quickly, nor if hiding would take as long: the messages would only come back, and cost
        the same again.
        """
        saved_seconds = copies.waiting * (copies.pace_seconds() - hides.pace_seconds(_ASSUMED_SECONDS))
        return saved_seconds > self._policy.slow_seconds and self._in_flight.settling_crowded

    def waited_seconds(self, delivery: Delivery) -> float:
        """How long ago the delivery had its ending."""
        return self._monotonic() - delivery.resolved_at
