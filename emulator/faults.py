"""Which faults are switched on, and whether the next request meets one.

A fault names the operation it waits for, how often it strikes, and what happens. Choosing is separate from
doing: the ASGI adapter carries out what happens to a connection or an answer, and MNS itself carries out the
two kinds that change what a receive means.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase


class Kind(StrEnum):
    """What happens to the request that a fault strikes."""

    ERROR = "error"
    """Answer with the fault's status and code, without carrying the request out."""
    LATENCY = "latency"
    """Carry the request out only after `seconds`."""
    ERROR_AFTER = "error_after"
    """Carry the request out, then answer with the fault's status and code all the same."""
    RESET_BEFORE = "reset_before"
    """Reset the connection without carrying the request out."""
    RESET_AFTER = "reset_after"
    """Carry the request out, then reset the connection instead of answering."""
    LOST_REPLY = "lost_reply"
    """Carry the request out, then close the connection quietly instead of answering."""
    STALL = "stall"
    """Carry the request out, then keep the connection open for `seconds` without answering (half-open)."""
    DRIP = "drip"
    """Carry the request out, then send the answer one byte every `seconds`."""
    TRUNCATED = "truncated"
    """Carry the request out, then send half of the answer and close."""
    NOT_XML = "not_xml"
    """Carry the request out, then answer with its status and a web page instead of XML."""
    DAMAGED_XML = "damaged_xml"
    """Carry the request out, then answer with the first half of the XML, its length declared truly."""
    STALE = "stale"
    """Answer a read as the first one of the same target in the last `seconds` was answered, whatever has changed."""
    WEB_PAGE = "web_page"
    """Answer 200 with a web page, as a captive portal does, without carrying the request out."""
    REDIRECT = "redirect"
    """Answer 302 to `location` without carrying the request out."""
    EARLY_EMPTY = "early_empty"
    """MNS receive: answer an empty long poll at once instead of holding it."""
    DUPLICATE = "duplicate"
    """MNS receive: hand the message out and leave it visible, so that somebody else receives it too."""


BEFORE = frozenset({Kind.LATENCY})
"""Kinds that delay a request."""
INSTEAD = frozenset({Kind.ERROR, Kind.RESET_BEFORE, Kind.REDIRECT, Kind.WEB_PAGE})
"""Kinds that keep a request from being carried out."""
RECEIVING = frozenset({Kind.EARLY_EMPTY, Kind.DUPLICATE})
"""Kinds that MNS itself carries out."""
CONFIG_FAULTS = frozenset({Kind.LATENCY, Kind.ERROR, Kind.ERROR_AFTER})
"""Kinds that Cloud Config can meet, which answers at the control port and not through the adapter."""
AFTERWARDS = frozenset(Kind) - BEFORE - INSTEAD - RECEIVING
"""Kinds that spoil the answer of a request that has been carried out."""
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as it was switched on."""

    id: int
    service: str
    """`mns`, `oss`, `ecs`, `config`, or `*` for each of them."""
    operation: str
    """Operation name or shell pattern: `BatchReceiveMessage`, `PutBucket*`, `*`."""
    kind: Kind
    probability: float = 1.0
    count: int | None = None
    """How many more requests it strikes; None is without end."""
    skip: int = 0
    """How many more requests it would strike and lets pass first."""
    lasts_seconds: float | None = None
    """How long it stays on from when it was switched on, in emulated time; None is without end."""
    resource: str = "*"
    """Shell pattern on the request's path, or on host and path together: `/queues/main/*`, `*bucket-7*`."""
    status: int = 500
    code: str = "InternalError"
    message: str = "Injected fault."
    seconds: float = 0.0
    location: str = "http://127.0.0.1:9/"


class Faults:
    """The faults that are on, consulted once per request and per group of kinds, in the order they were added."""

    def __init__(self, seed: int = 0, now: Callable[[], float] = time.time) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._now = now
        self._faults: dict[int, Fault] = {}
        self._ends_at: dict[int, float] = {}
        self._next_id = 1
        self.struck: dict[int, int] = {}
        """How often each fault has struck, by id; the last thousand are kept after they are used up."""

    def seed(self, seed: int) -> None:
        """Start the dice anew, so that a run repeats."""
        self._random.seed(seed)

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on; the returned one carries its id."""
        added = replace(fault, id=self._next_id)
        self._next_id += 1
        self._faults[added.id] = added
        if added.lasts_seconds is not None:
            self._ends_at[added.id] = self._now() + added.lasts_seconds
        self.struck[added.id] = 0
        self._forget()
        return added

    def remove(self, fault_id: int) -> None:
        """Switch one fault off."""
        self._faults.pop(fault_id, None)
        self._ends_at.pop(fault_id, None)

    def clear(self) -> None:
        """Switch every fault off."""
        self._faults.clear()
        self._ends_at.clear()

    def on(self, service: str, kind: Kind) -> frozenset[int]:
        """Which faults of this kind are on for a service, by id."""
        return frozenset(fault.id for fault in self.active() if fault.kind is kind and fault.service in (service, "*"))

    def active(self) -> list[Fault]:
        """The faults that are still on."""
        self._end()
        return list(self._faults.values())

    def strike(self, service: str, operation: str, resource: str, kinds: frozenset[Kind]) -> Fault | None:
        """The first fault of these kinds that strikes this request, counted as used; None if none does.

        `resource` is the request's path, with or without the host before it.
        """
        self._end()
        for fault in list(self._faults.values()):
            if (
                fault.kind in kinds
                and fault.service in ("*", service)
                and fnmatchcase(operation, fault.operation)
                and _covers(fault.resource, resource)
                and self._random.random() < fault.probability
            ):
                if fault.skip:
                    self._faults[fault.id] = replace(fault, skip=fault.skip - 1)
                    continue
                self._used(fault)
                return fault
        return None

    def _used(self, fault: Fault) -> None:
        self.struck[fault.id] += 1
        if fault.count is None:
            return
        if fault.count <= 1:
            self.remove(fault.id)
        else:
            self._faults[fault.id] = replace(fault, count=fault.count - 1)

    def _end(self) -> None:
        """Switch off those whose time is over."""
        for fault_id in [each for each, ends_at in self._ends_at.items() if ends_at <= self._now()]:
            self.remove(fault_id)

    def _forget(self) -> None:
        """Keep a run of many days small."""
        used_up = [each for each in self.struck if each not in self._faults]
        for fault_id in used_up[: max(0, len(used_up) - _REMEMBERED)]:
            del self.struck[fault_id]


def _covers(pattern: str, resource: str) -> bool:
    path = resource[max(0, resource.find("/")) :]
    return fnmatchcase(path, pattern) or fnmatchcase(resource, pattern)
