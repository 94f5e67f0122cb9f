"""What commands say when there is nothing to do or nobody to ask, and who says it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from consumer.cli.main import cli as root
from consumer.journal.format import ChainHead, sealed
from emulator.client import Emulator
from tests.integration.cli.conftest import Cli
from tests.integration.cli.letters import letter, put


def leaves(group: click.Command, *path: str) -> list[tuple[str, ...]]:
    """Every command that can be run, by its words."""
    if isinstance(group, click.Group):
        return [leaf for name, each in group.commands.items() for leaf in leaves(each, *path, name)]
    return [path]


def needs_a_configuration(words: tuple[str, ...]) -> bool:
    """Whether the command cannot do without `--config`."""
    command: click.Command = root
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return any("--config" in option.opts and option.required for option in command.params)


WITH_CONFIG = [words for words in leaves(root) if needs_a_configuration(words)]


@pytest.mark.parametrize("words", WITH_CONFIG, ids=" ".join)
def test_an_error_names_the_whole_command(words: tuple[str, ...], cli: Cli) -> None:
    """`config-remediator dlq list: …`, so that a script's log says which of its commands it was."""
    needed = {
        "dlq show": ["12345678"],
        "undo": ["12345678"],
        "explain": ["12345678"],
        "repair": ["photos", "--rule", "public-read"],
        "simulate": [str(cli.path)],
    }
    arguments = needed.get(" ".join(words), [])
    result = cli.run(*words, *arguments, REMEDIATOR_CONFIG=str(cli.path.parent / "none.toml"))
    name = f"config-remediator {' '.join(words)}"
    if words == ("check",):
        assert "none.toml" in result.out
    else:
        assert result.err.startswith(f"{name}: "), result
    assert result.status == 2


def test_dlq_alone_lists(cli: Cli, channel: Emulator) -> None:
    """As the page on call says it."""
    put(channel, letter(1))
    alone, listed = cli.run("dlq"), cli.run("dlq", "list")
    assert (alone.status, alone.out) == (0, listed.out)
    assert "bucket-01" in alone.out
    assert "config-remediator dlq list: " in cli.run("dlq", REMEDIATOR_CONFIG="/none.toml").err


def test_a_filter_that_nothing_fits_says_so(cli: Cli, channel: Emulator) -> None:
    """An empty table could also mean that there are no letters; an outcome that there is none of is refused."""
    put(channel, letter(1), letter(2))
    result = cli.run("dlq", "list", "--rule", "nope")
    assert (result.status, result.err) == (0, "None of the 2 letters that were looked at fits.\n")
    assert cli.run("dlq", "list", "--rule", "nope", "--all").err == result.err
    assert "letters in the queue: 2, fitting: 0" in cli.run("dlq", "redrive", "--rule", "nope", "--dry-run").err
    assert cli.run("dlq", "list", "--rule", "public-read").err == ""
    refused = cli.run("dlq", "list", "--outcome", "nope")
    assert refused.status == 2
    assert "'rejected', 'invalid', 'exhausted'" in refused.err


def test_what_a_journal_does_not_have_is_one_sentence(cli: Cli, journal: Path) -> None:
    """No table of nothing beside it; scripts get an empty list. Without a filter, only --all may have something."""
    line, _ = sealed(ChainHead(), {"step": "opened", "at_ms": 1, "who": "worker", "rule": ""})
    journal.write_bytes(line)
    for arguments, said in (
        (("photos",), "The journal has nothing about resource 'photos'; its rules: none.\n"),
        ((), "The journal has nothing of these steps; --all shows every step.\n"),
    ):
        result = cli.run("journal", "show", *arguments)
        assert (result.status, result.out, result.err) == (0, "", said)
        assert cli.json("journal", "show", *arguments) == []
    assert "opened" in cli.run("journal", "show", "--all").out
    journal.write_bytes(b"")
    assert cli.run("journal", "show", "--all").err == "The journal has no line yet.\n"


def test_without_a_terminal_nobody_declined(cli: Cli, channel: Emulator) -> None:
    """Without a terminal the option is named; a person's no is a person's no."""
    put(channel, letter(1))
    unasked = cli.run("dlq", "drop")
    assert unasked.status == 4
    assert "nobody answered" in unasked.out
    assert "--yes" in unasked.out
    refused = cli.run("dlq", "drop", answer="n\n")
    assert refused.status == 4
    assert "you declined" in refused.out


def test_a_journal_without_such_a_rule_says_so(cli: Cli) -> None:
    """And which rules it has."""
    path = cli.path.parent / "journal.jsonl"
    path.write_text("", encoding="utf-8")
    result = cli.run("journal", "show", "photos", "-f", str(path), "--rule", "nope")
    assert result.status == 0
    assert "nothing about resource 'photos' and rule 'nope'; its rules: none" in result.err
    late = cli.run("journal", "show", "photos", "-f", str(path), "--until", "2020-01-01", "--since", "2019-01-01")
    turned = cli.run("journal", "show", "-f", str(path), "--until", "2019-01-01", "--since", "2020-01-01")
    assert (turned.status, "2020-01-01 00:00:00 UTC is not before --until, 2019-01-01" in turned.err) == (2, True)
    between = "since 2019-01-01 00:00:00 UTC until 2020-01-01 00:00:00 UTC"
    assert f"nothing about resource 'photos' {between}; its rules: none" in late.err
    never = cli.run("journal", "show", "-f", str(path), "--until", "2020-01-01")
    assert "nothing until 2020-01-01 00:00:00 UTC; its rules: none" in never.err


def test_a_journal_that_is_not_there_yet_says_who_makes_it(cli: Cli, journal: Path) -> None:
    """Whoever is on call before the first start, or reads another machine's disk, learns what names it."""
    for command in (("journal", "show"), ("report",), ("explain", "photos")):
        result = cli.run(*command)
        assert result.status == 2
        assert f"{journal}: cannot read the journal: No such file or directory. The worker makes it" in result.err
        assert "journal.path or --file" in result.err


def test_no_dead_letter_is_no_empty_table(cli: Cli) -> None:
    """One sentence."""
    assert cli.run("dlq").out == "No dead letter to show.\n"
