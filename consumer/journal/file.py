"""The journal's file: appended to, synced, and never rewritten; several processes may share it.

Each append takes the file's lock for as long as the write takes. Syncs are shared: a thread whose lines another one's
sync has covered does not sync again.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from consumer.core.errors import ConfigurationError
from consumer.journal.format import Fields, Head, parsed, recovery, sealed

_TAIL_BYTES = 1 << 16


class JournalFile:
    """One journal, open for appending; shared by all threads."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            ConfigurationError: it cannot be written.
        """
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"journal.path: {path} cannot be written: {error.strerror}") from None
        self._head = Head()
        self._end = 0
        """Where the file ended after our last write; another end means that somebody else has written."""
        self._written = 0
        self._synced = 0
        self._writing = threading.Lock()
        self._syncing = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """How large the file is now."""
        return os.fstat(self._file).st_size

    def append(self, entries: Sequence[Fields]) -> Head:
        """Add lines, and return when they are on the disk.

        Raises:
            OSError: they are not; what was written of them has been taken back.
        """
        with self._writing:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                self._catch_up()
                head = self._write(entries)
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
            self._written += 1
            mine = self._written
        with self._syncing:
            if self._synced < mine:
                covered = self._written
                os.fsync(self._file)
                self._synced = covered
        return head

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, entries: Sequence[Fields]) -> Head:
        text, head = b"", self._head
        for entry in entries:
            line, head = sealed(head, entry)
            text += line
        self._put(text)
        self._head = head
        return head

    def _put(self, text: bytes) -> None:
        try:
            rest = text
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            # A full disk must not leave half a line; what others wrote before stays.
            os.ftruncate(self._file, self._end)
            raise
        self._end += len(text)

    def _catch_up(self) -> None:
        """Know the last line, whoever wrote it, and close what a killed process left torn."""
        size = self.size_bytes
        if size == self._end:
            return
        tail = self._tail(size)
        self._head, torn = tail
        self._end = size
        if torn is None:
            return
        if torn == b"":
            self._put(b"\n")  # the last line is whole and lacks only its newline
            return
        line, head = sealed(self._head, recovery(torn))
        self._put(line if torn.endswith(b"\n") else b"\n" + line)
        self._head = head

    def _tail(self, size: int) -> tuple[Head, bytes | None]:
        """The last whole line's head, and what follows it: None for nothing, b"" for a newline that is missing."""
        reach = _TAIL_BYTES
        while True:
            start = max(0, size - reach)
            data = os.pread(self._file, size - start, start)
            if start > 0:
                data = data.partition(b"\n")[2]  # the first line of a cut is not whole
            found = _last_whole(data)
            if found is not None:
                return found
            if start == 0:
                return Head(), data or None
            reach *= 4


def _last_whole(data: bytes) -> tuple[Head, bytes | None] | None:
    """The same within a piece of the file; None if it holds no whole line."""
    end = len(data)
    while end > 0:
        begin = data.rfind(b"\n", 0, end - 1) + 1
        try:
            entry = parsed(data[begin:end].removesuffix(b"\n"))
        except ValueError:
            end = begin
            continue
        if data[begin:end].endswith(b"\n"):
            return Head(entry.sequence, entry.digest), data[end:] or None
        return Head(entry.sequence, entry.digest), b""
    return None
