"""How the help is written: whole words at any width, so that an option, a key and an example can be copied."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import click

_UNBROKEN, _UNBROKEN_SPACE = "\N{NON-BREAKING HYPHEN}", "\N{NO-BREAK SPACE}"
_AS_WRITTEN = "\b"
"""A line of this alone says that those up to the next one, or to an empty line, are laid out already."""
_NARROWEST = 20
_NARROW = 60
"""Below so many columns, what an option means stands under its name rather than beside it."""
_QUOTED = re.compile(r"'[^']*'")
_COMMAND, _GOES_ON = "config-remediator ", " \\"


class WholeWords(click.HelpFormatter):
    """Breaks lines between words only."""

    def write(self, string: str) -> None:
        """Write text that is laid out already."""
        super().write(string.replace(_UNBROKEN, "-").replace(_UNBROKEN_SPACE, " "))

    def write_text(self, text: str) -> None:
        """Lay out and write sentences; lines that are laid out already stay as they are where they fit."""
        margin = " " * self.current_indent
        for number, paragraph in enumerate(_paragraphs(text)):
            self.write("\n" if number else "")
            as_written = paragraph[0] == _AS_WRITTEN
            lines = paragraph[1:] if as_written else paragraph
            room = self.width - self.current_indent
            fit = as_written and max(map(len, lines), default=0) <= room
            self.write("".join(f"{margin}{line}\n" for line in (lines if fit else _fitted(lines, room))))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Lay out and write names with what they mean."""
        if self.width < _NARROW:
            col_max = 2
        super().write_dl([(name, text.replace("-", _UNBROKEN)) for name, text in rows], col_max, col_spacing)


def _paragraphs(text: str) -> Iterator[list[str]]:
    """The paragraphs of a help text, each of one line at least."""
    for has_words, lines in groupby(text.splitlines(), lambda line: bool(line.strip(" "))):
        paragraph: list[str] = []
        for line in lines if has_words else ():
            if line.strip(" ") == _AS_WRITTEN and paragraph:
                yield paragraph
                paragraph = []
            paragraph.append(_AS_WRITTEN if line.strip(" ") == _AS_WRITTEN else line)
        if paragraph:
            yield paragraph


def _fitted(lines: Sequence[str], room: int) -> Iterator[str]:
    """Sentences as one text; what is set off, such as an example, line by line."""
    for set_off, some in groupby(lines, lambda line: line.startswith(" ")):
        for text in _whole_commands(some) if set_off else (" ".join(some),):
            yield from _broken(text, room)


def _whole_commands(lines: Iterable[str]) -> Iterator[str]:
    """Each line, and those of one command as one."""
    begun = ""
    for line in lines:
        whole = f"{begun} {line.lstrip(' ')}" if begun else line
        begun = whole.removesuffix(_GOES_ON) if whole.endswith(_GOES_ON) else ""
        if not begun:
            yield whole


def _broken(text: str, room: int) -> Iterator[str]:
    """A line in lines of that many cells; a command that is broken can still be copied."""
    if len(text) <= room:
        yield text
        return
    words = text.lstrip(" ")
    margin = text[: len(text) - len(words)]
    example = _COMMAND in words
    parts = textwrap.wrap(
        _QUOTED.sub(lambda found: found[0].replace(" ", _UNBROKEN_SPACE), words) if example else words,
        max(1, room - len(margin) - 2 * example),
        subsequent_indent="  " * example,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for number, part in enumerate(parts, start=1):
        yield f"{margin}{part}{_GOES_ON if example and number < len(parts) else ''}"


class CommandContext(click.Context):
    """One run of a command."""

    formatter_class = WholeWords

    def make_formatter(self) -> click.HelpFormatter:
        """What writes the help, as wide as the screen: click takes none for narrower than fifty columns."""
        widest = self.max_content_width or 80
        columns = self.terminal_width or min(shutil.get_terminal_size().columns, widest) - 2
        return self.formatter_class(width=max(columns, _NARROWEST), max_width=widest)


class OperatorGroup(click.Group):
    """A command that has commands."""

    context_class = CommandContext

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command is for, in its whole first sentence."""
        shown = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(limit=1_000)) for name, each in shown if each])
