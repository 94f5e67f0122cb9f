"""What the status page shows, as one frozen record of one process at one moment: plain values, no HTML.

`Endings` remembers the latest deliveries; `consumer.app.status` collects the rest; `status_page` draws it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from consumer.core.observers import Report
from consumer.telemetry.redaction import redactor

MOST_ENDINGS = 25
LONGEST_TEXT = 200
"""Characters of one value: a state may be a whole policy, and the journal has it whole."""


class Tristate(StrEnum):
    """The answer to a question that has three."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """One rule now."""

    name: str
    mode: str
    remediation: str
    oldest_seconds: float | None
    """For how long the oldest exposure that is known has been open; None where none is."""
    waits: tuple[str, ...]
    """Why its changes do not go on at the moment, each in a few words."""
    changes: int | None = None
    """Changes in the window of its own limit; None where that is not known."""
    most_changes: int | None = None
    """None without a limit of its own."""


@dataclass(frozen=True, slots=True)
class LatestEnding:
    """One delivery that was settled. Every text may come from outside."""

    at_ms: int
    outcome: str
    rule: str
    resource: str
    reason: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One process at one moment."""

    at_ms: int
    version: str
    queue: str
    region: str
    by: str
    """Host and process."""
    started_at_ms: int
    alive: str
    """Why it is not alive; empty if it is."""
    ready: str
    """Why it is not ready; empty if it is."""
    exposed: Tristate
    """Whether a rule that enforces knows of a resource that breaks it."""
    exposed_seconds: float | None
    """For how long the oldest of those has been exposed."""
    unknown: tuple[str, ...]
    """Why open exposures may be missing from what is known."""
    obstacles: tuple[str, ...]
    """Why work does not flow, or not all of it."""
    slots: int
    buffered: int
    working: int
    settling: int
    received: int
    settled: tuple[tuple[str, int], ...]
    """Deliveries by what became of their message."""
    rules: tuple[RuleStatus, ...]
    endings: tuple[LatestEnding, ...]
    """The latest first."""


class Endings:
    """The latest endings of this process."""

    def __init__(self) -> None:
        self._latest: deque[LatestEnding] = deque(maxlen=MOST_ENDINGS)
        self._lock = threading.Lock()

    def latest(self) -> tuple[LatestEnding, ...]:
        """The latest first."""
        with self._lock:
            return tuple(reversed(self._latest))

    def report(self, report: Report) -> None:
        """Remember a settled delivery, cut to size; one that was released untouched is no ending."""
        ending = report.ending
        if ending is None:
            return
        found = LatestEnding(
            report.settled_at_ms,
            ending.outcome.value,
            report.rule,
            _cut(report.event.resource_id if report.event else ""),
            _cut(ending.reason),
            _cut(ending.before),
            _cut(ending.after),
        )
        with self._lock:
            self._latest.append(found)


def _cut(text: str) -> str:
    """Cut to size; what is cut is cleaned first, because half a secret would not be recognised any more."""
    if len(text) <= LONGEST_TEXT:
        return text
    cleaned = redactor.clean(text)
    return cleaned if len(cleaned) <= LONGEST_TEXT else f"{cleaned[:LONGEST_TEXT]}…"
