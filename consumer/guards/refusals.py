"""Distinguishes a permission that is granted nowhere from a refusal of one resource alone. Pure, thread-safe.

The service refuses both in the same words: a resource of another account that an event claims is ours is
refused like every one while RAM lacks the action of the look (for OSS:
https://www.alibabacloud.com/help/en/oss/support/0003-00000001). So a refusal waits for a person at first. One that goes
on, although the action works on other resources of the account, is the resource's own. What was granted a moment ago
does not hold everywhere at once, so it has to go on for a while.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from consumer.resources.base import Resource

CERTAIN_SECONDS = 900.0
"""For so long a refusal has to go on while the action works on others."""

_REMEMBERED = 10_000


@dataclass(slots=True)
class _RefusedResource:
    first_at: float
    alone_since: float | None = None
    """When it was first found refused after the action had worked on another resource."""


class Refusals:
    """What was refused and what has worked, in this process; shared by all workers."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._worked_at: dict[tuple[str, str], float] = {}
        """By account and action: both are bounded by the configuration and the code."""
        self._refused: OrderedDict[tuple[str, str], _RefusedResource] = OrderedDict()
        """By action and resource; the longest unseen is forgotten first."""
        self._lock = threading.Lock()

    def worked(self, resource: Resource, actions: Iterable[str], now: float) -> None:
        """These RAM actions were let through on a resource."""
        with self._lock:
            for action in actions:
                self._worked_at[resource.account_id, action] = now
                self._refused.pop((action, resource.key), None)

    def resource_alone(self, resource: Resource, action: str, now: float) -> bool:
        """Whether a refusal that has just come is the resource's own."""
        key = (action, resource.key)
        with self._lock:
            refused = self._refused.pop(key, None) or _RefusedResource(now)
            self._refused[key] = refused
            if len(self._refused) > self._remembered:
                self._refused.popitem(last=False)
            worked_at = self._worked_at.get((resource.account_id, action), refused.first_at)
            if worked_at <= (refused.alone_since or refused.first_at):
                return False
            if refused.alone_since is None:
                refused.alone_since = now
            return now - refused.alone_since >= CERTAIN_SECONDS
