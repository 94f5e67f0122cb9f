"""What a report says, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consumer.core.outcome import Outcome


class Standing(StrEnum):
    """Where a resource stood at the end of the period, by the last that was journaled about it."""

    FIXED = "fixed"
    COMPLIANT = "compliant"
    """It was so already when it was looked at."""
    GONE = "gone"
    EXEMPT = "exempt"
    WOULD_FIX = "would fix"
    HELD = "held"
    FAILED = "failed"
    GIVEN_UP = "given up"
    UNDONE = "undone"
    UNFINISHED = "unfinished"
    """Work on it had begun, and no ending is on record."""


OPEN = (
    Standing.WOULD_FIX,
    Standing.HELD,
    Standing.FAILED,
    Standing.GIVEN_UP,
    Standing.UNDONE,
    Standing.UNFINISHED,
)
"""As far as the journal knows, such a resource still breaks its rule."""

STANDING_BY_OUTCOME: dict[Outcome, Standing] = {
    Outcome.FIXED: Standing.FIXED,
    Outcome.ALREADY_COMPLIANT: Standing.COMPLIANT,
    Outcome.GONE: Standing.GONE,
    Outcome.EXEMPT: Standing.EXEMPT,
    Outcome.WOULD_FIX: Standing.WOULD_FIX,
    Outcome.HELD: Standing.HELD,
    Outcome.FAILED: Standing.FAILED,
    Outcome.REJECTED: Standing.GIVEN_UP,
    Outcome.INVALID: Standing.GIVEN_UP,
    Outcome.EXHAUSTED: Standing.GIVEN_UP,
}
"""The others (superseded, not ours, a lost lease) say nothing about the resource."""


@dataclass(frozen=True, slots=True)
class ExposureTimes:
    """How long the fixed resources of one rule had been exposed, in seconds."""

    rule: str
    fixes: int
    p50: float
    p95: float
    longest: float
    exact: bool
    """False: the quantiles are within 1 %."""


@dataclass(frozen=True, slots=True)
class SlowFix:
    """One change, as the slowest are listed."""

    exposed_seconds: float
    at_ms: int
    rule: str
    resource: str
    change: str
    """What `undo` takes."""


@dataclass(frozen=True, slots=True)
class ReportedResource:
    """One resource under one rule."""

    rule: str
    account: str
    resource: str
    resource_type: str
    """Empty in journals of workers that did not write it."""
    at_ms: int
    standing: Standing
    reason: str
    before: str
    """Cut where it is long, here and below; `whole` reads all of it."""
    after: str
    line: str
    """The line that has both states, by its hash; empty if none has."""
    fixes: int
    """How often it was fixed in the period."""
    contested: bool
    """Whether a change was held back because somebody keeps breaking it."""


@dataclass(frozen=True, slots=True)
class UndoneFix:
    """One change that a person has put back."""

    at_ms: int
    who: str
    rule: str
    resource: str
    in_part: bool = False
    """Whether the rest of it was refused, so that neither state stands."""


@dataclass(frozen=True, slots=True)
class ReadJournal:
    """One journal that was read."""

    path: str
    lines: int
    first_ms: int
    last_ms: int
    head: str
    """The hash of its last line, for `journal verify --anchor`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The first of many, with how many there are."""

    shown: tuple[ReportedResource, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Findings:
    """One report."""

    since_ms: int
    until_ms: int
    files: tuple[ReadJournal, ...]
    unknown: tuple[str, ...]
    """What keeps the figures from being complete, each in a sentence; empty if nothing is known to."""
    damaged: bool
    """Whether a journal is not whole, lines are missing, or a part of the period is in no file."""
    standings: dict[str, dict[Standing, int]]
    """How many resources stand where, by rule."""
    reasons: tuple[tuple[Standing, str, int], ...]
    """Why resources are held, exempt, failed or given up, the most frequent first."""
    days: tuple[tuple[str, int | None], ...]
    """Changes by day, or by as many days as `day_step`; the first day of each, in UTC; None before the first line."""
    day_step: int
    changes: int
    by_people: int
    """How many of the changes a person has made with `repair`."""
    exposures: tuple[ExposureTimes, ...]
    slowest: tuple[SlowFix, ...]
    would_fix: Listed
    contested: Listed
    undone: tuple[UndoneFix, ...]
    undone_total: int
    settled: dict[str, int]
    """What became of messages on the queue."""

    @property
    def found(self) -> int:
        """Resources that a rule took in the period, by an event or by a person's repair, once for each rule."""
        return sum(sum(each.values()) for each in self.standings.values())

    def standing(self, *wanted: Standing) -> int:
        """How many resources stand so."""
        return sum(each.get(one, 0) for each in self.standings.values() for one in wanted)
