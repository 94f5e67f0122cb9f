"""The help of every command reads well on a screen of 80 columns, and shows how the command is typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from consumer.cli.main import cli as root

COLUMNS = 80


def commands(group: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    """Every command and group, by its words."""
    yield path
    if isinstance(group, click.Group):
        for name, each in group.commands.items():
            yield from commands(each, *path, name)


def found(path: tuple[str, ...]) -> click.Command:
    """The command of these words."""
    command: click.Command = root
    for word in path:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


def shown(path: tuple[str, ...]) -> str:
    """Its help on a screen of 80 columns."""
    context = root.context_class(root, info_name="config-remediator", terminal_width=COLUMNS)
    command = root
    for word in path:
        command = found((*context.command_path.split()[1:], word))  # type: ignore[assignment]
        context = command.context_class(command, parent=context, info_name=word, terminal_width=COLUMNS)
    return command.get_help(context)


ALL = list(commands(root))
LEAVES = [path for path in ALL if not isinstance(found(path), click.Group)]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_no_line_is_wider_than_the_screen(path: tuple[str, ...]) -> None:
    """What stands in blocks of its own is not wrapped, so it has to fit as it is written."""
    assert [line for line in shown(path).splitlines() if len(line) > COLUMNS] == []


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_no_word_is_split(path: tuple[str, ...]) -> None:
    """An option that is broken at a hyphen can be neither searched for nor copied."""
    assert [line for line in shown(path).splitlines() if re.search(r"\w-$", line)] == []


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_a_command_shows_examples_and_its_exit_status(path: tuple[str, ...]) -> None:
    """Each example begins with the whole command, so that it can be copied."""
    text = shown(path)
    examples = re.findall(r"^ +(config-remediator .*)$", text, re.MULTILINE)
    assert any(line.startswith(" ".join(("config-remediator", *path))) for line in examples), text
    assert "Exit status:" in text


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_option_says_what_it_does(path: tuple[str, ...]) -> None:
    """In a sentence."""
    silent = [each.name for each in found(path).params if isinstance(each, click.Option) and not each.help]
    assert silent == []
