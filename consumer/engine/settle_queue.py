"""What waits to be settled, in the order in which it is best sent: deletions in batches, the rest one by one.

A deletion waits a moment for others to share its request; it never waits once there are sixteen, once its linger is
over, or when the process is stopping.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from consumer.core.queue_limits import MAX_BATCH
from consumer.engine.resolved import Resolved


class Step(StrEnum):
    """The next request that a settlement needs."""

    DELETE = "delete"
    HIDE = "hide"
    COPY = "dead_letter"
    """To the dead-letter queue; a deletion follows."""
    NOTHING = "nothing"


@dataclass(slots=True)
class Job:
    """One settlement under way; owned by whoever took it out of the outbox."""

    resolved: Resolved
    step: Step
    hide_seconds: int = 0
    dead_lettered: bool = False
    """A confirmed copy is in the dead-letter queue."""
    failures: int = 0
    """Requests that did not work out so far."""


class Outbox:
    """Jobs by the time from which they may be sent; shared by workers and settlers."""

    def __init__(self, linger_seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._linger_seconds = linger_seconds
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._deletes: list[tuple[float, int, Job]] = []
        self._others: list[tuple[float, int, Job]] = []
        self._sequence = 0
        self._hurry = False
        self._closed = False

    def put(self, job: Job, delay_seconds: float = 0.0) -> None:
        """Add a job, to be sent after `delay_seconds`; a deletion may linger for company on top of that."""
        with self._changed:
            self._sequence += 1
            due = self._monotonic() + delay_seconds
            if job.step is Step.DELETE:
                entry = (due + self._linger_seconds, self._sequence, job)
                heapq.heappush(self._deletes, entry)
                sooner = self._deletes[0] is entry or len(self._deletes) >= MAX_BATCH or self._hurry
            else:
                entry = (due, self._sequence, job)
                heapq.heappush(self._others, entry)
                sooner = self._others[0] is entry
            if sooner:
                self._changed.notify()

    def hurry(self) -> None:
        """The process is stopping: let nothing linger any more."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more will come: let nobody wait here any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, wait_seconds: float) -> list[Job]:
        """Up to sixteen deletions, or one other job; empty if nothing became due within `wait_seconds`."""
        until = self._monotonic() + wait_seconds
        with self._changed:
            while True:
                now = self._monotonic()
                if jobs := self._due(now):
                    if self._deletes or self._others:
                        self._changed.notify()  # whoever waits now has to watch over what is left
                    return jobs
                if now >= until or self._closed:
                    return []
                self._changed.wait(min(until, self._next_due(until)) - now)

    def _due(self, now: float) -> list[Job]:
        """What may be sent now; between a batch of deletions and another job, what has waited longer."""
        ripe = sum(1 for due, _, _ in self._deletes if due - self._linger_seconds <= now)
        waited = bool(self._deletes) and self._deletes[0][0] <= now
        batch_ready = bool(ripe) and (waited or self._hurry or ripe >= MAX_BATCH)
        other_ready = bool(self._others) and self._others[0][0] <= now
        if other_ready and not (batch_ready and self._deletes[0][0] < self._others[0][0]):
            return [heapq.heappop(self._others)[2]]
        if batch_ready:
            return [heapq.heappop(self._deletes)[2] for _ in range(min(ripe, MAX_BATCH))]
        return []

    def _next_due(self, otherwise: float) -> float:
        first = [jobs[0][0] for jobs in (self._deletes, self._others) if jobs]
        return min(first, default=otherwise)
