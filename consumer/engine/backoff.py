"""The second level of retries, across deliveries: how long a failed message stays hidden, and when it is enough.

An attempt is a delivery that this process itself carried to `failed`, and nothing else. The queue's dequeue count
also rises for holds, hand-backs and lost leases, and replicas share no state, so it cannot tell a message that failed
from one that was only looked at. The count is kept in memory: after a restart, or on another replica, it begins anew,
which gives a message more attempts than configured and never fewer. See docs/decisions/0003-attempts.md.
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
        return max(1, min(round(jitter(full / 2, full)), MAX_VISIBILITY_SECONDS))


class Attempts:
    """How often each message has failed here; shared by all workers."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._failures: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def failed(self, message_id: str) -> int:
        """Count one more failure; returns how many there are now."""
        with self._lock:
            count = self._failures.pop(message_id, 0) + 1
            self._failures[message_id] = count
            if len(self._failures) > self._remembered:
                self._failures.popitem(last=False)
            return count

    def of(self, message_id: str) -> int:
        """How often the message has failed here."""
        return self._failures.get(message_id, 0)

    def forget(self, message_id: str) -> None:
        """The message is out of the queue."""
        with self._lock:
            self._failures.pop(message_id, None)
