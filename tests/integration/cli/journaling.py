"""What the tests of `journal` and `undo` share: a worker's journal, read as it stands in the file."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.queues import is_empty

READ = "oss-bucket-public-read-prohibited"
"""The rule that a public bucket breaks."""


def work(cli: Cli, emulator: Emulator) -> None:
    """Run a worker until the queue is empty, and stop it in good order."""
    with cli.working():
        eventually(lambda: is_empty(emulator))


def steps(path: Path, bucket: str = "") -> list[str]:
    """The steps in the journal, of one bucket if named."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    messages = {entry.get("message_id") for entry in entries if entry.get("resource") == bucket}
    return [entry["step"] for entry in entries if not bucket or entry.get("message_id") in messages]


def lines(path: Path) -> list[dict[str, Any]]:
    """The journal's lines, none if there is no file; of one that is being written the whole ones."""
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in found.splitlines(keepends=True) if line.endswith("\n")]


@contextmanager
def locked_away(path: Path) -> Iterator[None]:
    """Somebody keeps the journal's lock."""
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        yield
