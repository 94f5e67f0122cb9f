"""Commands in what a person reads: found in a text, and read by the command line as if typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from consumer.cli.main import cli

_COMMAND = re.compile(r"config-remediator (?=[a-z])(?!(?:[a-z-]+ )?[a-z-]+: )")
"""Not one that says in the same words what it was stopped by."""
_LAST_OPTION = "--config"
"""With its value it ends a command; a sentence may go on behind it."""


def commands(text: str) -> list[list[str]]:
    """The words of each command in a text, without the program; each has to name its configuration."""
    return [_words(text[found.end() :].partition("\n")[0]) for found in _COMMAND.finditer(text)]


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    for word in lexer:  # lazily: what comes after the command may have an apostrophe in it
        words.append(word)
        if words[-2:-1] == [_LAST_OPTION]:
            return words
    raise AssertionError(f"no {_LAST_OPTION} in {text!r}")


def read(words: Sequence[str]) -> dict[str, Any]:
    """The parameters of a command that the command line takes.

    Raises:
        click.UsageError: it does not take it.
    """
    command: click.Command = cli
    context, rest = click.Context(cli, info_name="config-remediator"), list(words)
    while isinstance(command, click.Group):
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f"there is no command {rest[0]!r}")
        command, rest = found, rest[1:]
    return command.make_context(command.name, rest, parent=context).params


def assert_typed(text: str, config: Path, *expected: str) -> list[list[str]]:
    """Every command in a text is accepted and names that configuration; there is one for each of the expected names."""
    found = commands(text)
    assert [" ".join(words[: len(name.split())]) for words, name in zip(found, expected, strict=True)] == list(expected)
    for words in found:
        assert read(words)["path"] == config, words
    return found
