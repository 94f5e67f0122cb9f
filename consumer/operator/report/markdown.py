"""A report in Markdown with GitHub's tables, for an issue, a chat or a wiki; whatever came from outside stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from consumer.core.printable import printable
from consumer.operator.report.page import Cell, Chart, ReportPage, Table

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>()#+!|~&$^=]")
"""What begins markup anywhere in a line; CommonMark 0.31.2, section 2.4, takes a backslash before each."""
_LINKS = re.compile(r"(?i):(?=//)|(?<=\bwww)\.|@")
"""What GitHub makes a link of without any markup: section 6.9 of its specification, autolinks."""
_BAR = 30


def markdown(page: ReportPage) -> str:
    """The whole report, ending with a newline."""
    return "\n".join(_lines(page)).rstrip("\n") + "\n"


def _lines(page: ReportPage) -> Iterator[str]:
    yield from (f"# {escaped(page.title)}", "", escaped(page.period), "")
    yield from _table(("", "", ""), [(each.label, f"**{escaped(each.value)}**", each.note) for each in page.figures], 1)
    if page.unknown:
        yield from ("", "## What this report does not know", "")
        yield from (f"- {escaped(sentence)}" for sentence in page.unknown)
    for part in page.parts:
        yield from ("", f"## {escaped(part.title)}", "")
        yield from _part(part)
    yield from ("", "## What was read", "")
    yield from (f"- {escaped(each)}" for each in page.files)


def _part(part: Table | Chart) -> Iterator[str]:
    rows = part.rows if isinstance(part, Table) else part.bars
    if not rows:
        yield escaped(part.empty)
        return
    if part.note:
        yield from (escaped(part.note), "")
    if isinstance(part, Chart):
        bars = [(day, _bar(count or 0, part.most), "?" if count is None else count) for day, count in part.bars]
        yield from _table(("day", "", "changes"), bars, right=(False, False, True))
    else:
        yield from _table(part.columns, part.rows, right=part.to_the_right())


def _bar(count: int, most: int) -> str:
    return "█" * max(round(_BAR * count / most), 1 if count else 0)


def _table(
    columns: tuple[str, ...], rows: Sequence[tuple[Cell, ...]], ready: int = -1, right: Sequence[bool] = ()
) -> Iterator[str]:
    """A table; the column of the number `ready` is Markdown already."""
    yield _row([escaped(name) for name in columns])
    yield _row(["--:" if each else "---" for each in right or [False] * len(columns)])
    for row in rows:
        yield _row([str(value) if index == ready else escaped(str(value)) for index, value in enumerate(row)])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, in one line, with no link and no markup made of it."""
    return _LINKS.sub(r"\\\g<0>", _SPECIAL.sub(r"\\\g<0>", printable(text)))
