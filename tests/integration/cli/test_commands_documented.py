"""docs/commands.md names every command and every exit status, and what it says about completion is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consumer.core.exit_codes import CommandExit
from emulator.client import Emulator
from tests.integration.cli.conftest import Cli
from tests.integration.cli.test_catalogue import COMMANDS

PAGE = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != ("run",)], ids=" ".join)
def test_every_command_is_shown(path: tuple[str, ...]) -> None:
    """Each stands in a heading, under its group's name where it has one."""
    headings = " ".join(line for line in PAGE.splitlines() if line.startswith("### "))
    assert path[0] in headings
    assert all(part in headings for part in path)


def test_every_exit_status_is_reported() -> None:
    """The table has each status once."""
    assert [int(status) for status in re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE)] == [
        int(code) for code in CommandExit
    ]


def test_the_commands_are_listed_as_they_are(cli: Cli) -> None:
    """The page begins with the real help."""
    assert f"$ config-remediator --help\n{cli.run('--help', COLUMNS='80').out}```" in PAGE


def test_the_tests_of_check_are_listed_as_they_are(cli: Cli, channel: Emulator) -> None:
    """Both outputs have the line of every test that a check with a probe bucket makes, in its order, and no other."""
    channel.create_buckets(["probe"], acl="private")
    cli.run("provision", "--apply")
    result = cli.run("check", "--probe-bucket", "probe", "--output", "json")
    made = [each["check"] for each in result.document if each["check"] != "proxies"]  # of the environment, not the page
    for shown in PAGE.split("$ config-remediator check --probe-bucket probe\n")[1:]:
        rows = re.findall(r"^ (?:ok|warning|failed|skipped) +(\S+(?: \S+)*)  ", shown.split("```")[0], re.MULTILINE)
        assert rows == made


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_what_the_page_says(cli: Cli, shell: str) -> None:
    """The variable of the page makes the command print its completion for each shell."""
    assert f"{shell}_source" in PAGE
    assert f"config-remediator completion {shell}" in PAGE
    result = cli.run(_CONFIG_REMEDIATOR_COMPLETE=f"{shell}_source")
    assert result.status == 0
    assert "config-remediator" in result.out
    assert "_CONFIG_REMEDIATOR_COMPLETE" in result.out
    assert cli.run("completion", shell).out == result.out
