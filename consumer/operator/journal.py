"""Proves a journal whole, and answers who changed a resource, what and when."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from consumer.core.errors import ConfigurationError
from consumer.core.exit_codes import CommandExit
from consumer.core.observers import StepName
from consumer.core.printable import quoted
from consumer.journal.format import Entry, Verdict
from consumer.journal.format import verify as verified
from consumer.journal.reading import NO_JOURNAL
from consumer.operator import output, records, states, times

_ANCHOR = re.compile(r"[0-9a-f]{12,64}")

_TOLD = frozenset(
    {
        StepName.BEFORE,
        StepName.VERIFIED,
        StepName.DECIDED,
        StepName.SETTLED,
        StepName.UNDONE,
        StepName.UNDONE_IN_PART,
        StepName.GAP,
    }
)
"""What `show` has without --all: what somebody wants to know about a resource."""
_EMPTY = "The journal has no line yet."
_NOTHING = "The journal has nothing of these steps; --all shows every step."


def verify(config: Path | None, file: Path | None, form: str, *, anchor: str) -> CommandExit:
    """Read the whole journal and show what is wrong with it.

    Raises:
        ConfigurationError: there is no journal to read.
    """
    if anchor and not _ANCHOR.fullmatch(anchor.lower()):
        raise ConfigurationError(
            "--anchor: a hash has 64 hexadecimal digits; give all of them, or the first 12 at least"
        )
    path = records.journal_path(config, file)
    verdict = verified(records.lines(path, damaged=True), anchor.lower())
    output.show(form, _verdict(verdict), lambda console: _draw(console, path, verdict))
    return CommandExit.DONE if verdict.whole else CommandExit.FOUND


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines `show` is about; what is empty does not narrow."""

    resource: str = ""
    rule: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    everything: bool = False
    limit: int | None = None
    """Only the newest so many."""

    def takes(self, entry: Entry) -> bool:
        """Whether a line is meant, the limit aside."""
        return (
            (not self.resource or entry.text("resource") == self.resource)
            and (not self.rule or entry.text("rule") == self.rule)
            and (self.since_ms is None or entry.at_ms >= self.since_ms)
            and (self.until_ms is None or entry.at_ms < self.until_ms)
            and (self.everything or entry.step in _TOLD)
        )

    def __str__(self) -> str:
        """The selection, for a person; empty for everything."""
        times_ = [
            f"{name} {times.moment(at_ms)} UTC"
            for name, at_ms in (("since", self.since_ms), ("until", self.until_ms))
            if at_ms is not None
        ]
        named = [
            self.resource and f"resource {quoted(self.resource)}",
            self.rule and f"rule {quoted(self.rule)}",
        ]
        about = " and ".join(part for part in named if part)
        return " ".join(part for part in (f"about {about}" if about else "", *times_) if part)


def show(config: Path | None, file: Path | None, form: str, wanted: LineFilter) -> CommandExit:
    """Show what happened to a resource, or to every one.

    Raises:
        ConfigurationError: there is no journal to read, or no time between the two moments.
    """
    if wanted.since_ms is not None and wanted.until_ms is not None:
        records.check_period(wanted.since_ms, wanted.until_ms, time.time_ns() // 1_000_000)
    path = records.journal_path(config, file)
    found: deque[Entry] = deque(maxlen=wanted.limit)
    read, fitting, rules, undone = 0, 0, set(), set()
    for entry in records.entries(path):
        read += 1
        rules.add(entry.text("rule"))
        if entry.step == StepName.UNDONE:
            undone.add(entry.text("undoes"))
        if wanted.takes(entry):
            found.append(entry)
            fitting += 1
    if not found:
        known = ", ".join(sorted(rules - {""})) or "none"
        none = _NOTHING if read else _EMPTY
        output.note(f"The journal has nothing {wanted}; its rules: {known}." if str(wanted) else none)
    if fitting > len(found):
        output.note(f"The newest {len(found)} of {fitting} lines.")
    undoable = {entry.digest for entry in found if records.is_change(entry) and entry.digest not in undone}
    document = [{**entry.fields, "hash": entry.digest, "undoable": entry.digest in undoable} for entry in found]
    output.show(form, document, lambda console: _table(console, found, undoable) if found else None)
    return CommandExit.DONE


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "whole": verdict.whole,
        "means": _meaning(verdict),
        "entries": verdict.entries,
        "old_lines": verdict.old_lines,
        "deletions": verdict.deletions,
        "gaps": verdict.gaps,
        "unproved": verdict.unproved,
        "head": verdict.head.digest,
        "anchor_found": not verdict.anchor or verdict.anchored_at is not None,
        "anchored_lines": verdict.anchored_at,
        "torn_lines": verdict.torn,
        "problems": [{"line": problem.line, "text": problem.text} for problem in verdict.problems],
    }


def _meaning(verdict: Verdict) -> str:
    """What the verdict proves and what it cannot, in words."""
    if verdict.problems and not verdict.entries:
        return f"The journal is NOT whole: {NO_JOURNAL}."
    if verdict.problems:
        return "The journal is NOT whole."
    if verdict.anchor and verdict.anchored_at is None:
        return (
            "The journal is NOT whole: the anchor is not in its chain, so its end was cut off or it was written anew."
        )
    chain = "every line fits the one before it"
    if verdict.anchored_at is None:
        unseen = "that its end was cut off, or that all of it was written anew, would be seen with --anchor only"
        return f"The journal is whole as far as it can tell: {chain}; {unseen}."
    after = verdict.entries - verdict.anchored_at
    return (
        f"The journal is whole: the first {verdict.anchored_at} lines are those that were there when the anchor was"
        f" noted, and {chain} in the {after} since."
    )


def _draw(console: Console, path: Path, verdict: Verdict) -> None:
    rows: list[tuple[str, object]] = [
        ("journal", path),
        ("lines", verdict.entries),
        ("deletions", f"{verdict.deletions}, each looked up with its ending"),
        ("torn", ", ".join(f"line {line}" for line in verdict.torn) or "none"),
        ("head", verdict.head.digest),
    ]
    if verdict.old_lines:
        rows.append(("old lines", f"{verdict.old_lines} of version 1, in which the order of the fields is not proved"))
    if verdict.gaps:
        rows.append(("gaps", f"{verdict.gaps}, and {verdict.unproved} deletions whose ending is missing for that"))
    if verdict.anchor:
        found = "MISSING" if verdict.anchored_at is None else f"found at line {verdict.anchored_at} of the chain"
        rows.append(("anchor", found))
    console.print(output.facts(rows))
    for problem in verdict.problems:
        console.print(output.cell(f"line {problem.line}: {problem.text}", "bold red"))
    console.print(_meaning(verdict))


def _table(console: Console, found: Iterable[Entry], undoable: set[str]) -> None:
    rows = [
        (
            times.moment(entry.fields.get("at_ms")),
            entry.text("who"),
            entry.step,
            entry.text("resource"),
            entry.text("rule"),
            _what(entry),
            entry.short_id if entry.digest in undoable else "",
        )
        for entry in found
    ]
    console.print(output.table(("when (UTC)", "who", "step", "resource", "rule", "what", "undo"), rows))


def _what(entry: Entry) -> str:
    if entry.step == StepName.SETTLED:
        return f"{entry.text('outcome') or 'untouched'}, message {entry.text('disposition')}{records.waits(entry)}"
    state = states.change(entry.text("before"), entry.text("after"))
    return ": ".join(part for part in (entry.text("outcome"), entry.text("reason"), state) if part)
