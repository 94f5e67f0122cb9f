"""The second level of retries, across deliveries: how long a failed message stays hidden, and when it is enough.

An attempt is a delivery that was carried to `failed`, and nothing else. The queue's dequeue count also rises for holds,
releases and lost leases, so it cannot distinguish a message that failed from one that was only looked at. The count is
kept in memory, and travels with a parked copy over replicas and restarts. What a copy claims may be forged: it never
lowers what this process knows, and only a failure that happens here makes it enough. See
docs/decisions/0003-attempts.md.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from consumer.core.queue_limits import MAX_VISIBILITY_SECONDS

_REMEMBERED = 65_536
"""Messages whose failures are remembered; the longest unseen are forgotten first and begin anew."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, with jitter, up to what the queue allows."""

    base_seconds: float = 30.0
    cap_seconds: float = 3_600.0

    def seconds(self, attempts: int, jitter: Callable[[float, float], float]) -> int:
        """How long to hide a message after its n-th failure: between half of the full pause and all of it."""
        doublings = min(max(attempts, 1) - 1, 32)  # 2**32 pauses is past every cap; more would only be a large number
        full = min(self.base_seconds * 2**doublings, self.cap_seconds, MAX_VISIBILITY_SECONDS)
        return max(1, round(jitter(full / 2, full)))


@dataclass(frozen=True, slots=True)
class _Count:
    total: int = 0
    """With what copies have claimed."""
    seen: int = 0
    """Of them, those that happened in this process."""


_NONE = _Count()


class Attempts:
    """How often each message has failed; shared by all workers."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._failures: OrderedDict[str, _Count] = OrderedDict()
        self._lock = threading.Lock()

    def failed(self, message_id: str, claimed: int = 0) -> int:
        """Count one more failure of a message that claims so many; returns how many there are now."""
        with self._lock:
            known = self._failures.get(message_id, _NONE)
            count = _Count(max(known.total, claimed) + 1, known.seen + 1)
            self._remember(message_id, count)
            return count.total

    def of(self, message_id: str, claimed: int = 0) -> int:
        """How often a message has failed that claims so many."""
        return max(self._failures.get(message_id, _NONE).total, claimed)

    def seen(self, message_id: str) -> int:
        """How often the message has failed in this process, its earlier copies included."""
        return self._failures.get(message_id, _NONE).seen

    def carry(self, message_id: str, copy_id: str) -> None:
        """The message goes on as a copy, which is known here even if the queue loses what travels with it."""
        with self._lock:
            if known := self._failures.get(message_id):
                self._remember(copy_id, known)

    def _remember(self, message_id: str, count: _Count) -> None:
        self._failures.pop(message_id, None)
        self._failures[message_id] = count
        if len(self._failures) > self._remembered:
            self._failures.popitem(last=False)

    def forget(self, message_id: str) -> None:
        """The message is out of the queue."""
        with self._lock:
            self._failures.pop(message_id, None)
