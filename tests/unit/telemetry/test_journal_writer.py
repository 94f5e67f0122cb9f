"""What becomes of lines that cannot be written: counted, said, and written down as a gap once there is room again."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from consumer.core.errors import ConfigurationError
from consumer.journal.file import JournalFile
from consumer.journal.format import parsed, verify
from consumer.journal.writer import JournalWriter
from tests.unit.fakes import received


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
    writer = JournalWriter(JournalFile(path), who="me", say=said, wall_ms=lambda: 5)
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
