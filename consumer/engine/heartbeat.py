"""Measured progress: every thread announces what it does now and when the next announcement is due.

Liveness is judged by this alone, never by whether a dependency answers: a thread that waits for a slow server within
its deadline is alive, one that has missed its own announcement is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_IDLE_SECONDS = 5.0


class Heartbeat:
    """One thread's announcements; written by that thread, read by the supervisor."""

    idle_seconds = _IDLE_SECONDS
    """How long a thread with nothing to do waits before it shows that it is alive."""

    def __init__(self, name: str, longest_seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._longest_seconds = longest_seconds
        self._monotonic = monotonic
        self._announced: tuple[str, float] = (
            "starting",
            monotonic() + longest_seconds,
        )  # one tuple: replaced as a whole
        self._excused_until = 0.0

    def beat(self, doing: str, silent_seconds: float = 0.0) -> None:
        """Announce what begins now; the next one is due within the usual longest time after an intended silence.

        That time is on top of every silence, however short: a suspended process that wakes too early to be excused
        has lost some seconds in whatever it was doing.
        """
        self._announced = (doing, self._monotonic() + silent_seconds + self._longest_seconds)

    def rest(self) -> None:
        """Announce that there is nothing to do; the next beat follows within the idle time."""
        self.beat("idle", self.idle_seconds)

    def excuse(self) -> None:
        """Start the current announcement's time anew, because nothing in the process could run."""
        self._excused_until = self._monotonic() + self._longest_seconds

    def overdue(self) -> str:
        """What the thread was doing when it fell silent, or nothing while it is in time."""
        doing, until = self._announced
        return doing if self._monotonic() > max(until, self._excused_until) else ""
