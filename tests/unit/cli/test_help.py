"""The help of every command reads well on a screen of 80 columns and of 40, and shows how the command is typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from consumer.cli.main import cli as root

COLUMNS = pytest.mark.parametrize("columns", [80, 40])
WIDE = 200


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


def shown(path: tuple[str, ...], columns: int = 80) -> str:
    """Its help on a screen of so many columns."""
    context = root.context_class(root, info_name="config-remediator", terminal_width=columns)
    command = root
    for word in path:
        command = found((*context.command_path.split()[1:], word))  # type: ignore[assignment]
        context = command.context_class(command, parent=context, info_name=word, terminal_width=columns)
    return command.get_help(context)


ALL = list(commands(root))
LEAVES = [path for path in ALL if not isinstance(found(path), click.Group)]


def words(text: str) -> list[str]:
    """What stands between spaces; the backslashes with which a command goes on in the next line are no words."""
    return [word for word in text.split() if word != "\\"]


@COLUMNS
@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_no_line_is_wider_than_the_screen(path: tuple[str, ...], columns: int) -> None:
    """Unless it is a single word, one in quotation marks, or an option with the values that it takes."""
    wide = [line.strip() for line in shown(path, columns).splitlines() if len(line) > columns]
    assert [line for line in wide if not re.fullmatch(r"\S+|'.*'|.* \[[a-z|-]+\]", line)] == []


@COLUMNS
@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_no_word_is_split(path: tuple[str, ...], columns: int) -> None:
    """An option that is broken at a hyphen, or a key that is broken anywhere, can be neither searched for nor copied.

    Nor is anything left out: a command is described in the whole sentence.
    """
    assert words(shown(path, columns)) == words(shown(path, WIDE))
    assert not [each for each in words(shown(path, columns)) if re.search(r"[a-z]\.\.\.$", each)]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_nothing_that_controls_a_terminal_is_printed(path: tuple[str, ...]) -> None:
    """Such as the backspace by which a help text says that its lines are laid out already."""
    assert not [each for each in shown(path) if each != "\n" and not each.isprintable()]


def test_a_broken_example_can_still_be_copied() -> None:
    """A shell, to which a backslash before a new line is nothing, reads the same words from it as from a wide one."""
    for path in LEAVES:
        narrow, wide = (
            [
                shlex.split(" ".join(line.split()))
                for line in re.findall(r"^ {4,}(.*config-remediator .*)$", text, re.MULTILINE)
            ]
            for text in (shown(path, columns).replace("\\\n", "") for columns in (40, WIDE))
        )
        assert narrow == wide
        assert narrow


def test_a_screen_of_any_width_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """As wide as the terminal says, and never wider than can be read."""
    for columns, least, most in ((1, 1, 30), (40, 30, 40), (1_000, 90, 100)):
        monkeypatch.setenv("COLUMNS", str(columns))
        context = root.context_class(root, info_name="config-remediator", max_content_width=100)
        widest = max(map(len, root.get_help(context).splitlines()))
        assert least <= widest <= most, columns


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
