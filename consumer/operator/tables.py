"""Tables whose words stay whole at any width, so that an id can be read, searched for and copied from each.

A line breaks where there is a space, between the members of a JSON text and between wide characters, and nowhere else.
Where the columns do not fit beside each other without breaking a word, each row is written as a list of names and
values instead; a word that is wider than the whole screen is left to the terminal, but for a JSON member: its value may
stand below its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60"
"""Scripts that are written without spaces."""
_PIECE = re.compile(rf'[^\s]+?(?:(?<=,)(?=["{{\[])|(?<=[{_WIDE}])(?=[{_WIDE}])|(?!\S))')
_MEMBER = re.compile(r'(?<=":)(?=["{\[])')
"""Within a piece that is too wide: between the name of a JSON member and its value."""
_BETWEEN = 3
"""Cells between two columns."""
_NARROWEST_VALUE = 20
"""In a list, a value that has less room beside its name stands below it."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows under headings, drawn as a table, or where that is too wide as a list for each row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Text]]
    right: frozenset[int] = frozenset()
    """Columns that stand to the right: numbers."""
    title: str = ""

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, as `rich` asks for them."""
        yield from _drawn(self._lines(options.max_width))

    def _lines(self, width: int) -> Iterator[Text]:
        if self.title:
            yield Text(self.title, style="italic")
        yield Text()
        widths = self._widths(width - 1 - _BETWEEN * (len(self.columns) - 1))
        yield from self._table(widths) if widths else self._lists(width)
        yield Text()

    def _widths(self, room: int) -> list[int]:
        """How wide each column is; nothing if a word would not fit."""
        cells = [[Text(name), *(row[index] for row in self.rows)] for index, name in enumerate(self.columns)]
        least = [max(_longest_piece(each) for each in column) for column in cells]
        most = [max(_longest_line(each) for each in column) for column in cells]
        if sum(least) > room:
            return []
        fair = max(cap for cap in range(room + 1) if sum(_between(least, most, cap)) <= room or cap == 0)
        widths = _between(least, most, fair)
        for index, wanted in enumerate(most):  # what is left over because the next cell more would be too much for all
            widths[index] += min(wanted - widths[index], room - sum(widths))
        return widths

    def _table(self, widths: list[int]) -> Iterator[Text]:
        yield from self._row([Text(name, style="bold") for name in self.columns], widths)
        yield Text(" " + "─" * (sum(widths) + _BETWEEN * (len(widths) - 1)))
        for row in self.rows:
            yield from self._row(row, widths)

    def _row(self, row: Sequence[Text], widths: list[int]) -> Iterator[Text]:
        cells = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, cells))):
            line = Text(" ")
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
                part = cell[number] if number < len(cell) else Text()
                space = " " * (width - part.cell_len)
                line.append_text(Text(space) + part if index in self.right else part + Text(space))
                line.append(" " * _BETWEEN)
            line.rstrip()
            yield line

    def _lists(self, width: int) -> Iterator[Text]:
        for number, row in enumerate(self.rows):
            if number:
                yield Text()
            pairs = zip(self.columns, row, strict=True)
            yield from listed([(name, value) for name, value in pairs if value.plain], width)


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values."""

    pairs: Sequence[tuple[str, Text]] = field(default=())

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, as `rich` asks for them."""
        yield from _drawn(listed(self.pairs, options.max_width))


@dataclass(frozen=True, slots=True)
class Prose:
    """Sentences, every line of them set off by so many cells."""

    text: Text
    indent: int = 0

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines, as `rich` asks for them."""
        lines = wrapped(self.text, options.max_width - self.indent)
        yield from _drawn(Text(" " * self.indent) + line for line in lines)


def listed(pairs: Sequence[tuple[str, Text]], width: int) -> Iterator[Text]:
    """Each name with its value beside it, or below it where the value needs the room."""
    beside = max((cell_len(name) for name, _ in pairs), default=0) + 2
    for name, value in pairs:
        label = Text().append(name, style="bold")  # a style of the whole text would be the value's, too
        if width - beside >= max(_longest_piece(value), min(_NARROWEST_VALUE, _longest_line(value))):
            first, *rest = wrapped(value, width - beside)
            yield label + Text(" " * (beside - label.cell_len)) + first
            yield from (Text(" " * beside) + line for line in rest)
        else:
            yield label
            yield from (Text("  ") + line for line in wrapped(value, width - 2))


def wrapped(text: Text, width: int) -> list[Text]:
    """The text in lines of that many cells, or of one word where that is wider; one line at least."""
    return [piece for line in text.split("\n", allow_blank=True) for piece in _wrapped_line(line, width)]


def _wrapped_line(line: Text, width: int) -> Iterable[Text]:
    if line.cell_len <= width:
        return [line]
    plain, cuts = line.plain, []
    filled = end = 0
    for start, stop in _pieces(plain, width):
        wanted = cell_len(plain[end:stop])
        if filled and filled + wanted > width:
            cuts.append(start)
            filled, wanted = 0, cell_len(plain[start:stop])
        filled += wanted
        end = stop
    parts = list(line.divide(cuts))
    for part in parts:
        part.rstrip()
    return parts


def _pieces(plain: str, width: int) -> Iterator[tuple[int, int]]:
    """Where each piece begins and ends; one that is wider than a line is parted where a JSON member allows it."""
    for found in _PIECE.finditer(plain):
        start, stop = found.span()
        if cell_len(found[0]) > width:
            for member in _MEMBER.finditer(plain, start, stop):
                yield start, member.start()
                start = member.start()
        yield start, stop


def _longest_piece(text: Text) -> int:
    return max((cell_len(found[0]) for found in _PIECE.finditer(text.plain)), default=0)


def _longest_line(text: Text) -> int:
    return max(cell_len(line) for line in text.plain.split("\n"))


def _between(least: Sequence[int], most: Sequence[int], cap: int) -> list[int]:
    return [min(upper, max(lower, cap)) for lower, upper in zip(least, most, strict=True)]


def _drawn(lines: Iterable[Text]) -> Iterator[Text]:
    """Lines as they are: no word of them is broken or cut later on."""
    for line in lines:
        line.no_wrap, line.overflow = True, "ignore"
        yield line
