"""Recognises a resource that somebody keeps breaking after we have fixed it, so that we stop fighting over it. Pure.

Somebody, or their Terraform, wants it otherwise: changing it again and again helps nobody and hides the disagreement.
Only a person can end that, so such a resource is held and reported.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Protocol

from consumer.resources.base import Resource

_MOST_RESOURCES = 10_000
"""Remembered at once; beyond that the resource whose last fix is longest ago is forgotten and begins anew."""


@dataclass(frozen=True, slots=True)
class ContestPolicy:
    """When a resource counts as contested."""

    max_fixes: int = 3
    """Verified fixes within the window after which finding it broken again is a contest."""
    window_seconds: float = 3_600.0
    """How long a fix counts, and how long a contested resource is left alone."""


class Contest(Protocol):
    """What remembers fixes: `LocalContest` for one process, `SharedContest` for several.

    `now` is the process's monotonic clock, in seconds; what is shared between processes has a clock of its own.
    """

    def found_broken(self, rule: str, resource: Resource, now: float) -> float:
        """Seconds for which the resource is left alone because it is contested; 0 if it may be fixed.

        Raises:
            SharedUnreachable: it is not known, so nothing may be changed.
        """
        ...

    def fixed(self, rule: str, resource: Resource, now: float) -> None:
        """We have fixed it and have read the fix back. Never fails: what is fixed is fixed, remembered or not."""
        ...

    def contested(self, now: float) -> dict[str, int]:
        """How many resources are contested now, by rule."""
        ...

    def release(self) -> None:
        """Forget everything, because a person says that the contests are settled."""
        ...


@dataclass(slots=True)
class _FixHistory:
    fixes: tuple[float, ...] = ()
    """The latest ones, as many as count; a tuple, for there are thousands and an empty deque takes 600 bytes."""
    contested_until: float = 0.0


class LocalContest:
    """The fixes that this process has made; shared by all workers, known to no other replica."""

    def __init__(self, policy: ContestPolicy, *, most_resources: int = _MOST_RESOURCES) -> None:
        self._policy = policy
        self._most_resources = most_resources
        self._histories: OrderedDict[tuple[str, Resource], _FixHistory] = OrderedDict()
        self._lock = threading.Lock()

    def found_broken(self, rule: str, resource: Resource, now: float) -> float:
        """Seconds for which the resource is left alone because it is contested; 0 if it may be fixed."""
        with self._lock:
            history = self._histories.get((rule, resource))
            if history is None:
                return 0.0
            if history.contested_until:
                if now < history.contested_until:
                    return history.contested_until - now
                del self._histories[rule, resource]
                return 0.0
            history.fixes = tuple(at for at in history.fixes if at > now - self._policy.window_seconds)
            if len(history.fixes) < self._policy.max_fixes:
                return 0.0
            history.contested_until = now + self._policy.window_seconds
            return self._policy.window_seconds

    def fixed(self, rule: str, resource: Resource, now: float) -> None:
        """We have fixed it and have read the fix back."""
        with self._lock:
            history = self._histories.setdefault((rule, resource), _FixHistory())
            history.fixes = (*history.fixes, now)[-self._policy.max_fixes :]
            self._histories.move_to_end((rule, resource))
            while len(self._histories) > self._most_resources:
                self._histories.popitem(last=False)

    def contested(self, now: float) -> dict[str, int]:
        """How many resources are contested now, by rule."""
        with self._lock:
            found = [rule for (rule, _), history in self._histories.items() if now < history.contested_until]
        return dict(Counter(found))

    def release(self) -> None:
        """Forget everything, because a person says that the contests are settled."""
        with self._lock:
            self._histories.clear()
