"""What becomes of lines that cannot be written: counted, said, and written down as a gap once there is room again."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consumer.core.errors import ConfigurationError
from consumer.core.observers import StepName
from consumer.journal.file import JournalFile
from consumer.journal.format import parsed, verify
from consumer.journal.writer import JournalWriter
from tests.unit.fakes import Clock, delivery, received


class Said:
    """What the log was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, **fields: Any) -> None:
        """One line."""
        self.lines.append((event, fields))


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A disk that is full until `undo`."""

    def no_room(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", no_room)
    return monkeypatch


def test_lines_that_could_not_be_written_become_a_gap(tmp_path: Path, full: pytest.MonkeyPatch) -> None:
    """One gap however many lines, said at its beginning and its end, and in the journal with their number."""
    path, said = tmp_path / "journal.jsonl", Said()
    writer = JournalWriter(JournalFile(path), who="me", log_event=said, wall_ms=lambda: 5)
    for _ in range(3):
        with pytest.raises(OSError, match="No space"):
            writer.received([received("m-1"), received("m-2")])
    assert (writer.gaps, writer.trouble) == (1, "the journal cannot be written: No space left on device")
    full.undo()
    writer.received([received("m-3")])
    assert (writer.gaps, writer.trouble) == (1, "")
    lines = [parsed(line) for line in path.read_bytes().splitlines()]
    assert [(line.step, line.text("lost_lines"), line.text("since_ms")) for line in lines] == [
        ("gap", "6", "5"),
        ("received", "", ""),
    ]
    assert verify(path.read_bytes().splitlines(keepends=True)).gaps == 1
    assert [event for event, _ in said.lines] == ["journal.cannot_be_written", "journal.goes_on"]


def test_each_gap_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full, room, full again."""
    writer = JournalWriter(JournalFile(tmp_path / "journal.jsonl"))
    write = os.write
    for gaps in (1, 2):
        monkeypatch.setattr(os, "write", lambda *_: os.close(-1))
        with pytest.raises(OSError, match="descriptor"):
            writer.received([received()])
        monkeypatch.setattr(os, "write", write)
        writer.received([received()])
        assert writer.gaps == gaps


def test_a_journal_that_was_deleted_is_a_gap(tmp_path: Path) -> None:
    """Its lines are lost, whoever deleted them."""
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(JournalFile(path))
    writer.received([received()])
    path.unlink()
    writer.received([received()])
    assert writer.gaps == 1


def test_a_full_disk_at_the_start_names_the_key(tmp_path: Path, full: pytest.MonkeyPatch) -> None:
    """One line, and no traceback."""
    assert full
    with pytest.raises(ConfigurationError, match=r"journal\.path: .*No space left"):
        JournalWriter(JournalFile(tmp_path / "journal.jsonl")).opened("a-key")


def test_a_line_that_cannot_be_spelled_fails_alone(tmp_path: Path) -> None:
    """What a plugin found may be no JSON: that is its own delivery's trouble, not that of a whole group."""
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(JournalFile(path))
    found = delivery(Clock())
    writer.step(found.step(StepName.DECIDED, before="", after=""))
    with pytest.raises(TypeError, match="not JSON serializable"):
        writer.step(found.step(StepName.BEFORE, before=b"bytes", after=""))  # type: ignore[arg-type]
    writer.sync()
    assert [parsed(line).step for line in path.read_bytes().splitlines()] == ["decided"]
    assert (writer.gaps, writer.trouble) == (0, "")


def test_all_that_a_failed_write_took_along_is_missing(tmp_path: Path, full: pytest.MonkeyPatch) -> None:
    """Lines that nobody waited for count as well, each once."""
    path = tmp_path / "journal.jsonl"
    writer = JournalWriter(JournalFile(path))
    found = delivery(Clock())
    writer.step(found.step(StepName.CHANGED, before="", after=""))
    writer.step(found.step(StepName.VERIFIED, before="", after=""))
    with pytest.raises(OSError, match="No space"):
        writer.sync()
    full.undo()
    writer.received([received("m-2")])
    first, second = (parsed(line) for line in path.read_bytes().splitlines())
    assert (first.step, first.text("lost_lines"), second.step) == ("gap", "2", "received")


def test_kill_9_loses_no_line_that_a_thread_has_waited_for(tmp_path: Path) -> None:
    """Eight threads write at once; whatever one of them was told to be on the disk is there after the kill."""
    path = tmp_path / "journal.jsonl"
    script = """
import os, sys, threading
from pathlib import Path
from consumer.journal.file import JournalFile
from consumer.journal.writer import JournalWriter

writer = JournalWriter(JournalFile(Path(sys.argv[1])))

def write(name):
    number = 0
    while True:
        writer.write([{"step": "opened", "line": f"{name}-{number}"}])
        os.write(1, f"{name}-{number}\\n".encode())
        number += 1

for name in range(8):
    threading.Thread(target=write, args=(name,)).start()
"""
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(200)]
        process.kill()
        told += process.stdout.readlines()
    content = path.read_bytes()
    lines = [parsed(line).text("line") for line in content[: content.rfind(b"\n")].splitlines()]
    assert {line.strip() for line in told if line.endswith("\n")} - set(lines) == set()
    assert verify(content.splitlines(keepends=True)).problems == []
