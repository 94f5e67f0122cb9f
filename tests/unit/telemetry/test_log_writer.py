"""The thread that writes the log, against pipes that nobody reads, that break, and that are read again."""

from __future__ import annotations

import fcntl
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import TextIO

import pytest

from consumer.telemetry import log
from consumer.telemetry.log_writer import MOST_CHARACTERS, LogWriter


class Pipe:
    """A pipe of a few kilobytes, read by the test."""

    def __init__(self) -> None:
        self.end, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4_096)
        self.stream: TextIO = os.fdopen(write, "w", encoding="utf-8")
        self.writers: list[LogWriter] = []

    def writer(self, most_characters: int = MOST_CHARACTERS) -> LogWriter:
        """A writer into it, not started."""
        self.writers.append(LogWriter(self.stream, most_characters=most_characters))
        return self.writers[-1]

    def read_until(self, enough: Callable[[bytes], bool]) -> bytes:
        """Everything that comes, until it is enough."""
        found = b""
        while not enough(found):
            found += os.read(self.end, 65_536)
        return found


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    found = Pipe()
    yield found
    os.close(found.end)  # which ends a write that is under way
    for writer in found.writers:
        assert writer.flush(30)  # or it would go on into whatever gets the descriptor next
    found.stream.close()


def started(writer: LogWriter) -> list[int]:
    """Start a writer; the numbers of dropped lines it notes."""
    notes: list[int] = []
    writer.start(notes.append)
    return notes


def test_lines_are_written_in_their_order() -> None:
    """Each once, and all of them before a flush comes back."""
    stream = io.StringIO()
    writer = LogWriter(stream)
    started(writer)
    for number in range(5_000):
        writer.put(f"line {number}")
    assert writer.flush(30)
    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(5_000)]
    assert writer.dropped == 0


def test_nobody_waits_for_a_pipe_that_is_not_read(pipe: Pipe) -> None:
    """What does not fit is dropped and counted; once the pipe is read, that is noted and lines flow again."""
    writer = pipe.writer(most_characters=10_000)
    notes = started(writer)
    for number in range(1_000):
        writer.put(f"{number:0100}")
    assert not writer.flush(0)
    dropped = writer.dropped
    assert 0 < dropped < 1_000
    kept = (1_000 - dropped) * 101
    assert pipe.read_until(lambda found: len(found) >= kept).splitlines()[0] == b"0" * 100
    assert writer.flush(30)
    writer.put("again")
    assert pipe.read_until(lambda found: found.endswith(b"again\n"))
    assert writer.flush(30)
    assert notes == [dropped]
    assert writer.dropped == dropped


def test_what_waits_is_bounded(pipe: Pipe) -> None:
    """In characters, for a line may be long."""
    writer = pipe.writer(most_characters=1_000_000)
    started(writer)
    for _ in range(100):
        writer.put("x" * 100_000)
    assert writer._characters <= 1_000_000
    assert writer.dropped >= 88  # ten wait, and one or two are being written


def test_a_broken_pipe_costs_its_lines_and_nothing_else(pipe: Pipe) -> None:
    """As does a full disk: the writer goes on."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", encoding="utf-8") as stream:
        writer = LogWriter(stream)
        started(writer)
        for count in (1, 2):
            writer.put("lost")
            assert writer.flush(30)
            assert writer.dropped == count


def test_a_pipe_that_somebody_made_non_blocking_is_waited_for(pipe: Pipe) -> None:
    """Who shares the terminal may have done that; nothing is lost for it."""
    os.set_blocking(pipe.stream.fileno(), False)
    writer = pipe.writer()
    started(writer)
    writer.put("x" * 50_000)
    assert len(pipe.read_until(lambda found: found.endswith(b"\n"))) == 50_001
    assert writer.flush(30)
    assert writer.dropped == 0


def test_the_log_itself_says_how_much_of_it_is_missing(pipe: Pipe) -> None:
    """In the first line that finds room again; and the process counts it."""
    log.configure_in_background("json", "info", pipe.stream, most_characters=20_000)
    before = log.lines_dropped()
    while log.lines_dropped() - before < 3:
        log.get_logger("consumer.test").info("some.event", text="x" * 2_000)
    dropped = log.lines_dropped() - before
    found = pipe.read_until(lambda found: b'"log.dropped"' in found and found.endswith(b"\n"))
    noted = [line for line in map(json.loads, found.splitlines()) if line["event"] == "log.dropped"]
    assert [line["lines"] for line in noted] == [dropped]
    pipe.writers.extend(log._writers)


def test_a_text_that_is_no_unicode_is_written_all_the_same() -> None:
    """A lone surrogate must not end the writer."""
    read, write = os.pipe()
    with os.fdopen(write, "w", encoding="utf-8") as stream, os.fdopen(read, "rb") as end:
        writer = LogWriter(stream)
        started(writer)
        writer.put("a\ud800b")
        assert end.readline() == b"a\\ud800b\n"


def test_a_line_out_of_a_finaliser_in_the_middle_of_another_is_taken() -> None:
    """The garbage collector runs where it likes, and what it ends may have something to say."""
    writer = LogWriter(io.StringIO())
    with writer._changed:
        writer.put("within")
    started(writer)
    assert writer.flush(30)
    assert threading.active_count()  # nobody stands still
