"""Stops a rule's changes while too many of them fail. Pure, thread-safe; state is this process's own.

    closed ──▶ open ──cool-down──▶ one probe ──it works──▶ closed
                 ▲                     │
                 └──────it fails───────┘

Only attempts to change count: a look that fails says nothing about what changing would do.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When changes stop, and for how long."""

    attempts: int = 20
    """How many of the latest attempts are judged."""
    min_attempts: int = 5
    """Fewer than these prove nothing."""
    max_failure_share: float = 0.5
    """At this share of failures changes stop."""
    cool_down_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Admission:
    """Leave for one attempt."""

    era: int
    """Which stretch between openings and closings it belongs to; results of an earlier one count no more."""
    probe: bool


@dataclass(frozen=True, slots=True)
class Open:
    """No leave now."""

    wait_seconds: float


class Breaker:
    """One rule's breaker; shared by all workers."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._failed: deque[bool] = deque(maxlen=policy.attempts)
        self._opened_at: float | None = None
        self._probing = False
        self._era = 0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether changes are stopped, the wait for the probe's result included."""
        return self._opened_at is not None

    def admit(self, now: float) -> Admission | Open:
        """Leave for one attempt, whose result has to be told with `record`."""
        with self._lock:
            if self._opened_at is None:
                return Admission(self._era, probe=False)
            left = self._opened_at + self._policy.cool_down_seconds - now
            if left > 0:
                return Open(left)
            if self._probing:
                return Open(self._policy.cool_down_seconds)
            self._probing = True
            return Admission(self._era, probe=True)

    def record(self, admission: Admission, *, failed: bool | None, now: float) -> None:
        """What an attempt came to; None if it says nothing about whether changes work."""
        with self._lock:
            if admission.era != self._era:
                return
            if admission.probe:
                self._probing = False
            if failed is None:
                return
            self._failed.append(failed)
            if admission.probe:
                self._turn(now if failed else None)
            elif self._too_many():
                self._turn(now)

    def release(self) -> None:
        """Close it, because a person says that the cause is gone."""
        with self._lock:
            self._turn(None)

    def _too_many(self) -> bool:
        seen = len(self._failed)
        return seen >= self._policy.min_attempts and sum(self._failed) >= self._policy.max_failure_share * seen

    def _turn(self, opened_at: float | None) -> None:
        self._opened_at = opened_at
        self._probing = False
        self._era += 1
        self._failed.clear()
