"""Changes that the service has accepted and does not show yet: what a later delivery reads back. Of this process only.

A service may show a setting's old state for some seconds after a 200. The worker does not wait for that: it hides the
message for a moment, and the next delivery about the resource reads the change back instead of making it again. What
is lost with the process is no more than that knowledge: the next look then finds the resource compliant, or makes the
same change once more. See docs/decisions/0022-read-backs-do-not-wait.md.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from consumer.guards.chain import Permit
from consumer.guards.rule import Rule
from consumer.remediations.base import Change
from consumer.resources.base import Identity, Resource

SHOWS_WITHIN_SECONDS = 30.0
"""While an accepted change is younger, an old state is no failure and nothing is written anew."""

_LOOKS_SECONDS = (2.0, 4.0, 8.0, 16.0)
"""For how long the message is hidden before the next look; the last one repeats."""

_FORGOTTEN_AFTER_SECONDS = 900.0
"""A look that comes this late is a first look: much may have happened to the resource since."""

_READING_PREFIXES = ("Get", "List", "Describe")

_REMEMBERED = 10_000
"""Resources. The longest unseen are forgotten first: their change may be made once more, which changes nothing."""


@dataclass(slots=True)
class ReadBack:
    """One change that is still to be read back; used by the one worker that has its resource in work."""

    rule: Rule
    """The one that the change was made for. Another one of the same remediation waits with it."""
    change: Change
    found: Identity
    """The resource that was changed, for another one may have its name by now."""
    permit: Permit
    made_at: float
    """When the service had accepted the change, in monotonic seconds."""
    looks: int = 0
    """How often it still read old."""

    def next_look_seconds(self, now: float) -> float | None:
        """How long to wait for the next look, after one more that read old; None once it should have been shown."""
        if now - self.made_at >= SHOWS_WITHIN_SECONDS:
            return None
        self.looks += 1
        return _LOOKS_SECONDS[min(self.looks, len(_LOOKS_SECONDS)) - 1]


class ReadBacks:
    """The changes that are still to be read back, by resource and remediation; shared by all workers."""

    def __init__(self, *, monotonic: Callable[[], float], remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._monotonic = monotonic
        self._awaited: OrderedDict[Resource, dict[str, ReadBack]] = OrderedDict()
        """The resource of the latest change stands last; a resource has no more of them than there are remediations."""
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """Whether the service shows old states at the moment: any change is still to be read back."""
        return bool(self._awaited)

    def of(self, rule: Rule, resource: Resource, found: Identity) -> ReadBack | None:
        """The change, by any rule of this remediation, that is to be read back from this very resource."""
        return self._of(resource, found).get(rule.remediation.name)

    def in_the_way(self, rule: Rule, resource: Resource, found: Identity) -> bool:
        """Whether another remediation's change of what this one writes too may yet show.

        A change that was planned on what the service still shows would take that one back.
        """
        return any(
            name != rule.remediation.name
            and self._monotonic() - awaited.made_at < SHOWS_WITHIN_SECONDS
            and not _written(rule).isdisjoint(_written(awaited.rule))
            for name, awaited in self._of(resource, found).items()
        )

    def put(self, resource: Resource, awaited: ReadBack) -> None:
        """The change is to be read back by a later delivery."""
        with self._lock:
            self._expire()
            self._awaited.setdefault(resource, {})[awaited.rule.remediation.name] = awaited
            self._awaited.move_to_end(resource)
            if len(self._awaited) > self._remembered:
                self._awaited.popitem(last=False)

    def forget(self, resource: Resource, awaited: ReadBack) -> None:
        """The change was read back, or its result does not matter any more."""
        with self._lock:
            left = {name: each for name, each in self._awaited.get(resource, {}).items() if each is not awaited}
            if left:
                self._awaited[resource] = left
            else:
                self._awaited.pop(resource, None)

    def _of(self, resource: Resource, found: Identity) -> dict[str, ReadBack]:
        """By remediation, without those that are too old; those of a resource that is gone are forgotten."""
        with self._lock:
            self._expire()
            known = self._awaited.get(resource, {})
            if any(awaited.found.differs(found) for awaited in known.values()):
                del self._awaited[resource]
                return {}
            return {name: awaited for name, awaited in known.items() if not self._is_late(awaited)}

    def _expire(self) -> None:
        """Forget resources of which every change is too old; the oldest stands first."""
        while self._awaited and all(map(self._is_late, next(iter(self._awaited.values())).values())):
            self._awaited.popitem(last=False)

    def _is_late(self, awaited: ReadBack) -> bool:
        return self._monotonic() - awaited.made_at >= _FORGOTTEN_AFTER_SECONDS


def _written(rule: Rule) -> set[str]:
    """The RAM actions of the rule's remediation that change something: what two have in common, both write."""
    return {action for action in rule.remediation.actions if not action.partition(":")[2].startswith(_READING_PREFIXES)}
