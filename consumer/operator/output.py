"""How a command shows what it found: tables for people, one JSON document for scripts.

Much of what is shown comes from messages and services, so nothing is ever read as markup and no control character
reaches whoever reads, in either form.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TextIO

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from consumer.core.printable import printable
from consumer.operator.tables import Facts, Grid, Prose

_SPACES = re.compile(r"^ +| {2,}")
_WIDE = 180
"""Columns when standard output is no terminal: a file or a pipe has no edge to wrap at."""
_MOST_ANSWERS, _LONGEST_ANSWER = 3, 100
"""To a question, whatever comes out of a pipe."""


class _Screen(Console):
    """A console that breaks lines between words only, cuts nothing off, and controls nobody's terminal."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Write something; with `soft_wrap` as it is, for the terminal to fold."""
        texts = (Text(printable(each, keep="\n")) if isinstance(each, str) else each for each in objects)
        whole = (
            texts if options.get("soft_wrap") else (Prose(each) if isinstance(each, Text) else each for each in texts)
        )
        super().print(*whole, **{"crop": False, **options})

    def on_broken_pipe(self) -> None:
        """Let who runs the command decide what it means that the reader has gone."""
        raise


def console(stream: TextIO | None = None, width: int | None = None) -> Console:
    """A console on standard output, or another stream; as wide as the terminal, unless `width` says how wide."""
    target = stream or sys.stdout
    columns = width or (None if target.isatty() else _WIDE)
    return _Screen(file=target, width=columns, highlight=False, markup=False, emoji=False)


def show(form: str, document: Any, draw: Callable[[Console], None]) -> None:
    """Show a result in the chosen form; `document` is its JSON."""
    if form == "json":
        write_json(document)
    else:
        draw(console())


def write_json(document: Any) -> None:
    """One JSON document on standard output; what cannot be printed is escaped, and stays the same document."""
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=False)
    sys.stdout.write(printable(text, keep="\n") + "\n")


def note(text: str) -> None:
    """A line for whoever waits, on standard error; what comes from outside in it controls no terminal."""
    with suppress(OSError):  # nobody reads it, which is no reason to end
        click.echo(printable(text, keep="\n"), err=True)


def cell(value: object, style: str = "") -> Text:
    """A value as a table may show it, never markup and never a control character; a tuple is one value a line."""
    values = value if isinstance(value, tuple) else ("" if value is None else value,)
    return Text("\n".join(printable(str(each)) for each in values), style=style)


def unbroken(console: Console, text: str) -> None:
    """Print a line with a command in it: the terminal folds it where it is too long, and it is copied whole."""
    console.print(text, soft_wrap=True)


def field(value: object) -> Text:
    """A value beside others: as `cell`, and no space in it can pass for a column of ours, or set it off as our own."""
    values = value if isinstance(value, tuple) else ("" if value is None else value,)
    return Text("\n".join(_SPACES.sub(_escaped, printable(str(each))) for each in values))


def _escaped(spaces: re.Match[str]) -> str:
    between = spaces.start() > 0
    return " " * between + "\\u0020" * (len(spaces[0]) - between)


def lines(text: str) -> RenderableType:
    """A text of several lines, each set off from what the command says itself, so that none can pass for that."""
    return Prose(cell(tuple(text.split("\n"))), indent=2)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> RenderableType:
    """A table of rows; numbers to the right."""
    kept = [list(row) for row in rows]
    numbers = {
        index for index in range(len(columns)) if kept and all(isinstance(row[index], int | float) for row in kept)
    }
    cells = [[value if isinstance(value, Text) else field(value) for value in row] for row in kept]
    return Grid(columns, cells, frozenset(numbers), title)


def facts(pairs: Iterable[tuple[str, object]]) -> RenderableType:
    """Names with their values, one a line."""
    return Facts([(printable(name), value if isinstance(value, Text) else field(value)) for name, value in pairs])


def declined(question: str) -> str:
    """Ask a person; why not, or nothing for a yes. Without a terminal a yes may come from a pipe.

    Not by `input`, which writes while it waits and swallows what a signal raises in that.

    Raises:
        KeyboardInterrupt: a signal came meanwhile.
    """
    sys.stdout.flush()
    for _ in range(_MOST_ANSWERS):
        click.echo(f"{question} [y/N]: ", nl=False, err=True)
        match _answer():
            case "y" | "yes":
                return ""
            case "" | "n" | "no":
                return "you declined"
            case None:
                break
            case _:
                click.echo("Please answer y or n.", err=True)
    return "nobody answered; where there is no terminal, say --yes"


def _answer() -> str | None:
    """One line of what was typed, or piped; None if there is none, or it is no text."""
    try:
        line = sys.stdin.readline(_LONGEST_ANSWER) if sys.stdin else ""
    except (UnicodeDecodeError, OSError):
        return None
    return line.strip().lower() if line else None


def progress(what: str, total: int | None) -> tuple[Progress, Callable[[], None]]:
    """A progress bar on standard error, shown on a terminal only, and what moves it by one."""
    target = console(sys.stderr)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=target,
        transient=True,
        disable=not target.is_terminal,
    )
    task = bar.add_task(what, total=total)
    return bar, lambda: bar.advance(task)
