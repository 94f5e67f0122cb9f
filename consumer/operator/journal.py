"""Proves a journal whole, and answers who changed a bucket, what and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from consumer.core.exit_codes import CommandExit
from consumer.core.observers import StepName
from consumer.journal.format import Entry, Verdict
from consumer.journal.format import verify as verified
from consumer.operator import output, records

_TOLD = frozenset({StepName.BEFORE, StepName.VERIFIED, StepName.DECIDED, StepName.SETTLED, StepName.UNDONE})
"""What `show` has without --all: what somebody wants to know about a bucket."""


def verify(config: Path | None, file: Path | None, form: str, *, anchor: str) -> CommandExit:
    """Read the whole journal and tell what is wrong with it.

    Raises:
        ConfigurationError: there is no journal to read.
    """
    path = records.journal_path(config, file)
    verdict = verified(records.lines(path), anchor.lower())
    missing = bool(anchor) and not verdict.anchored
    output.show(form, _verdict(verdict, missing=missing), lambda console: _draw(console, path, verdict, anchor))
    return CommandExit.FOUND if verdict.problems or missing else CommandExit.DONE


def show(config: Path | None, file: Path | None, form: str, *, bucket: str, rule: str, everything: bool) -> CommandExit:
    """Show what happened to a bucket, or to every one.

    Raises:
        ConfigurationError: there is no journal to read.
    """
    path = records.journal_path(config, file)
    undoable = {digest for digest, done in records.changes(path).items() if not done.undone}
    found = [
        entry
        for entry in records.entries(path)
        if (not bucket or entry.text("resource") == bucket)
        and (not rule or entry.text("rule") == rule)
        and (everything or entry.step in _TOLD)
    ]
    document = [{**entry.fields, "hash": entry.digest, "undoable": entry.digest in undoable} for entry in found]
    output.show(form, document, lambda console: _table(console, found, undoable))
    return CommandExit.DONE


def _verdict(verdict: Verdict, *, missing: bool) -> dict[str, Any]:
    return {
        "whole": not verdict.problems and not missing,
        "entries": verdict.entries,
        "deletions": verdict.deletions,
        "head": verdict.head.digest,
        "anchor_found": not missing,
        "torn_lines": verdict.torn,
        "problems": [{"line": problem.line, "text": problem.text} for problem in verdict.problems],
    }


def _draw(console: Console, path: Path, verdict: Verdict, anchor: str) -> None:
    console.print(
        output.facts(
            [
                ("journal", path),
                ("lines", verdict.entries),
                ("deletions", f"{verdict.deletions}, each looked up with its ending"),
                ("torn", ", ".join(f"line {line}" for line in verdict.torn) or "none"),
                ("head", verdict.head.digest),
                *([("anchor", "found" if verdict.anchored else "MISSING: the end was cut off")] if anchor else []),
            ]
        )
    )
    for problem in verdict.problems:
        console.print(output.cell(f"line {problem.line}: {problem.text}", "bold red"))
    if verdict.problems:
        console.print("The journal is NOT whole.")
    else:
        console.print("The journal is whole: nothing was altered, removed or reordered before its head.")


def _table(console: Console, found: list[Entry], undoable: set[str]) -> None:
    rows = [
        (
            output.moment(entry.fields.get("at_ms")),
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
    before, after = entry.text("before"), entry.text("after")
    if entry.step == StepName.SETTLED:
        return f"{entry.text('outcome') or 'untouched'}, message {entry.text('disposition')}"
    state = f"{before} → {after}" if before != after else before
    return ": ".join(part for part in (entry.text("outcome"), entry.text("reason"), state) if part)
