"""Completion as a shell asks for it: by variables, and one value a line."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from consumer.cli.main import cli as root
from consumer.operator import values
from emulator.client import Emulator
from tests.integration.cli.conftest import Cli
from tests.integration.cli.test_journal import READ, work


def offered(cli: Cli, line: str, **environment: str) -> list[str]:
    """What is offered for the last word of a line; the words as fish passes them."""
    words = line.split(" ")
    result = cli.run(
        _CONFIG_REMEDIATOR_COMPLETE="fish_complete", COMP_WORDS=line, COMP_CWORD=words[-1] or "''", **environment
    )
    assert (result.status, result.err) == (0, "")
    return [each.split(",", 1)[1].partition("\t")[0] for each in result.out.splitlines() if each]


def test_names_of_the_configuration(cli: Cli) -> None:
    """Rules, repairs and member accounts."""
    cli.replace("[queue]", '[accounts]\nallowed = ["9876543210987654"]\nrole_name = "fixer"\n\n[queue]')
    assert offered(cli, "config-remediator repair photos --rule ") == ["public-read", "public-write"]
    assert offered(cli, "config-remediator dlq list --rule public-w") == ["public-write"]
    assert offered(cli, "config-remediator catch-up --rule public-r") == ["public-read"]
    assert "oss.bucket-acl" in offered(cli, "config-remediator rules oss.")
    assert offered(cli, "config-remediator ram-policy --account ") == ["9876543210987654"]
    assert offered(cli, "config-remediator files dash") == ["dashboards/internals.json", "dashboards/overview.json"]


def test_a_configuration_that_is_named_counts(cli: Cli, tmp_path: Path) -> None:
    """`--config` before the word wins over the variable."""
    other = tmp_path / "other.toml"
    other.write_text(cli.path.read_text("utf-8").replace("public-read", "another"), encoding="utf-8")
    assert offered(cli, f"config-remediator repair photos --config {other} --rule an") == ["another"]


@pytest.mark.parametrize("place", ["~", "$HOME", "${HOME}"])
def test_a_shell_leaves_its_own_marks_to_the_command(cli: Cli, place: str) -> None:
    """What a person types for the home directory is not replaced yet when the words are passed."""
    line = f"config-remediator repair photos --config {place}/{cli.path.name} --rule "
    assert offered(cli, line, REMEDIATOR_CONFIG="") == ["public-read", "public-write"]


def test_fish_shows_descriptions_to_their_end(cli: Cli) -> None:
    """They have commas, at which the script of the library splits each line, with the type before the first one."""
    script = cli.run("completion", "fish").out
    assert 'string split --max 1 ","' in script
    assert script.count("string split") == 1


def test_what_was_seen(cli: Cli, channel: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets and changes from the journal, letters from the queue."""
    cli.configure(more=f'\n[journal]\npath = "{tmp_path / "journal.jsonl"}"\n')
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    channel.config.publish(bucket="photos", rule=READ)
    channel.config.publish_raw("poison")
    work(cli, channel)
    for line in ("journal show ", "explain ", "repair ", "check --probe-bucket "):
        assert offered(cli, f"config-remediator {line}ph") == ["photos"], line
    (change,) = offered(cli, "config-remediator undo ")
    assert cli.run("undo", change, "--dry-run").status == 0
    assert cli.run("undo", change, "--weaken", "--yes").status == 0
    assert offered(cli, "config-remediator undo ") == []
    # Here, and with patience: how long a person waits for a word is no measure for a busy machine.
    monkeypatch.setattr(values, "_PATIENCE_SECONDS", 60.0)
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        monkeypatch.setenv(name, cli.environment[name])
    (letter,) = values.offered("letters", cli.path)
    assert cli.run("dlq", "show", letter.value).status == 0


def test_letters_are_offered_where_one_is_meant() -> None:
    """By the words that complete, which the test above has asked for."""
    dlq = root.commands["dlq"]
    assert isinstance(dlq, click.Group)
    for command, parameter in (("show", "message_id"), ("redrive", "ids"), ("drop", "ids"), ("list", "ids")):
        (found,) = [each for each in dlq.commands[command].params if each.name == parameter]
        assert found._custom_shell_complete is not None, command


@pytest.mark.parametrize(
    "broken",
    ["no configuration", "no toml", "no journal", "a foreign journal", "nobody answers", "no credentials"],
)
def test_what_cannot_be_read_is_not_offered(broken: str, cli: Cli, tmp_path: Path) -> None:
    """No error in the middle of somebody's line, and an exit status of 0."""
    cli.configure(more=f'\n[journal]\npath = "{tmp_path / "journal.jsonl"}"\n')
    environment = {}
    match broken:
        case "no configuration":
            cli.path.unlink()
        case "no toml":
            cli.path.write_bytes(b"\xff\x00[[")
        case "a foreign journal":
            (tmp_path / "journal.jsonl").write_bytes(b"\x00\xff{}\n[1]\n" * 100)
        case "nobody answers":
            text = re.sub(r'(?m)^endpoint = ".*"', 'endpoint = "http://127.0.0.1:1"', cli.path.read_text("utf-8"))
            cli.path.write_text(text, encoding="utf-8")
        case "no credentials":
            environment = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}
    for line in ("journal show ", "undo ", "dlq show "):
        assert offered(cli, f"config-remediator {line}", **environment) == [], line
