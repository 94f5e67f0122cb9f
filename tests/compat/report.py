"""Writes the generated parts of docs/emulator-compatibility.md: what suites came to, and the tables of codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from emulator.codes import Row
from emulator.ecs.codes import Ecs
from emulator.mns.codes import Code
from emulator.oss.codes import Oss
from emulator.rpc_codes import Rpc
from tests.compat.outcomes import read_expected
from tests.compat.suites import SUITES

FIGURES = Path(__file__).parent / "figures.json"
DOCUMENT = Path(__file__).parents[2] / "docs" / "emulator-compatibility.md"
_TABLES: tuple[tuple[str, type[Enum]], ...] = (
    ("MNS", Code),
    ("OSS", Oss),
    ("ECS", Ecs),
    ("Cloud Config, STS, and what ECS has in common with them", Rpc),
)


def write_document() -> None:
    """Bring the document up to date."""
    DOCUMENT.write_text(with_generated_parts(DOCUMENT.read_text()))


def with_generated_parts(text: str) -> str:
    """The document with everything between its markers written anew.

    Raises:
        ValueError: a marker is missing.
    """
    for name, content in (("suites", _suites()), ("codes", _codes())):
        start, end = f"<!-- {name}: written by `python -m tests.compat --document` -->", f"<!-- end of {name} -->"
        pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"docs/emulator-compatibility.md has no {start}")
        text = pattern.sub(lambda _, new=f"{start}\n\n{content}\n{end}": new, text)  # type: ignore[misc]
    return text


def _suites() -> str:
    """How many tests passed, and why the others did not."""
    figures = json.loads(FIGURES.read_text())
    lines = ["| package | tests passed | failed | skipped |", "|---|---|---|---|"]
    for suite in SUITES:
        run = figures[suite.name]
        lines.append(f"| {suite.name} {run['version']} | {run['passed']} | {run['failed']} | {run['skipped']} |")
    for suite in SUITES:
        counts = read_expected(suite.expected.read_text()).counts()
        if counts:
            lines += ["", f"Why tests of {suite.name} fail:", "", "| reason | tests |", "|---|---|"]
            lines += [f"| {reason} | {count} |" for reason, count in counts]
    return "\n".join(lines) + "\n"


def _codes() -> str:
    parts = [f"### {title}\n\n{_table(member.value for member in table)}" for title, table in _TABLES]
    return "\n".join(parts)


def _table(rows: Iterable[Row]) -> str:
    lines = ["| operations | status | code | EC | message | known from |", "|---|---|---|---|---|---|"]
    for row in rows:
        known = f"{row.known}: {row.source}" if row.source else str(row.known)
        operations = "all" if row.operations == "*" else ", ".join(f"`{name}`" for name in row.operations.split())
        cells = (operations, str(row.status), f"`{row.code}`", row.ec, row.message.replace("|", "\\|"), known)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
