"""Which buffered delivery is worked on next: fresh ones before those that come back, and neither starves.

A message that comes back has been received before: it was held, observed or failed, and was parked or hidden. However
many come back, and however long each one takes, a fresh event finds a worker: they get no more than half of the
workers. However many fresh ones there are, after a few in a row it is the turn of one that comes back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from consumer.engine.delivery import Delivery

_FRESH_IN_A_ROW = 7


class Buffer:
    """Deliveries that no worker has yet. Without a lock: `InFlight` has one around all of this."""

    def __init__(self, workers: int) -> None:
        """Between the pollers and so many workers."""
        self._most_returned = max(1, workers // 2)
        self._fresh: deque[Delivery] = deque()
        self._returned: deque[Delivery] = deque()
        self._returned_in_work = 0
        self._fresh_in_a_row = 0

    def __len__(self) -> int:
        return len(self._fresh) + len(self._returned)

    @property
    def returned(self) -> int:
        """How many of them have been received before."""
        return len(self._returned)

    def add(self, delivery: Delivery) -> None:
        """The last in its line."""
        line = self._fresh if delivery.message.fresh else self._returned
        line.append(delivery)

    def take(self) -> Delivery | None:
        """The next one to be worked on; None if there is none, or none that may be worked on now."""
        may_return = bool(self._returned) and self._returned_in_work < self._most_returned
        if may_return and (not self._fresh or self._fresh_in_a_row >= _FRESH_IN_A_ROW):
            self._fresh_in_a_row = 0
            self._returned_in_work += 1
            return self._returned.popleft()
        if not self._fresh:
            return None
        self._fresh_in_a_row += 1
        return self._fresh.popleft()

    def worked(self, deliveries: Iterable[Delivery]) -> None:
        """These were taken, and are worked on no more."""
        self._returned_in_work -= sum(1 for delivery in deliveries if not delivery.message.fresh)

    def withdraw(self) -> Delivery:
        """The one for which a worker would be free last."""
        return (self._returned or self._fresh).pop()

    def clear(self) -> tuple[Delivery, ...]:
        """All of them, in no particular order."""
        cleared = (*self._fresh, *self._returned)
        self._fresh.clear()
        self._returned.clear()
        return cleared
