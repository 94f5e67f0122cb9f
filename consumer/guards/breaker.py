"""Stops a rule's changes while too many of them fail. Pure, thread-safe.

    closed ──▶ open ──cool-down──▶ one probe ──it works──▶ closed
                 ▲                     │
                 └──────it fails───────┘

Only attempts to change count: a look that fails says nothing about what changing would do. Judged are resources, each
by its latest attempt, so that one of them cannot stop a rule by failing again and again; and the probe goes to a
resource that has not failed, if one is waiting, so that the worst of them does not keep the rule stopped.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When changes stop, and for how long."""

    attempts: int = 20
    """How many resources are judged: those of the latest attempts, each by its latest one."""
    min_attempts: int = 5
    """Fewer resources than these prove nothing."""
    max_failure_share: float = 0.5
    """At this share of failures changes stop."""
    cool_down_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Admission:
    """Permission for one attempt."""

    rule: str
    resource: str
    era: int
    """Which stretch between openings and closings it belongs to; results of an earlier one count no more."""
    probe: bool


@dataclass(frozen=True, slots=True)
class BreakerOpen:
    """No attempt may be made now."""

    wait_seconds: float


class Breakers(Protocol):
    """One breaker for each rule: `LocalBreakers` for one process, `SharedBreakers` for several.

    `now` is the process's monotonic clock, in seconds; what is shared has a clock of its own.
    """

    def admit(self, rule: str, resource: str, now: float) -> Admission | BreakerOpen:
        """Permission for one attempt, whose result has to be recorded.

        Raises:
            SharedUnreachable: it is not known whether the rule's changes are stopped.
        """
        ...

    def record(self, admission: Admission, *, failed: bool | None, now: float) -> None:
        """The result of an attempt; None if it says nothing about whether changes work. Never fails."""
        ...

    def release(self) -> None:
        """Close all, because a person says that the cause is gone."""
        ...

    def open_rules(self) -> frozenset[str] | None:
        """The rules whose changes are stopped, the wait for a probe's result included; None if that is not known."""
        ...


class LocalBreakers:
    """The breakers of this process; used by all workers."""

    def __init__(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self._breakers: dict[str, Breaker] = {}

    def admit(self, rule: str, resource: str, now: float) -> Admission | BreakerOpen:
        """Permission for one attempt, whose result has to be recorded."""
        return self._breakers.setdefault(rule, Breaker(self._policy, rule)).admit(resource, now)

    def record(self, admission: Admission, *, failed: bool | None, now: float) -> None:
        """The result of an attempt; None if it says nothing about whether changes work."""
        self._breakers[admission.rule].record(admission, failed=failed, now=now)

    def release(self) -> None:
        """Close all, because a person says that the cause is gone."""
        for breaker in tuple(self._breakers.values()):
            breaker.release()

    def open_rules(self) -> frozenset[str]:
        """The rules whose changes are stopped, the wait for a probe's result included."""
        return frozenset(rule for rule, breaker in tuple(self._breakers.items()) if breaker.is_open)


@dataclass(slots=True)
class _Opening:
    """What has happened since changes were stopped."""

    at: float
    unsuspected_waits: bool = False
    """Whether a resource that has not failed was turned away."""
    probing: bool = False
    """Whether the result of a probe is outstanding."""


class Breaker:
    """One rule's breaker in this process."""

    def __init__(self, policy: BreakerPolicy, rule: str) -> None:
        self._policy = policy
        self._rule = rule
        self._failed: OrderedDict[str, bool] = OrderedDict()
        """Whether the latest attempt on a resource failed; the latest attempt last."""
        self._suspects: OrderedDict[str, None] = OrderedDict()
        """Resources whose failures opened it or kept it open; bounded like the others."""
        self._opening: _Opening | None = None
        self._era = 0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether changes are stopped, the wait for the probe's result included."""
        return self._opening is not None

    def admit(self, resource: str, now: float) -> Admission | BreakerOpen:
        """Permission for one attempt, whose result has to be recorded."""
        with self._lock:
            opening = self._opening
            if opening is None:
                return Admission(self._rule, resource, self._era, probe=False)
            left = self._wait_seconds(resource, opening, now)
            if left > 0:
                opening.unsuspected_waits |= resource not in self._suspects
                return BreakerOpen(left)
            if opening.probing:
                return BreakerOpen(self._policy.cool_down_seconds)
            opening.probing = True
            return Admission(self._rule, resource, self._era, probe=True)

    def record(self, admission: Admission, *, failed: bool | None, now: float) -> None:
        """The result of an attempt; None if it says nothing about whether changes work."""
        with self._lock:
            if admission.era != self._era:
                return
            if failed is None:
                if self._opening:
                    self._opening.probing = False  # another one may try
                return
            self._judge(admission.resource, failed=failed)
            if admission.probe:
                self._turn(now if failed else None)
            elif self._too_many():
                self._turn(now)

    def release(self) -> None:
        """Close it, because a person says that the cause is gone."""
        with self._lock:
            self._turn(None)

    def _wait_seconds(self, resource: str, opening: _Opening, now: float) -> float:
        """Until this resource may be the probe: a suspect leaves one more cool-down to others that wait."""
        cool_down = self._policy.cool_down_seconds
        own_turn = opening.unsuspected_waits and resource in self._suspects
        return opening.at + cool_down * (2 if own_turn else 1) - now

    def _judge(self, resource: str, *, failed: bool) -> None:
        self._failed.pop(resource, None)
        self._failed[resource] = failed
        if len(self._failed) > self._policy.attempts:
            self._failed.popitem(last=False)

    def _too_many(self) -> bool:
        seen = len(self._failed)
        return seen >= self._policy.min_attempts and sum(self._failed.values()) >= self._policy.max_failure_share * seen

    def _turn(self, opened_at: float | None) -> None:
        self._suspects.update(dict.fromkeys(resource for resource, failed in self._failed.items() if failed))
        if opened_at is None:
            self._suspects.clear()
        while len(self._suspects) > self._policy.attempts:
            self._suspects.popitem(last=False)
        self._opening = None if opened_at is None else _Opening(opened_at)
        self._era += 1
        self._failed.clear()
