"""A report as a page: figures, sentences, tables and one chart, for whichever form it is written in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consumer.operator import times
from consumer.operator.report.findings import OPEN, ExposureTimes, Findings, Listed, ReportedResource, Standing

Cell = str | int

_MEANS = {
    "over_limit": "as many changes were made as are allowed",
    "paused": "changes were paused",
    "outside_window": "the rule may change things at other times only",
    "contested": "somebody keeps breaking it after every fix",
    "breaker_open": "too many changes of the rule had failed",
    "permission_missing": "the worker lacks a permission",
    "tags_unreadable": "its tags decide, and could not be read",
    "unconfirmed": "the change cannot be taken back, and the evaluator did not confirm it",
    "crowded": "others that came back had all slots for that",
    "in_progress": "the service is changing it",
    "journal_unwritable": "the journal is required, and could not be written",
    "shared_unreachable": "the shared store could not be reached",
    "AccessDenied": "refused on this resource",
    "not_verified": "it did not read back as wanted",
    "account_not_allowed": "it belongs to an account that is not configured",
    "not_owner": "it belongs to another account than the event says",
}
"""Reasons in words; docs/runbook.md says what to do about each."""


class Tone(StrEnum):
    """What a figure means."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the first figures."""

    label: str
    value: str
    note: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Table:
    """One part of the page; without rows the sentence stands for them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str
    note: str = ""
    right: tuple[str, ...] = ()
    """Columns that stand to the right, besides those of numbers."""

    def to_the_right(self) -> list[bool]:
        """Which columns stand to the right."""
        return [
            name in self.right or (bool(self.rows) and all(isinstance(row[index], int) for row in self.rows))
            for index, name in enumerate(self.columns)
        ]


@dataclass(frozen=True, slots=True)
class Chart:
    """Changes over time."""

    title: str
    bars: tuple[tuple[str, int | None], ...]
    """Days, and how many changes each had; None where that is not known."""
    empty: str
    note: str = ""

    @property
    def most(self) -> int:
        """The highest bar; 1 at least, so that others can be measured by it."""
        return max((count or 0 for _, count in self.bars), default=0) or 1


@dataclass(frozen=True, slots=True)
class ReportPage:
    """The whole report."""

    title: str
    period: str
    figures: tuple[Figure, ...]
    unknown: tuple[str, ...]
    """What keeps the figures from being complete; empty if nothing is known to."""
    damaged: bool
    parts: tuple[Table | Chart, ...]
    files: tuple[str, ...]


def page(found: Findings) -> ReportPage:
    """The page of a report."""
    return ReportPage(
        title="What config-remediator found and did",
        period=f"{times.moment(found.since_ms)} to {times.moment(found.until_ms)} UTC",
        figures=_figures(found),
        unknown=found.unknown,
        damaged=found.damaged,
        parts=(
            _chart(found),
            _by_rule(found),
            _reasons(found),
            _exposures(found.exposures),
            _slowest(found),
            _would_fix(found.would_fix),
            _contested(found.contested),
            _undone(found),
        ),
        files=tuple(
            f"{each.path}: {each.lines} lines, the newest of {_written(each.last_ms)}; head {each.head}"
            for each in found.files
        ),
    )


def _figures(found: Findings) -> tuple[Figure, ...]:
    still_open = found.standing(*OPEN)
    # Nothing open is good news only if everything of the period is on record.
    closed = Tone.UNKNOWN if found.unknown else Tone.GOOD
    p95 = max((each.p95 for each in found.exposures), default=0.0)
    by_people = f", {found.by_people} of them by people" if found.by_people else ""
    return (
        Figure("found", str(found.found), "resources that a rule took, once for each rule"),
        Figure("fixed", str(found.changes), f"changes made and read back{by_people}"),
        Figure(
            "still open",
            _at_least(still_open, known=not found.unknown),
            "resources that were not seen compliant at the end",
            Tone.BAD if still_open else closed,
        ),
        Figure("exempt", str(found.standing(Standing.EXEMPT)), "resources that are left as they are"),
        Figure("undone", str(found.undone_total), "changes that people put back"),
        Figure(
            "exposed, p95",
            times.span(p95) if found.exposures else "none fixed",
            "the slowest rule, from the evaluation to the verified fix",
        ),
    )


def _at_least(number: int, *, known: bool) -> str:
    """A number that may be higher where something is unknown."""
    if known:
        return str(number)
    return f"at least {number}" if number else "unknown"


def _chart(found: Findings) -> Chart:
    every = {1: "each day", 7: "each 7 days from the day given"}.get(found.day_step, f"each {found.day_step} days")
    return Chart(
        f"Changes, {every}",
        found.days,
        "No change is on record.",
        "Days are those of UTC; before the first line on record, and in the time to come, they are unknown.",
    )


def _by_rule(found: Findings) -> Table:
    used = [each for each in Standing if found.standing(each)]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (rule, sum(counts.values()), *(counts.get(each, 0) for each in used))
        for rule, counts in found.standings.items()
    )
    return Table(
        "Where resources stand, by rule",
        ("rule", "found", *(each.value for each in used)),
        rows,
        "No resource is on record.",
        "Each resource counts once for each rule, by the last that was journaled about it in this time.",
    )


def _reasons(found: Findings) -> Table:
    rows = tuple((standing.value, _meaning(reason), count) for standing, reason, count in found.reasons)
    return Table(
        "Why resources were left as they are",
        ("state", "reason", "resources"),
        rows,
        "None is on record as held, exempt or given up.",
    )


def _meaning(reason: str) -> str:
    means = _MEANS.get(reason, "")
    return f"{reason}: {means}" if means else reason or "-"


def _exposures(found: tuple[ExposureTimes, ...]) -> Table:
    rows = [
        (each.rule, each.fixes, times.span(each.p50), times.span(each.p95), times.span(each.longest)) for each in found
    ]
    rough = "" if all(each.exact for each in found) else " Of more than 1,000 fixes, p50 and p95 are within 1 %."
    return Table(
        "How long resources were exposed",
        ("rule", "fixes", "p50", "p95", "longest"),
        tuple(rows),
        "No fix is on record, so nothing is known about exposure.",
        f"From the evaluation to the verified fix; what is still open is not among them.{rough}",
        ("p50", "p95", "longest"),
    )


def _slowest(found: Findings) -> Table:
    rows = tuple(
        (each.resource, each.rule, times.span(each.exposed_seconds), times.moment(each.at_ms), each.change)
        for each in found.slowest
    )
    columns = ("resource", "rule", "exposed", "fixed (UTC)", "change")
    return Table("The slowest fixes", columns, rows, "No fix is on record.")


def _would_fix(found: Listed) -> Table:
    rows = tuple(
        (each.resource, each.rule, f"{each.before} → {each.after}", times.moment(each.at_ms)) for each in found.shown
    )
    return Table(
        "What rules in mode observe would change",
        ("resource", "rule", "before → after", "last seen (UTC)"),
        rows,
        "None is on record.",
        _more(found),
    )


def _contested(found: Listed) -> Table:
    rows = tuple((each.resource, each.rule, each.fixes, _contest(each)) for each in found.shown)
    return Table(
        "What somebody keeps breaking",
        ("resource", "rule", "fixed", "state"),
        rows,
        "Nothing on record is contested, and nothing was fixed three times.",
        _more(found),
    )


def _contest(each: ReportedResource) -> str:
    return f"contested, {each.standing.value}" if each.contested else each.standing.value


def _undone(found: Findings) -> Table:
    rows = tuple(
        (each.resource, each.rule, each.who, times.moment(each.at_ms) + (", in part" if each.in_part else ""))
        for each in found.undone
    )
    columns = ("resource", "rule", "by", "undone (UTC)")
    more = f"The newest {len(rows)} of {found.undone_total}." if found.undone_total > len(rows) else ""
    return Table("What people put back", columns, rows, "No undo is on record.", more)


def _more(found: Listed) -> str:
    return f"The first {len(found.shown)} of {found.total}." if found.total > len(found.shown) else ""


def _written(at_ms: int) -> str:
    return f"{times.moment(at_ms)} UTC" if at_ms else "no known time"
