"""Writes the log on a thread of its own, so that no other ever waits for whoever reads it.

A pipe that nobody reads, a full disk on the other side or a terminal that was stopped block a write for as long as they
like. Lines wait here meanwhile, up to a bound; what is beyond it is dropped, counted, and noted once lines flow again.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

from consumer.core import threads

MOST_CHARACTERS = 4 << 20
"""Of lines that wait: some ten thousand of them."""

_AT_ONCE = 64 << 10
"""Characters of lines that are written together."""


class LogWriter:
    """Takes lines from any thread and writes them in their order; `start` before the first."""

    def __init__(self, stream: TextIO, *, most_characters: int = MOST_CHARACTERS) -> None:
        self._write = _writing(stream)
        self._most_characters = most_characters
        # Reentrant, because a line may come out of a finaliser that runs in the middle of another one.
        self._changed = threading.Condition(threading.RLock())
        self._lines: deque[str] = deque()
        self._characters = 0
        self._writing = False
        self._dropped = 0
        self._note: Callable[[int], None] = lambda _count: None
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)

    @property
    def dropped(self) -> int:
        """How many lines were dropped so far."""
        return self._dropped

    def start(self, note: Callable[[int], None]) -> None:
        """Write from now on; `note` is called with the number of dropped lines once lines flow again."""
        self._note = note
        threads.start(self._thread)

    def put(self, line: str) -> None:
        """Have a line written, or drop it; never waits."""
        with self._changed:
            if self._characters + len(line) > self._most_characters:
                self._dropped += 1
                return
            self._lines.append(line)
            self._characters += len(line)
            self._changed.notify()

    def flush(self, seconds: float) -> bool:
        """Wait until everything is written, for so long at most; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._lines and not self._writing, seconds)

    def _run(self) -> None:
        noted = 0
        while True:
            lines = self._next()
            try:
                self._write("".join(f"{line}\n" for line in lines))
            except (OSError, ValueError):  # ValueError: the stream is closed
                with self._changed:
                    self._dropped += len(lines)
            else:
                if (dropped := self._dropped) > noted:
                    self._note(dropped - noted)
                    noted = dropped
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _next(self) -> list[str]:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._lines))
            lines: list[str] = []
            size = 0
            while self._lines and size < _AT_ONCE:
                lines.append(self._lines.popleft())
                size += len(lines[-1])
            self._characters -= size
            self._writing = True
            return lines


def _writing(stream: TextIO) -> Callable[[str], None]:
    """What writes text to a stream; past its buffers where it is a file, because they have a lock.

    A thread that waits in a write would hold it, and the interpreter would wait for it at its end.
    """
    try:
        descriptor = stream.fileno()
    except OSError:  # a stream in memory

        def write(text: str) -> None:
            stream.write(text)
            stream.flush()

        return write
    return lambda text: _write_all(descriptor, text.encode("utf-8", "backslashreplace"))


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # somebody else who has this open made it non-blocking
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()
