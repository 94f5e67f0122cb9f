"""How many changes may be made in how little time: one sliding window for each rule, one for all. Pure, thread-safe.

A change is counted from the moment before it is made until a window after it ended, so that no window of that length
ever holds more changes than the limit, however long a change takes. `LocalLimits` is this process's own state;
`consumer.guards.shared.limits` counts for all replicas together.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from consumer.resources.base import Resource

_LONGEST_LINE = 10_000
"""Waiting deliveries whose turns are kept apart; more than that share the last one's."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many changes in any window of that length."""

    max_changes: int
    window_seconds: float

    def __str__(self) -> str:
        return f"{self.max_changes} changes in {self.window_seconds:g} s"


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A limit has no room for one more change now."""

    text: str
    """Which limit, for a person."""
    wait_seconds: float
    """After which there should be room for this one and for those that have waited longer."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A place under every limit that binds a rule, for one change."""

    rule: str
    entry: str = ""
    """Its name where replicas share the limits."""


class Limits(Protocol):
    """What counts changes: `LocalLimits` for one process, `SharedLimits` for several.

    `now` is the process's monotonic clock, in seconds; what is shared has a clock of its own.
    """

    def reserve(self, rule: str, now: float) -> LimitReached | Reservation:
        """Take a place under every limit that binds this rule, or none and say which has no room.

        Raises:
            SharedUnreachable: it is not known whether there is room.
        """
        ...

    def conclude(self, reservation: Reservation, now: float | None) -> None:
        """The change was made at that moment; None gives the places back, it was not made. Never fails."""
        ...

    def rehearse(self, rule: str, resource: Resource, now: float) -> str:
        """For a rule that observes: which of its own limits would hold the change back, or nothing.

        A resource counts once in a window, however often its event is looked at.
        """
        ...

    def taken(self, now: float) -> dict[str, int]:
        """Changes in each rule's window now; under the empty name those in the window of all rules."""
        ...

    def limits(self) -> dict[str, int]:
        """The most changes of each window, by the same names."""
        ...


class Window:
    """What happened under one limit; the caller holds a lock."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._under_way = 0
        self._ended: deque[float] = deque()
        self._turns: deque[float] = deque()
        """Moments that were named to deliveries without room, the earliest first."""

    def taken(self, now: float) -> int:
        """Changes under way or ended within the window."""
        while self._ended and self._ended[0] <= now - self.limit.window_seconds:
            self._ended.popleft()
        return self._under_way + len(self._ended)

    def begin(self) -> None:
        """A change is about to be made."""
        self._under_way += 1

    def end(self, now: float | None) -> None:
        """It was made at that moment, or it was not made at all."""
        self._under_way -= 1
        if now is not None:
            self._ended.append(now)

    def next_turn(self, now: float) -> float:
        """Seconds until one more delivery without room may expect some.

        Without an order, all that wait would come back at once, again and again, for a few places each time.
        """
        while self._turns and self._turns[0] <= now:
            self._turns.popleft()
        rounds, place = divmod(len(self._turns), self.limit.max_changes)
        begins = self._ended[place] if place < len(self._ended) else now
        turn = begins + (rounds + 1) * self.limit.window_seconds
        if len(self._turns) < _LONGEST_LINE:
            self._turns.append(turn)
        return max(turn - now, 0.0)


class ObservedLimits:
    """Which resources observing rules would have changed in their windows; the caller holds a lock."""

    def __init__(self, rules: Mapping[str, Limit]) -> None:
        self._rules = rules
        self._seen: dict[str, OrderedDict[Resource, float]] = {name: OrderedDict() for name in rules}

    def full(self, rule: str, resource: Resource, now: float) -> str:
        """The limit that would hold the change back, or nothing."""
        limit = self._rules.get(rule)
        if limit is None:
            return ""
        seen = self._seen[rule]
        while seen and next(iter(seen.values())) <= now - limit.window_seconds:
            seen.popitem(last=False)
        if resource in seen:
            return ""
        if len(seen) >= limit.max_changes:
            return limit_text(rule, limit)
        seen[resource] = now
        return ""


class LocalLimits:
    """The limit on everything and those of single rules, in this process; used by all workers."""

    def __init__(self, overall: Limit | None = None, rules: Mapping[str, Limit] | None = None) -> None:
        self._windows = {name: Window(limit) for name, limit in (rules or {}).items()}
        if overall:
            self._windows[""] = Window(overall)
        self._rehearsal = ObservedLimits(dict(rules or {}))
        self._lock = threading.Lock()

    def reserve(self, rule: str, now: float) -> LimitReached | Reservation:
        """Take a place under every limit that binds this rule, or none and say which has no room."""
        with self._lock:
            for name, window in self._binding(rule):
                if window.taken(now) >= window.limit.max_changes:
                    return LimitReached(limit_text(name, window.limit), window.next_turn(now))
            for _, window in self._binding(rule):
                window.begin()
        return Reservation(rule)

    def conclude(self, reservation: Reservation, now: float | None) -> None:
        """The change for which places were taken was made at that moment; None gives them back, it was not made."""
        with self._lock:
            for _, window in self._binding(reservation.rule):
                window.end(now)

    def rehearse(self, rule: str, resource: Resource, now: float) -> str:
        """For a rule that observes: which of its own limits would hold the change back, or nothing."""
        with self._lock:
            return self._rehearsal.full(rule, resource, now)

    def taken(self, now: float) -> dict[str, int]:
        """Changes in each rule's window now; under the empty name those in the window of all rules."""
        with self._lock:
            return {name: window.taken(now) for name, window in self._windows.items()}

    def limits(self) -> dict[str, int]:
        """The most changes of each window, by the same names."""
        return {name: window.limit.max_changes for name, window in self._windows.items()}

    def _binding(self, rule: str) -> list[tuple[str, Window]]:
        return [(name, self._windows[name]) for name in dict.fromkeys((rule, "")) if name in self._windows]


def limit_text(name: str, limit: Limit) -> str:
    """A limit for a person; that on all rules together has no name."""
    return f"the rule's limit of {limit}" if name else f"the limit of {limit} for all rules"
