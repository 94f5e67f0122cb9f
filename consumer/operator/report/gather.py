"""Reads journals for a report, each once and line by line, and says what keeps the report from being complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from consumer.core.errors import ConfigurationError
from consumer.core.observers import StepName
from consumer.core.printable import counted
from consumer.journal.format import Entry, Verdict, verify
from consumer.operator import records, times
from consumer.operator.report.findings import Findings, ReadJournal
from consumer.operator.report.tally import Tally

PIECE_BYTES = 1 << 16
"""After so many, whoever waits is shown progress."""
_DAY_MS = 86_400_000
_STEPS = ((45, 1), (320, 7))
"""Up to so many days the chart has a bar for each of so many; beyond, for each month of 30."""
_MONTH = 30
_MOST_BARS = 400
_MOST_PROBLEMS = 5


@dataclass(slots=True)
class _Read:
    """One journal, while it is read."""

    path: Path
    since_ms: int
    until_ms: int
    first_ms: int = 0
    last_ms: int = 0
    first_digest: str = ""
    begins_with: str = ""
    follows: str = ""
    gaps: int = 0
    lost_lines: int = 0
    verdict: Verdict = field(default_factory=Verdict)

    def add(self, entry: Entry) -> None:
        """One line."""
        if entry.at_ms > 0:
            self.first_ms = self.first_ms or entry.at_ms
            self.last_ms = max(self.last_ms, entry.at_ms)
        if entry.sequence == 1:
            self.begins_with, self.follows = entry.step, entry.text("follows")
            self.first_digest = entry.digest
        if entry.step == StepName.GAP and self._within(entry):
            lost = entry.fields.get("lost_lines")
            self.gaps += 1
            self.lost_lines += lost if isinstance(lost, int) and lost > 0 else 0

    def _within(self, entry: Entry) -> bool:
        """Whether the gap reaches into the period: it ends with its line and begins when the first line was lost."""
        since = entry.fields.get("since_ms")
        began = since if isinstance(since, int) else entry.at_ms
        return began < self.until_ms and entry.at_ms >= self.since_ms


def gathered(
    paths: Sequence[Path],
    since_ms: int,
    until_ms: int,
    *,
    now_ms: int | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Findings:
    """What the journals say about the time from `since_ms` to before `until_ms`.

    `now_ms` is this moment; None where it does not matter. What comes after it and after every line is still to come.

    Raises:
        ConfigurationError: a file cannot be read, or two are the same journal.
    """
    tally = Tally(since_ms, until_ms)
    read = [_read(path, tally, progress) for path in paths]
    _distinct(read)
    unknown = [sentence for each in read for sentence in _unknown(each, read)]
    damaged = bool(unknown)
    unknown += _uncounted(tally, read, up_to_now=now_ms == until_ms)
    known_until_ms = until_ms if now_ms is None else max(now_ms, *(each.last_ms + 1 for each in read))
    if known_until_ms < until_ms:
        unknown.append(f"The period goes on until {_moment(until_ms)}; what is still to come is unknown.")
    step = _day_step(since_ms, until_ms)
    return Findings(
        since_ms=since_ms,
        until_ms=until_ms,
        files=tuple(
            ReadJournal(str(each.path), each.verdict.entries, each.first_ms, each.last_ms, each.verdict.head.digest)
            for each in read
        ),
        unknown=tuple(unknown),
        damaged=damaged,
        standings=tally.standings(),
        reasons=tally.reasons(),
        days=_days(tally, read, step, known_until_ms),
        day_step=step,
        changes=tally.changes,
        by_people=tally.by_people,
        exposures=tally.exposures(),
        slowest=tally.slowest(),
        would_fix=tally.would_fix(),
        contested=tally.contested(),
        undone=tally.undone(),
        undone_total=tally.undone_total,
        settled=dict(sorted(tally.settled.items())),
    )


def _read(path: Path, tally: Tally, progress: Callable[[], None]) -> _Read:
    found = _Read(path, *tally.period)

    def add(entry: Entry) -> None:
        found.add(entry)
        tally.add(entry)

    def lines() -> Iterator[bytes]:
        unseen = 0
        for line in records.lines(path):
            yield line
            unseen += len(line)
            while unseen >= PIECE_BYTES:
                unseen -= PIECE_BYTES
                progress()

    found.verdict = verify(lines(), on_entry=add)
    return found


def _unknown(read: _Read, others: Sequence[_Read]) -> list[str]:
    """What is wrong with one journal, each in a sentence."""
    verdict, name = read.verdict, read.path.name
    found = [f"{name}: line {each.line}: {each.text}." for each in verdict.problems[:_MOST_PROBLEMS]]
    if (more := len(verdict.problems) - len(found)) > 0:
        found.append(f"{name}: {counted(more, 'more problem')}; journal verify lists them all.")
    if verdict.problems:
        found.append(f"{name} is NOT whole: what it says cannot be proved, and what is missing cannot be known.")
    if read.gaps:
        lines, gaps = counted(read.lost_lines, "line"), counted(read.gaps, "gap")
        found.append(f"{name}: {lines} could not be written in {gaps}; their content is unknown.")
    if _continues(read, others) and (not read.first_ms or read.first_ms > read.since_ms):
        found.append(
            f"{name} begins {_moment(read.first_ms)} where another file ends, which was not given: what happened in the"
            " period before that is not in this report. Name every file with --file."
        )
    return found


def _continues(read: _Read, others: Sequence[_Read]) -> bool:
    """Whether the file goes on where another one ends that was not read."""
    heads = {each.verdict.head.digest for each in others}
    return bool(read.follows) and read.begins_with in (StepName.CONTINUED, StepName.GAP) and read.follows not in heads


def _distinct(read: Sequence[_Read]) -> None:
    """Make sure that nothing is counted twice: copies of one journal begin with the same line.

    Raises:
        ConfigurationError: two are the same.
    """
    known: dict[str, Path] = {}
    for each in read:
        if each.first_digest and (other := known.setdefault(each.first_digest, each.path)) is not each.path:
            raise ConfigurationError(f"--file: {other} and {each.path} are the same journal, or a copy of it")


def _uncounted(tally: Tally, read: Sequence[_Read], *, up_to_now: bool) -> list[str]:
    """What is no damage, and has to be known to read the figures."""
    found = []
    if not tally.lines:
        found.append(
            "No line was written in this period. That does not show that nothing was wrong, or that work went on."
        )
    elif (first := min(each.first_ms for each in read if each.first_ms)) > tally.period[0]:
        found.append(f"Nothing was journaled before {_moment(first)}; what happened until then is unknown.")
    if tally.untimed:
        found.append(f"{tally.untimed} lines do not say when they were written, and are not counted.")
    if up_to_now and tally.later:
        found.append(f"{tally.later} lines claim to be from after now, by a clock that is ahead, and are not counted.")
    if tally.forgotten:
        found.append(
            f"There are more resources than can be counted at once; {tally.forgotten} lines about others are not in the"
            " figures by resource. Ask for a shorter time."
        )
    return found


def _moment(at_ms: int) -> str:
    return f"{times.moment(at_ms)} UTC" if at_ms else "at an unknown time"


def _day_step(since_ms: int, until_ms: int) -> int:
    days = (until_ms - since_ms) / _DAY_MS
    return next((step for most, step in _STEPS if days <= most), _MONTH)


def _days(tally: Tally, read: Sequence[_Read], step: int, known_until_ms: int) -> tuple[tuple[str, int | None], ...]:
    """The bars of the chart: also the empty ones of the period, unless it is so long that nobody would read them."""
    since_ms, until_ms = tally.period
    begin = since_ms // _DAY_MS
    bars: Counter[int] = Counter()
    for day, count in tally.days.items():
        bars[(day - begin) // step] += count
    every = range((until_ms - 1) // _DAY_MS - begin + 1)[::step]
    if bars and len(every) <= _MOST_BARS:
        bars.update(dict.fromkeys(range(len(every)), 0))
    known_from = (min((each.first_ms for each in read if each.first_ms), default=0) // _DAY_MS - begin) // step
    known_to = ((known_until_ms - 1) // _DAY_MS - begin) // step
    return tuple(
        (times.moment((begin + bar * step) * _DAY_MS)[:10], count if count or known_from <= bar <= known_to else None)
        for bar, count in sorted(bars.items())[-_MOST_BARS:]
    )
