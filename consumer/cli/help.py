"""How the help is written: an option's name is never broken at one of its hyphens."""

from __future__ import annotations

from collections.abc import Iterable

import click

_UNBROKEN = "\N{NON-BREAKING HYPHEN}"


class WholeWords(click.HelpFormatter):
    """Breaks lines between words only."""

    def write(self, string: str) -> None:
        """Write text that is laid out already."""
        super().write(string.replace(_UNBROKEN, "-"))

    def write_text(self, text: str) -> None:
        """Lay out and write sentences."""
        super().write_text(text.replace("-", _UNBROKEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Lay out and write names with what they mean."""
        super().write_dl([(name, text.replace("-", _UNBROKEN)) for name, text in rows], col_max, col_spacing)


class CommandContext(click.Context):
    """One run of a command."""

    formatter_class = WholeWords


class OperatorGroup(click.Group):
    """A command that has commands."""

    context_class = CommandContext
