"""Keeps this consumer below the service's throttle on consumers that receive without deleting.

The service slows a key down that has received 5,000 messages without deleting them within 30 minutes; all replicas
that sign with the key share that. Every hidden, released or lost delivery counts. From a quarter of the limit on short
waits are parked too, which does not count; where that does not work, messages are hidden for longer as the count rises,
so that they come back less often. Beyond four fifths of the limit the rest is a reserve for messages that come for the
first time: polls are paced so that it lasts for a whole window. What is deleted costs nothing, so fresh events that can
be repaired are received one after the other all the while.

Limit: https://www.alibabacloud.com/help/en/mns/product-overview/limits (abnormal consumption)
"""

from __future__ import annotations

import threading
from collections import deque

WINDOW_SECONDS = 1_800.0

_SCARCE_FROM = 0.25
"""From this share of the limit on, short waits are parked as well."""
_RESERVE_SHARE = 0.2
_STRETCH_FROM = 0.1
"""From this share of the limit on, times are stretched: doubled for each further twentieth."""
_MOST_STRETCHED = 8.0
"""No more than so many times, or what failed in an outage of minutes would come back after hours."""
LONGEST_STRETCHED_SECONDS = 3_600.0
"""Nothing is hidden for longer than this only because there is much that is hidden."""
_RECHECK_SECONDS = 0.1


class UndeletedLimit:
    """Counts deliveries that ended without a deletion within the window; shared by all threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.unreserved = most - int(most * _RESERVE_SHARE)
        """From so many on, the rest is the reserve."""
        self._pace_seconds = WINDOW_SECONDS / max(1, most - self.unreserved)
        """Between two deliveries out of the reserve that are not deleted."""
        self._moments: deque[float] = deque()
        self._lock = threading.Lock()

    def not_deleted(self, now: float) -> None:
        """One more delivery ended without a deletion."""
        with self._lock:
            self._moments.append(now)

    def count(self, now: float) -> int:
        """Deliveries that ended without a deletion within the window."""
        with self._lock:
            return self._count(now)

    def scarce(self, now: float) -> bool:
        """Whether so much is hidden already that nothing more should be that can be parked."""
        return self.count(now) >= self.most * _SCARCE_FROM

    def stretched(self, seconds: float, now: float) -> float:
        """For how long to hide what would be hidden for `seconds` if there were little that is hidden."""
        doublings = max(0.0, (self.count(now) / self.most - _STRETCH_FROM) * 20)
        stretch = min(2**doublings, _MOST_STRETCHED)
        return max(seconds, min(seconds * stretch, LONGEST_STRETCHED_SECONDS))

    def room(self, in_flight: int, now: float) -> int:
        """How many messages may be received now, if everything in flight may end without a deletion."""
        with self._lock:
            return max(0, self._room(in_flight, now))

    def pause_seconds(self, in_flight: int, now: float) -> float:
        """How long polling should pause; 0 while there is room for a message."""
        with self._lock:
            if self._room(in_flight, now) > 0:
                return 0.0
            if in_flight:
                return _RECHECK_SECONDS  # what is in flight may still be deleted, which makes room at once
            if len(self._moments) >= self.most:
                return self._moments[0] + WINDOW_SECONDS - now
            return max(self._moments[-1] + self._pace_seconds - now, _RECHECK_SECONDS)

    def _room(self, in_flight: int, now: float) -> int:
        count = self._count(now)
        if count < self.unreserved:
            return self.unreserved - count - in_flight
        paced = int((now - self._moments[-1]) / self._pace_seconds)
        return min(paced, self.most - count) - in_flight

    def _count(self, now: float) -> int:
        while self._moments and self._moments[0] <= now - WINDOW_SECONDS:
            self._moments.popleft()
        return len(self._moments)
