"""A file that is no journal: no command takes it for one with nothing in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.foreign_files import FOREIGN, NO_LINE_YET
from tests.integration.cli.conftest import Cli

COMMANDS = {
    "show": ("journal", "show", "--file", "FILE"),
    "show all": ("journal", "show", "--all", "--file", "FILE", "-o", "json"),
    "report": ("report", "--since", "1h", "--file", "FILE"),
    "explain": ("explain", "photos", "--no-look", "--file", "FILE"),
}


@pytest.fixture(params=FOREIGN.values(), ids=FOREIGN)
def foreign(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One of them."""
    path = tmp_path / "worker.log"
    path.write_bytes(request.param)
    return path


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_file_that_is_named_is_refused(command: tuple[str, ...], cli: Cli, foreign: Path) -> None:
    """By its name, with why."""
    result = cli.run(*(str(foreign) if part == "FILE" else part for part in command))
    assert (result.status, result.out) == (2, "")
    assert f"{foreign}: cannot read the journal: it is no journal" in " ".join(result.err.split())


def test_one_that_is_configured_is_refused_by_undo(cli: Cli, foreign: Path) -> None:
    """Instead of that there is no such change."""
    cli.configure(more=f'[journal]\npath = "{foreign}"\n')
    result = cli.run("undo", "0123456789ab", "--dry-run")
    assert result.status == 2
    assert "it is no journal" in " ".join(result.err.split())


def test_the_proof_of_it_fails_and_says_that_no_line_is_left(cli: Cli, foreign: Path) -> None:
    """It may have been one until somebody wrote over it, so it is a finding, not a slip of whoever asks."""
    result = cli.run("journal", "verify", "--file", str(foreign))
    assert result.status == 1
    assert "it is no journal, or nothing is left of one" in " ".join(result.out.split())


@pytest.mark.parametrize("content", NO_LINE_YET.values(), ids=NO_LINE_YET)
def test_an_empty_one_has_no_line_yet(content: bytes, cli: Cli, tmp_path: Path) -> None:
    """As the worker's, until it has begun."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    for more in (), ("--all",):
        result = cli.run("journal", "show", "--file", str(path), *more)
        assert (result.status, "The journal has no line yet." in result.err) == (0, True)
    assert cli.json("journal", "verify", "--file", str(path))["whole"]
