"""Standard streams as shells, pipes and full disks leave them: a line and a status, never a traceback."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from emulator.client import Emulator
from tests.integration.cli.conftest import Cli, Result
from tests.integration.cli.test_repair import NAMED, bucket, entries
from tests.measured import python_module
from tests.patience import PATIENCE_SECONDS

__all__ = ["bucket"]

QUIET = [
    ("--help",),
    ("report", "--help"),
    ("rules",),
    ("rules", "-o", "json"),
    ("config", "example"),
    ("config", "show"),
]
HELPS = [("--version",), ("run", "--help"), ("dlq", "--help"), ("dlq", "redrive", "--help"), ("completion", "bash")]
FULL = Path("/dev/full")
BUFFERING = pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])


def run(cli: Cli, *arguments: str, stdout: IO[bytes] | int = subprocess.PIPE, **environment: str) -> Result:
    """The command with another standard output, and nobody to ask."""
    variables = {**cli.environment, "REMEDIATOR_CONFIG": str(cli.path), **environment}
    done = subprocess.run(
        [*python_module("consumer"), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={name: value for name, value in variables.items() if value},
        timeout=PATIENCE_SECONDS,
    )
    return Result(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


@contextmanager
def closed_pipe() -> Iterator[int]:
    """Where nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


@BUFFERING
@pytest.mark.parametrize("arguments", QUIET, ids=" ".join)
def test_a_full_disk_is_one_line_and_status_five(cli: Cli, arguments: tuple[str, ...], unbuffered: str) -> None:
    """Of tables, documents and the help, whether or not the interpreter keeps what it cannot write."""
    with FULL.open("wb") as full:
        result = run(cli, *arguments, stdout=full, PYTHONUNBUFFERED=unbuffered)
    assert result.status == 5, result
    assert result.err.count("\n") == 1
    assert "standard output cannot be written: No space left on device" in result.err


@BUFFERING
@pytest.mark.parametrize("arguments", [*QUIET, *HELPS], ids=" ".join)
def test_a_reader_that_has_gone_gets_no_words(cli: Cli, arguments: tuple[str, ...], unbuffered: str) -> None:
    """The status is what a shell says of a process that SIGPIPE ends."""
    with closed_pipe() as pipe:
        result = run(cli, *arguments, stdout=pipe, PYTHONUNBUFFERED=unbuffered)
    assert (result.status, result.err) == (141, "")


def test_what_was_done_before_the_disk_was_full_is_done(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """The change and its journal do not depend on whoever reads about it."""
    with FULL.open("wb") as full:
        result = run(cli, "repair", "photos", *NAMED, "--apply", stdout=full)
    assert result.status == 5, result
    assert "may have been done" in result.err
    assert bucket.acls()["photos"] == "private"
    assert entries(journal)[-1]["step"] == "verified"


def test_an_undo_that_cannot_show_what_it_would_do_does_nothing(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """Nobody could have seen what they agree to."""
    change = cli.run("repair", "photos", *NAMED, "--apply", "-o", "json").document["change"]
    with FULL.open("wb") as full:
        assert run(cli, "undo", change, "--weaken", stdout=full).status == 5
    assert bucket.acls()["photos"] == "private"


@pytest.mark.parametrize(
    "arguments", [("rules",), ("journal", "verify"), ("repair", "photos", *NAMED), ("explain", "photos")], ids=" ".join
)
def test_closed_streams_are_not_taken_for_files(
    cli: Cli, bucket: Emulator, journal: Path, arguments: tuple[str, ...]
) -> None:
    """As `>&- 2>&- <&-` leaves them: the status is that of what was found."""
    journal.touch()
    command = " ".join(f"'{each}'" for each in [*python_module("consumer"), *arguments])
    variables = {**cli.environment, "REMEDIATOR_CONFIG": str(cli.path)}
    done = subprocess.run(["bash", "-c", f"{command} <&- >&- 2>&-"], env=variables, timeout=PATIENCE_SECONDS)
    assert done.returncode == run(cli, *arguments).status
    assert journal.read_bytes() == b""
    assert bucket.acls()["photos"] == "public-read"


@pytest.mark.parametrize("arguments", [("--help",), ("journal", "verify", "--help"), ("rules",)], ids=" ".join)
def test_an_encoding_without_our_characters_is_no_error(cli: Cli, arguments: tuple[str, ...]) -> None:
    """What it lacks is escaped."""
    result = run(cli, *arguments, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0", PYTHONIOENCODING="")
    assert (result.status, result.err) == (0, "")
    assert result.out
