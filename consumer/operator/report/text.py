"""A report for a terminal and for plain mail."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.text import Text

from consumer.core.printable import printable
from consumer.operator import output
from consumer.operator.report.page import Chart, ReportPage, Table, Tone

_WIDTH = 100
"""Columns of a report in a file: a mail is read in a window, not in a pipe."""
_LONGEST_BAR = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"
_STYLES = {Tone.PLAIN: "bold", Tone.GOOD: "bold green", Tone.BAD: "bold red", Tone.UNKNOWN: "bold yellow"}


def draw(console: Console, page: ReportPage) -> None:
    """Write a report to a console."""
    for each in _blocks(page, console.width):
        console.print(each)


def text(page: ReportPage) -> str:
    """A report as plain text."""
    stream = io.StringIO()
    draw(output.console(stream, _WIDTH), page)
    return "\n".join(line.rstrip() for line in stream.getvalue().split("\n"))


def _blocks(page: ReportPage, width: int) -> Iterator[RenderableType]:
    yield Text(f"{page.title}\n{page.period}\n", style="bold")
    yield output.facts(
        (each.label, output.cell(each.value, _STYLES[each.tone]) + Text(f"  {printable(each.note)}"))
        for each in page.figures
    )
    yield ""
    if page.unknown:
        yield Text("What this report does not know", style="bold yellow")
        yield from (output.lines(sentence) for sentence in page.unknown)
        yield ""
    for part in page.parts:
        yield Text(part.title, style="bold")
        if part.note and (part.rows if isinstance(part, Table) else part.bars):
            yield part.note
        yield _chart(part, width) if isinstance(part, Chart) else _table(part)
    yield Text("What was read", style="bold")
    yield from (output.lines(each) for each in page.files)


def _table(part: Table) -> RenderableType:
    return output.table(part.columns, part.rows) if part.rows else Text(f"  {part.empty}\n")


def _chart(part: Chart, width: int) -> RenderableType:
    if not part.bars:
        return Text(f"  {part.empty}\n")
    beside = len("    ") + max(len(day) for day, _ in part.bars) + len(f" {part.most}")
    longest = max(1, min(_LONGEST_BAR, width - beside))
    lines = [f"  {day}  {_bar(count, part.most, longest)}" for day, count in part.bars]
    return Text("\n" + "\n".join(lines) + "\n")


def _bar(count: int | None, most: int, longest: int) -> str:
    """A bar in eighths of a character with its number; the smallest count that is any shows one."""
    if not count:
        return "" if count == 0 else "?"
    eighths = max(round(count * longest * 8 / most), 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip() + f" {count}"
