"""Keeps this consumer below the service's throttle on consumers that receive without deleting.

The service slows a client down that has received 5,000 messages without deleting them within 30 minutes. Every hidden,
released or lost delivery counts towards that, so polling pauses before it comes so far; what is in hand goes on.

Limit: https://www.alibabacloud.com/help/en/mns/product-overview/limits (abnormal consumption)
"""

from __future__ import annotations

import threading
from collections import deque

WINDOW_SECONDS = 1_800.0


class ConsumptionLimit:
    """Counts deliveries that ended without a deletion within the window."""

    def __init__(self, most: int, window_seconds: float = WINDOW_SECONDS) -> None:
        self._most = most
        self._window_seconds = window_seconds
        self._moments: deque[float] = deque()
        self._lock = threading.Lock()

    def not_deleted(self, now: float) -> None:
        """One more delivery ended without a deletion."""
        with self._lock:
            self._moments.append(now)

    def pause_seconds(self, now: float) -> float:
        """How long polling should pause; 0 while the count is below the limit."""
        with self._lock:
            while self._moments and self._moments[0] <= now - self._window_seconds:
                self._moments.popleft()
            if len(self._moments) < self._most:
                return 0.0
            return self._moments[0] + self._window_seconds - now

    def count(self) -> int:
        """Deliveries in the window, as of the last look."""
        return len(self._moments)
