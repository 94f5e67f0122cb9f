"""The journal's file survives what happens to processes and disks."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consumer.core.errors import ConfigurationError
from consumer.journal.commit import GroupCommit
from consumer.journal.file import JournalFile
from consumer.journal.format import ChainHead, Verdict, encoded, parsed, sealed, verify
from tests.unit.fakes import Clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.jsonl"


@pytest.fixture
def file(path: Path) -> Iterator[JournalFile]:
    """An open journal."""
    opened = JournalFile(path)
    yield opened
    opened.close()


def verdict(path: Path) -> Verdict:
    """What verifying the file comes to."""
    return verify(path.read_bytes().splitlines(keepends=True))


OPENED = encoded({"step": "opened"})
STAMP = {"at_ms": 7, "who": "me"}


def append(path: Path, count: int, text: str = "x") -> None:
    """Write entries as a process of its own would."""
    journal = JournalFile(path)
    for number in range(count):
        journal.append([encoded({"step": "opened", "number": number, "text": text})], STAMP)
    journal.close()


def test_a_second_process_goes_on_where_the_first_ended(path: Path) -> None:
    """One chain over several openings, lines larger than a look at the end included."""
    append(path, 3)
    append(path, 2, "y" * 100_000)
    append(path, 2)
    found = verdict(path)
    assert (found.entries, found.problems) == (7, [])


def test_two_open_journals_share_one_chain(path: Path, file: JournalFile) -> None:
    """Whoever writes next has seen what the other wrote."""
    other = JournalFile(path)
    for number in range(6):
        (file if number % 2 else other).append([OPENED], STAMP)
    other.close()
    assert (verdict(path).entries, verdict(path).problems) == (6, [])


def test_threads_share_one_chain(path: Path, file: JournalFile) -> None:
    """Eight threads write at once, and every line follows the one before."""
    commits = GroupCommit(lambda lines: str(file.append(lines, STAMP)))

    def write() -> None:
        for _ in range(20):
            commits.commit([OPENED, OPENED])

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (verdict(path).entries, verdict(path).problems) == (320, [])


def test_a_journal_cut_at_any_byte_is_continued(path: Path) -> None:
    """Killed after whatever byte, the next process accounts for the torn end and goes on; nothing whole is lost."""
    append(path, 3, "\N{BIOHAZARD SIGN}")
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == 10]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        before = verdict(path)
        assert before.problems == [], cut
        append(path, 1)
        after = verdict(path)
        complete = sum(cut >= end - 1 for end in ends)
        assert after.problems == [], cut
        assert before.entries == complete, cut
        assert after.entries == complete + 1 + bool(after.torn), cut
        assert bool(after.torn) == (whole[:cut] != b"" and cut not in ends and cut + 1 not in ends), cut


def test_a_recovery_cut_at_any_byte_is_continued_as_well(path: Path) -> None:
    """Killed again while it was accounting for the first torn end."""
    append(path, 2)
    torn = path.read_bytes()[:-30]
    path.write_bytes(torn)
    append(path, 1)
    whole = path.read_bytes()
    for cut in range(len(torn), len(whole) + 1):
        path.write_bytes(whole[:cut])
        append(path, 1)
        assert verdict(path).problems == [], cut


def test_kill_9_in_the_middle_of_writing_loses_no_line_that_was_written(path: Path) -> None:
    """A process is killed while it writes as fast as it can; what it had been told is on the disk is there."""
    script = (
        "import sys; from pathlib import Path; from consumer.journal.file import JournalFile\n"
        "from consumer.journal.format import encoded\n"
        "journal = JournalFile(Path(sys.argv[1])); number = 0\n"
        "while True:\n"
        "    journal.append([encoded({'step': 'opened', 'number': number})], {}); number += 1\n"
        "    print(number, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = 0
    while told < 50:
        told = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    told = max([told, *(int(line) for line in process.stdout.read().split())])
    process.stdout.close()
    process.wait()
    assert verdict(path).entries >= told
    append(path, 1)
    assert verdict(path).problems == []


def test_what_could_not_be_written_is_taken_back(
    path: Path, file: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up in the middle of a line leaves the journal as it was before that line."""
    file.append([OPENED], STAMP)
    whole = path.read_bytes()
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", full)
        return write(descriptor, data[: len(data) // 2])

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        file.append([OPENED], STAMP)
    monkeypatch.undo()
    assert path.read_bytes() == whole
    file.append([OPENED], STAMP)
    assert (verdict(path).entries, verdict(path).problems) == (2, [])


def test_a_journal_is_readable_by_its_owner_alone(path: Path, file: JournalFile) -> None:
    """It names buckets and policies."""
    assert path.stat().st_mode & 0o777 == 0o600
    file.append([OPENED], STAMP)
    assert file.size_bytes == path.stat().st_size
    assert parsed(path.read_bytes().removesuffix(b"\n")).sequence == 1


def test_a_path_that_cannot_be_written_names_the_key(tmp_path: Path) -> None:
    """The configuration's key stands in the message."""
    with pytest.raises(ConfigurationError, match=r"journal\.path"):
        JournalFile(tmp_path / "missing" / "journal.jsonl")


@contextmanager
def kept_by_somebody_else(path: Path) -> Iterator[None]:
    """The lock on the file, as a backup that hangs keeps it."""
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        yield


def test_a_lock_that_somebody_keeps_stops_nobody_for_long(path: Path) -> None:
    """Waited for once, for a bounded time; from then on only tried, so that threads do not stand in line for it."""
    clock = Clock()
    file = JournalFile(path, lock_seconds=2.0, monotonic=clock, pause=clock.advance)
    file.append([OPENED], STAMP)
    with kept_by_somebody_else(path):
        for waited in (2.0, 0.0, 0.0):
            before = clock()
            with pytest.raises(BlockingIOError, match="lock"):
                file.append([OPENED], STAMP)
            assert clock() - before == pytest.approx(waited, abs=0.02)
    file.append([OPENED], STAMP)
    file.close()
    assert (verdict(path).entries, verdict(path).problems) == (2, [])


def test_a_journal_that_was_moved_away_is_followed_by_a_new_one(path: Path, file: JournalFile) -> None:
    """As the documentation has people do it: both are whole, and the new one names the last line of the old."""
    last = file.append([OPENED, OPENED], STAMP)
    moved = path.with_suffix(".1")
    path.rename(moved)
    file.append([OPENED], STAMP)
    assert (verdict(moved).entries, verdict(moved).problems) == (2, [])
    assert (verdict(path).entries, verdict(path).problems) == (2, [])
    first = parsed(path.read_bytes().splitlines()[0])
    assert (first.step, first.text("follows"), first.text("who")) == ("continued", last.digest, "me")
    assert file.size_bytes == path.stat().st_size


def test_a_journal_that_was_deleted_is_missed(path: Path, file: JournalFile) -> None:
    """A new one begins with the gap, and it is counted."""
    file.append([OPENED] * 3, STAMP)
    path.unlink()
    file.append([OPENED], STAMP)
    first = parsed(path.read_bytes().splitlines()[0])
    assert (first.step, first.text("lost_lines"), file.deleted) == ("gap", "3", 1)
    assert (verdict(path).problems, verdict(path).gaps) == ([], 1)


def test_two_processes_go_over_to_the_new_file_together(path: Path, file: JournalFile) -> None:
    """Whoever comes second finds the first one's lines, and writes nothing into the old file."""
    other = JournalFile(path)
    file.append([OPENED], STAMP)
    other.append([OPENED], STAMP)
    moved = path.with_suffix(".1")
    path.rename(moved)
    for _ in range(2):
        other.append([OPENED], STAMP)
        file.append([OPENED], STAMP)
    other.close()
    assert (verdict(moved).entries, verdict(moved).problems) == (2, [])
    assert (verdict(path).entries, verdict(path).problems) == (6, [])


def test_a_place_that_cannot_be_written_any_more_is_an_error_and_no_crash(path: Path, file: JournalFile) -> None:
    """Moved away, and a directory stands in its place: each append says so, and all is well once it is gone."""
    path.rename(path.with_suffix(".1"))
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        file.append([OPENED], STAMP)
    path.rmdir()
    file.append([OPENED], STAMP)
    assert verdict(path).problems == []


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """Whoever may write to the folder would choose what is appended to."""
    other = tmp_path / "precious"
    other.write_bytes(b"data")
    (tmp_path / "journal.jsonl").symlink_to(other)
    with pytest.raises(ConfigurationError, match=r"journal\.path: .* cannot be written: it is a link"):
        JournalFile(tmp_path / "journal.jsonl")
    assert other.read_bytes() == b"data"


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe without a reader would keep the start for ever."""
    os.mkfifo(tmp_path / "journal.jsonl")
    with pytest.raises(ConfigurationError, match=r"it is no regular file"):
        JournalFile(tmp_path / "journal.jsonl")


FIRST = sealed(ChainHead(), {"at_ms": 1, "who": "me", "step": "opened"})[0]


@pytest.mark.parametrize("kept", range(len(FIRST) + 1))
def test_whatever_a_crash_leaves_of_the_first_line_is_gone_on_with(tmp_path: Path, kept: int) -> None:
    """Torn anywhere, or whole."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(FIRST[:kept])
    journal = JournalFile(path)
    journal.append([OPENED], STAMP)
    journal.close()
    assert path.read_bytes().startswith(FIRST[:kept])


@pytest.mark.parametrize(
    "damaged",
    [b"\0" * 4_096, FIRST[40:] + FIRST, b'{"v":2,"seq":8,"x":1}\n', FIRST.replace(b"me", b"you")],
    ids=["zeros", "cut off at its beginning", "altered", "altered in its only line"],
)
def test_a_damaged_journal_is_gone_on_with(tmp_path: Path, damaged: bytes) -> None:
    """What is wrong with it is for `verify` to report; a worker does not stop for that."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(damaged)
    journal = JournalFile(path)
    journal.append([OPENED], STAMP)
    journal.close()
    assert b"opened" in path.read_bytes().removeprefix(damaged)


@pytest.mark.parametrize(
    "other",
    [b'account_id = "1234567890123456"\n', b"\n", b" ", b'{"event": "started"}\n', b"\xff\xfe", b"x" * (1 << 17)],
)
def test_nothing_is_appended_to_another_file(tmp_path: Path, other: bytes) -> None:
    """A configuration that is named by mistake stays as it is; the same where it takes a journal's place meanwhile."""
    path = tmp_path / "config.toml"
    path.write_bytes(other)
    with pytest.raises(ConfigurationError, match=r"--journal: .* cannot be written: it is no journal"):
        JournalFile(path, named_by="--journal")
    own = tmp_path / "journal.jsonl"
    journal = JournalFile(own)
    path.replace(own)
    with pytest.raises(OSError, match="it is no journal"):
        journal.append([OPENED], STAMP)
    journal.close()
    assert own.read_bytes() == other
