"""Which buffered delivery is worked on next: fresh ones before those that come back, and neither starves.

A message that comes back has been received before: it was held, observed or failed, and was parked or hidden. However
many come back, and however long each one takes, a fresh event finds a worker and a slot: they get no more than half of
the workers and of the slots. A receive cannot choose, so what it brings beyond that is crowded out: any worker decodes
it at once and lets it wait once more. However many fresh ones there are, after a few in a row it is the turn of one
that comes back.
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
        self._most_working = max(1, workers // 2)
        """Workers that may be busy with deliveries that come back."""
        self._fresh: deque[Delivery] = deque()
        self._returned: deque[Delivery] = deque()
        self._crowded_out: deque[Delivery] = deque()
        self._busy = 0
        """Workers that are busy with a delivery that comes back."""
        self._fresh_in_a_row = 0
        self.returned = 0
        """Deliveries that come back and are waiting or in work, those that are crowded out left aside."""

    def __len__(self) -> int:
        return len(self._fresh) + len(self._returned) + len(self._crowded_out)

    def add(self, delivery: Delivery, *, most_returned: int) -> None:
        """The last in its line; crowded out if so many that come back have slots already."""
        if delivery.message.fresh:
            self._fresh.append(delivery)
        elif self.returned < most_returned:
            self.returned += 1
            self._returned.append(delivery)
        else:
            delivery.crowded_out = True
            self._crowded_out.append(delivery)

    def take(self) -> Delivery | None:
        """The next one to be worked on; None if there is none, or none that may be worked on now."""
        if self._crowded_out:
            return self._crowded_out.popleft()  # takes no time, and gives its slot back
        if self.returned_may_go and (not self._fresh or self._fresh_in_a_row >= _FRESH_IN_A_ROW):
            self._fresh_in_a_row = 0
            self._busy += 1
            return self._returned.popleft()
        if not self._fresh:
            return None
        self._fresh_in_a_row += 1
        return self._fresh.popleft()

    @property
    def returned_may_go(self) -> bool:
        """Whether one that comes back is waiting, and one more of them may be worked on."""
        return bool(self._returned) and self._busy < self._most_working

    def free(self, taken: Delivery) -> None:
        """The worker that took this one is free again, whether it is worked on or waits for its group."""
        self._busy -= _has_slot(taken)

    def worked(self, deliveries: Iterable[Delivery]) -> None:
        """These were taken, and are worked on no more."""
        self.returned -= sum(map(_has_slot, deliveries))

    def withdraw(self) -> Delivery:
        """The one for which a worker would be free last."""
        withdrawn = (self._returned or self._crowded_out or self._fresh).pop()
        self.returned -= _has_slot(withdrawn)
        return withdrawn

    def clear(self) -> tuple[Delivery, ...]:
        """All of them, in no particular order; nothing is added afterwards."""
        cleared = (*self._fresh, *self._returned, *self._crowded_out)
        for line in (self._fresh, self._returned, self._crowded_out):
            line.clear()
        return cleared


def _has_slot(delivery: Delivery) -> bool:
    """Whether it has one of the slots that are for what comes back."""
    return not delivery.message.fresh and not delivery.crowded_out
