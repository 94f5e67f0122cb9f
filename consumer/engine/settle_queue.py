"""Settle queues: what waits for one kind of request, by the time from which it may be sent.

There is one queue for deletions, one for hides, one for copies to the dead-letter queue and one for parking, each with
threads of its own, so that a request that nobody answers holds up only its own kind. Deletions share requests: one
waits a moment for others, but never once there are enough for a request, once its linger is over, or when the process
is stopping.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from enum import StrEnum

from consumer.core.queue_limits import MAX_BATCH
from consumer.engine.delivery import Delivery

_SLOWER_WEIGHT, _FASTER_WEIGHT = 0.5, 0.1
"""Of the latest request in the average of how long one takes: slow ones count for more than fast ones."""


class Action(StrEnum):
    """What a settle queue's deliveries wait for."""

    DELETE = "delete"
    HIDE = "hide"
    COPY = "dead_letter"
    """To the dead-letter queue; a deletion follows."""
    PARK = "park"
    """Sent again with a delay; a deletion follows."""


class SettleQueue:
    """Deliveries that wait for one kind of request; shared by all workers and the threads that send it."""

    def __init__(
        self,
        action: Action,
        *,
        batch: int = 1,
        threads: int = 1,
        linger_seconds: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.action = action
        self._batch = batch
        self._threads = threads
        self._linger_seconds = linger_seconds
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Delivery]] = []
        """A heap by the moment from which each may be sent, lingering not counted."""
        self._sequence = itertools.count()
        """Of two with the same moment, the one that was put first is sent first."""
        self._request_seconds: float | None = None
        self._stopping = False
        self._closed = False
        self.failing = False
        """Whether the latest request failed; written by whoever sent it."""

    def put(self, delivery: Delivery, delay_seconds: float = 0.0) -> None:
        """Add a delivery, to be sent after `delay_seconds`; it may linger for company on top of that."""
        with self._changed:
            entry = (self._monotonic() + delay_seconds, next(self._sequence), delivery)
            heapq.heappush(self._waiting, entry)
            if self._waiting[0] is entry or len(self._waiting) >= self._batch or self._stopping:
                self._changed.notify()

    def take(self, wait_seconds: float) -> list[Delivery]:
        """What shares the next request; empty if nothing became due within `wait_seconds`."""
        until = self._monotonic() + wait_seconds
        with self._changed:
            while not (taken := self._take_due(self._monotonic())):
                now = self._monotonic()
                if now >= until or self._closed:
                    return []
                self._changed.wait(min(until, self._next_due(until)) - now)
            if self._waiting:
                self._changed.notify()  # another thread has to wait for what is due next
            return taken

    def took(self, seconds: float) -> None:
        """Record how long a request took, however it ended."""
        known = seconds if self._request_seconds is None else self._request_seconds
        weight = _SLOWER_WEIGHT if seconds > known else _FASTER_WEIGHT
        self._request_seconds = known + (seconds - known) * weight

    def pace_seconds(self, assumed: float = 0.0) -> float:
        """How long a message has taken lately, all threads together; `assumed` stands in before the first."""
        known = self._request_seconds
        return (assumed if known is None else known) / self._threads

    @property
    def waiting(self) -> int:
        """How many wait, due or not."""
        return len(self._waiting)

    def drain(self) -> list[Delivery]:
        """Everything that waits, due or not."""
        with self._changed:
            drained = [delivery for _, _, delivery in self._waiting]
            self._waiting.clear()
            return drained

    def hurry(self) -> None:
        """The process is stopping: let nothing linger any more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more will come: wake every thread that waits here."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def stopping(self) -> bool:
        """Whether the process is stopping."""
        return self._stopping

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        return self._closed

    def _take_due(self, now: float) -> list[Delivery]:
        due = sum(1 for at, _, _ in self._waiting if at <= now)
        if not due:
            return []
        lingered = self._waiting[0][0] + self._linger() <= now
        if not lingered and due < self._batch:
            return []
        return [heapq.heappop(self._waiting)[2] for _ in range(min(due, self._batch))]

    def _next_due(self, otherwise: float) -> float:
        """The latest moment for the next look, which a full batch may bring forward."""
        return self._waiting[0][0] + self._linger() if self._waiting else otherwise

    def _linger(self) -> float:
        return 0.0 if self._stopping else self._linger_seconds


def settle_queues(
    linger_seconds: float, *, threads: int = 1, monotonic: Callable[[], float] = time.monotonic
) -> dict[Action, SettleQueue]:
    """One empty settle queue for each kind of request; deletions share theirs."""
    return {
        Action.DELETE: SettleQueue(Action.DELETE, batch=MAX_BATCH, linger_seconds=linger_seconds, monotonic=monotonic),
        Action.HIDE: SettleQueue(Action.HIDE, threads=threads, monotonic=monotonic),
        Action.COPY: SettleQueue(Action.COPY, threads=threads, monotonic=monotonic),
        Action.PARK: SettleQueue(Action.PARK, threads=threads, monotonic=monotonic),
    }
