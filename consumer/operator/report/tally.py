"""Counts what journals say about a span of time, line by line, in a memory that does not grow with their length.

What is remembered of each resource is bounded in number and size; once there are more resources than that, the report
says so, and its figures by resource are too low.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from consumer.core.event_times import believed_ms
from consumer.core.observers import StepName
from consumer.core.outcome import Outcome
from consumer.journal.format import Entry
from consumer.operator import records
from consumer.operator.report.findings import (
    STANDING_BY_OUTCOME,
    ExposureTimes,
    Listed,
    ReportedResource,
    SlowFix,
    Standing,
    UndoneFix,
)
from consumer.operator.report.quantiles import Quantiles

MOST_RESOURCES = 50_000
MOST_RULES = 1_000
OTHER_RULES = "(other rules)"
_MOST_LISTED = 20
_SLOWEST = 10
_LONGEST_NAME = 256
_LONGEST_TEXT = 300
_DAY_MS = 86_400_000
_OFTEN = 3
"""Fixed so often in the period, a resource is listed beside the contested ones."""

_ResourceKey = tuple[str, str, str]


@dataclass(slots=True)
class _LatestState:
    """The last of one resource under one rule."""

    resource_type: str = ""
    at_ms: int = 0
    standing: Standing = Standing.UNFINISHED
    reason: str = ""
    before: str = ""
    after: str = ""
    line: str = ""
    """The line that has both, by its hash."""
    fixes: int = 0
    contested: bool = False


class Tally:
    """One report's figures while journals are read; lines may come in any order of their files."""

    def __init__(self, since_ms: int, until_ms: int, most_resources: int = MOST_RESOURCES) -> None:
        self.period = (since_ms, until_ms)
        self._most_resources = most_resources
        self._resources: dict[_ResourceKey, _LatestState] = {}
        self._exposures: dict[str, Quantiles] = {}
        self._slowest: list[tuple[float, int, SlowFix]] = []
        self._undone: deque[UndoneFix] = deque(maxlen=_MOST_LISTED)
        self.undone_total = 0
        self.days: Counter[int] = Counter()
        """Changes by the number of the day since the epoch."""
        self.by_people = 0
        self.settled: Counter[str] = Counter()
        self.lines = 0
        self.untimed = 0
        """Lines that do not say when they were written."""
        self.later = 0
        """Lines from after the period."""
        self.forgotten = 0
        """Lines about resources that there was no room for."""

    def add(self, entry: Entry) -> None:
        """Count one line, if it was written in the period."""
        if entry.at_ms <= 0:
            self.untimed += 1
            return
        since_ms, until_ms = self.period
        if not since_ms <= entry.at_ms < until_ms:
            self.later += entry.at_ms >= until_ms
            return
        self.lines += 1
        match entry.step:
            case StepName.BEFORE | StepName.UNDO_BEFORE:
                self._began(entry)
            case StepName.DECIDED | StepName.VERIFIED:
                self._ended(entry)
            case StepName.SETTLED:
                self.settled[_short(entry.text("disposition"))] += 1
            case StepName.UNDONE | StepName.UNDONE_IN_PART:
                self._undid(entry)

    def _known(self, entry: Entry) -> _LatestState | None:
        """What is known of the line's resource; None if it names none or there is no room for another one."""
        rule, resource = _short(entry.text("rule")), _short(entry.text("resource"))
        if not rule or not resource:
            return None
        key = (rule, _short(entry.text("account")), resource)
        known = self._resources.get(key)
        if known is None:
            if len(self._resources) >= self._most_resources:
                self.forgotten += 1
                return None
            known = self._resources[key] = _LatestState()
        known.resource_type = _short(entry.text("resource_type")) or known.resource_type
        return known

    def _began(self, entry: Entry) -> None:
        known = self._known(entry)
        if known is not None and entry.at_ms >= known.at_ms:
            known.at_ms, known.standing, known.reason = entry.at_ms, Standing.UNFINISHED, ""

    def _ended(self, entry: Entry) -> None:
        outcome, reason = _outcome(entry), _short(entry.text("reason"))
        fixed = entry.step == StepName.VERIFIED and outcome is Outcome.FIXED
        if fixed:
            self._fixed(entry)
        standing = STANDING_BY_OUTCOME.get(outcome) if outcome else None
        known = self._known(entry) if standing else None
        if known is None or standing is None:
            return
        known.fixes += fixed
        known.contested = known.contested or reason == "contested"
        if entry.at_ms < known.at_ms:
            return  # of another file, and older than what is known
        known.at_ms, known.standing = entry.at_ms, standing
        known.reason = _long(entry.text("detail")) if standing is Standing.EXEMPT else reason
        known.before, known.after = _long(entry.text("before")), _long(entry.text("after"))
        known.line = entry.digest

    def _fixed(self, entry: Entry) -> None:
        self.days[entry.at_ms // _DAY_MS] += 1
        if records.by_person(entry):
            self.by_people += 1
            return  # nobody waited for an event, so there is no exposure to count
        evaluated_at_ms = entry.fields.get("evaluated_at_ms")
        if not isinstance(evaluated_at_ms, int):
            return
        exposed = max(0, entry.at_ms - believed_ms(evaluated_at_ms, entry.at_ms)) / 1000
        rule = _short(entry.text("rule"))
        if rule not in self._exposures and len(self._exposures) >= MOST_RULES:
            rule = OTHER_RULES
        self._exposures.setdefault(rule, Quantiles()).add(exposed)
        fix = SlowFix(exposed, entry.at_ms, rule, _short(entry.text("resource")), entry.short_id)
        heapq.heappush(self._slowest, (exposed, self.lines, fix))
        if len(self._slowest) > _SLOWEST:
            heapq.heappop(self._slowest)

    def _undid(self, entry: Entry) -> None:
        self.undone_total += 1
        rule, resource = _short(entry.text("rule")), _short(entry.text("resource"))
        in_part = entry.step == StepName.UNDONE_IN_PART
        self._undone.append(UndoneFix(entry.at_ms, _short(entry.text("who")), rule, resource, in_part))
        known = self._known(entry)
        if known is not None and entry.at_ms >= known.at_ms:
            known.at_ms, known.standing, known.reason = entry.at_ms, Standing.UNDONE, ""

    @property
    def changes(self) -> int:
        """Changes that were read back."""
        return self.days.total()

    def standings(self) -> dict[str, dict[Standing, int]]:
        """How many resources stand where, by rule, in the order of their names."""
        counts: dict[str, Counter[Standing]] = {}
        for (rule, _, _), known in self._resources.items():
            named = rule if rule in counts or len(counts) < MOST_RULES else OTHER_RULES
            counts.setdefault(named, Counter())[known.standing] += 1
        return {rule: dict(counts[rule]) for rule in sorted(counts)}

    def reasons(self) -> tuple[tuple[Standing, str, int], ...]:
        """Why resources are not fixed, the most frequent first."""
        wanted = (Standing.HELD, Standing.EXEMPT, Standing.FAILED, Standing.GIVEN_UP)
        counts = Counter(
            (known.standing, known.reason) for known in self._resources.values() if known.standing in wanted
        )
        return tuple((standing, reason, count) for (standing, reason), count in counts.most_common(_MOST_LISTED))

    def exposures(self) -> tuple[ExposureTimes, ...]:
        """By rule, in the order of their names."""
        return tuple(
            ExposureTimes(rule, each.count, each.at(0.5), each.at(0.95), each.longest, each.exact)
            for rule, each in sorted(self._exposures.items())
        )

    def slowest(self) -> tuple[SlowFix, ...]:
        """The fixes before which a resource was exposed for longest, the longest first."""
        return tuple(fix for _, _, fix in sorted(self._slowest, key=lambda each: each[:2], reverse=True))

    def undone(self) -> tuple[UndoneFix, ...]:
        """The newest, the oldest of them first."""
        return tuple(self._undone)

    def would_fix(self) -> Listed:
        """What rules that observe would have changed, the longest known first."""
        found = [each for each in self._resources.items() if each[1].standing is Standing.WOULD_FIX]
        return _listed(found, key=lambda each: each[1].at_ms)

    def contested(self) -> Listed:
        """What somebody keeps breaking, the most often fixed first."""
        found = [each for each in self._resources.items() if each[1].contested or each[1].fixes >= _OFTEN]
        return _listed(found, key=lambda each: -each[1].fixes)


def _listed(
    found: list[tuple[_ResourceKey, _LatestState]], key: Callable[[tuple[_ResourceKey, _LatestState]], int]
) -> Listed:
    first = heapq.nsmallest(_MOST_LISTED, found, key=key)
    shown = tuple(
        ReportedResource(
            rule,
            account,
            name,
            known.resource_type,
            known.at_ms,
            known.standing,
            known.reason,
            known.before,
            known.after,
            known.line,
            known.fixes,
            known.contested,
        )
        for (rule, account, name), known in first
    )
    return Listed(shown, len(found))


def _outcome(entry: Entry) -> Outcome | None:
    try:
        return Outcome(entry.text("outcome"))
    except ValueError:
        return None


def _short(text: str) -> str:
    return text[:_LONGEST_NAME]


def _long(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
