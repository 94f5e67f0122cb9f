"""Reads the states of listed resources again, whole: a tally keeps little of each, and of all but a few for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from consumer.journal.format import Entry
from consumer.operator import records
from consumer.operator.report.findings import Findings, Listed


def whole(found: Findings) -> Findings:
    """The same, with every state that it lists as the journal has it.

    Raises:
        ConfigurationError: a journal cannot be read any more.
    """
    shown = (*found.would_fix.shown, *found.contested.shown)
    wanted = {each.line for each in shown if each.line}
    names = {json.dumps(each.resource).encode("ascii") for each in shown}
    lines = {
        entry.digest: entry
        for journal in (found.files if wanted else ())
        for entry in records.entries(Path(journal.path), names)
        if entry.digest in wanted
    }
    return replace(found, would_fix=_listed(found.would_fix, lines), contested=_listed(found.contested, lines))


def _listed(listed: Listed, lines: Mapping[str, Entry]) -> Listed:
    return replace(
        listed,
        shown=tuple(
            replace(each, before=line.text("before"), after=line.text("after"))
            if (line := lines.get(each.line))
            else each
            for each in listed.shown
        ),
    )
