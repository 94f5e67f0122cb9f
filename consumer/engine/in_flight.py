"""What is in flight: slots, the buffer between pollers and workers, and the books over both.

One lock, because the promise that the books balance (received = settled by disposition + in flight) is only kept if
every step of a delivery is counted in the moment it is taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consumer.core.outcome import Disposition
from consumer.engine.buffer import Buffer
from consumer.engine.delivery import Delivery

_ROOM_SECONDS = 0.05
"""How long a poll waits for room for what may come back, before it takes slots that are not for that."""


@dataclass(frozen=True, slots=True)
class Books:
    """One consistent look at the counters."""

    received: int
    settled: dict[Disposition, int]
    buffered: int
    working: int
    settling: int

    @property
    def in_flight(self) -> int:
        """Deliveries that are neither settled nor lost."""
        return self.buffered + self.working + self.settling

    @property
    def balanced(self) -> bool:
        """Whether every delivery ever received is settled or in flight."""
        return self.received == sum(self.settled.values()) + self.in_flight


class InFlight:
    """Every delivery from its receive to its settlement, at most `slots` of them at once."""

    def __init__(self, slots: int, *, workers: int | None = None) -> None:
        """So many slots, for so many workers; without that for as many as there are slots."""
        self.slots = slots
        self._lock = threading.Lock()
        self._slot_free = threading.Condition(self._lock)
        self._buffer_filled = threading.Condition(self._lock)
        self._emptied = threading.Condition(self._lock)
        self._buffer = Buffer(workers or slots)
        self._reserved = 0
        self._wanted: list[int] = []
        """Slots that each waiting poll needs."""
        self._received = 0
        self._working = 0
        self._settling = 0
        self._settled = dict.fromkeys(Disposition, 0)
        self._usable = slots
        """How many slots may be used now; fewer than there are while leases cannot be renewed fast enough."""
        self._closed = False

    def reserve(self, most: int, wait_seconds: float) -> int:
        """Reserve slots for a poll: `most` of them, or half of all where there are fewer than two polls' worth.

        Waiting for that many, instead of polling for every single one, is what keeps batches full under load. Not while
        much comes back: a fresh event, which the queue hands out first, would wait for that many, too. And if there is
        no room for what comes back the poll waits for some, but only for a moment, as a fresh event may be there.
        Returns 0 when there was not enough room within `wait_seconds`, or when no more may be received.
        """
        wanted = min(most, max(1, self._usable // 2))
        with self._slot_free:
            if self._buffer.returned > self._most_returned // 2:
                wanted = max(1, wanted // 4)
                self._wait_for(wanted, self._room, min(wait_seconds, _ROOM_SECONDS))
            self._wait_for(wanted, self._free, wait_seconds)
            if self._closed or self._free() < wanted:
                return 0
            self._reserved += wanted
            return wanted

    def receive(self, deliveries: Sequence[Delivery], reserved: int) -> Sequence[Delivery]:
        """Take over what a poll brought and give back the slots it had reserved.

        Returns the deliveries that came too late to be worked on; they count as received and have to be released.
        """
        with self._lock:
            self._reserved -= reserved
            self._received += len(deliveries)
            if not deliveries:
                self._emptied.notify_all()  # it may have been the last open poll
            if self._closed:
                self._settling += len(deliveries)
                return deliveries
            for delivery in deliveries:
                self._buffer.add(delivery, most_returned=self._most_returned)
            self._buffer_filled.notify(len(deliveries))
            if len(deliveries) < reserved:
                self._slot_free.notify_all()
            return ()

    def next(self, wait_seconds: float) -> Delivery | None:
        """The next delivery to be worked on, now in work; None if there was none within `wait_seconds`."""
        with self._buffer_filled:
            delivery = self._buffer.take()
            if delivery is None and not self._closed:
                self._buffer_filled.wait(wait_seconds)
                delivery = self._buffer.take()
            if delivery is not None:
                self._working += 1
                delivery.lease.in_work = True
            return delivery

    def free(self, taken: Delivery) -> None:
        """The worker that took this delivery is free again; also if the delivery waits for another worker's repair."""
        with self._lock:
            self._buffer.free(taken)
            if self._buffer.returned_may_go:
                self._buffer_filled.notify()  # one that might not be worked on before

    def worked(self, deliveries: Sequence[Delivery]) -> None:
        """These have their ending and wait to be settled."""
        with self._lock:
            self._working -= len(deliveries)
            self._settling += len(deliveries)
            self._buffer.worked(deliveries)
            self._wake_pollers(self._room())

    def limit(self, slots: int) -> None:
        """Use no more than so many slots from now on; what is in flight beyond them stays."""
        usable = min(max(1, slots), self.slots)
        if usable != self._usable:
            with self._lock:
                self._usable = usable
                self._slot_free.notify_all()

    def withdraw_untouched(self) -> Sequence[Delivery]:
        """Take the latter half of the buffer, for which a worker would be free last; it has to be released."""
        with self._lock:
            withdrawn = [self._buffer.withdraw() for _ in range((len(self._buffer) + 1) // 2)]
            self._settling += len(withdrawn)
            return withdrawn

    @property
    def settling_crowded(self) -> bool:
        """Whether more than half of the slots are settling: what is slow to settle has to give way to fresh work."""
        return self._settling > max(1, self.slots // 2)

    def settle(self, disposition: Disposition) -> None:
        """One delivery is settled and out of flight."""
        with self._lock:
            self._settling -= 1
            self._settled[disposition] += 1
            self._wake_pollers(self._free())
            if not self._in_flight():
                self._emptied.notify_all()

    def close(self) -> Sequence[Delivery]:
        """Let nothing more be worked on; returns the untouched deliveries, which have to be released."""
        with self._lock:
            self._closed = True
            untouched = self._buffer.clear()
            self._settling += len(untouched)
            self._slot_free.notify_all()
            self._buffer_filled.notify_all()
            return untouched

    @property
    def closed(self) -> bool:
        """Whether nothing more may be worked on."""
        return self._closed

    def wait_until_empty(self, wait_seconds: float) -> bool:
        """Whether everything in flight was settled and every poll was back within `wait_seconds`."""
        with self._emptied:
            return self._emptied.wait_for(lambda: not self._in_flight() and not self._reserved, wait_seconds)

    def books(self) -> Books:
        """The counters, all of the same moment."""
        with self._lock:
            return Books(self._received, dict(self._settled), len(self._buffer), self._working, self._settling)

    def _in_flight(self) -> int:
        return len(self._buffer) + self._working + self._settling

    @property
    def _most_returned(self) -> int:
        """How many slots deliveries that come back may have until they are settled: a half is left to fresh ones."""
        return max(1, self._usable // 2)

    def _wait_for(self, wanted: int, slots: Callable[[], int], wait_seconds: float) -> None:
        """Let a poll wait until there are so many slots for it, or none will be received any more."""
        self._wanted.append(wanted)
        self._slot_free.wait_for(lambda: self._closed or slots() >= wanted, wait_seconds)
        self._wanted.remove(wanted)

    def _wake_pollers(self, slots: int) -> None:
        """All that wait, for they may need different numbers; none if nobody has enough, for waking takes time."""
        if self._wanted and slots >= min(self._wanted):
            self._slot_free.notify_all()

    def _room(self) -> int:
        """How many may come back, on top of what open polls may bring, so that none is crowded out."""
        return min(self._most_returned - self._buffer.returned - self._reserved, self._free())

    def _free(self) -> int:
        return self._usable - self._reserved - self._in_flight()
