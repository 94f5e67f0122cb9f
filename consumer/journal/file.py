"""The journal's file: appended to, synced, and never rewritten; several processes may share it.

Each append takes the file's lock for as long as the write takes, and gives up when somebody else keeps it. Syncs are
shared: a thread whose lines another one's sync has covered does not sync again. When the file at the path is another
one than ours, because somebody moved it away or deleted it, a new one is begun, which names the line it follows.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from consumer.core.errors import ConfigurationError
from consumer.core.observers import StepName
from consumer.journal.format import GENESIS, ChainHead, Fields, begins_a_journal, parsed, recovery, sealed

LOCK_SECONDS = 2.0
"""Others keep the lock for one write; who keeps it longer is no worker."""

_LOOK_SECONDS = 0.01
_LOCKED = "another process keeps the journal's lock"
_TAIL_BYTES = 1 << 16
_BEGINNING_BYTES = 64
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""A link is not followed: who may write to the folder would choose what is appended to. A pipe is not waited for."""


class JournalFile:
    """One journal, open for appending; shared by all threads."""

    def __init__(
        self,
        path: Path,
        *,
        lock_seconds: float = LOCK_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
        named_by: str = "journal.path",
    ) -> None:
        """Open or create the file; `named_by` is the key or option that names it.

        Raises:
            ConfigurationError: it cannot be written, or something else than a journal is in it.
        """
        self._path = path
        self._lock_seconds = lock_seconds
        self._monotonic = monotonic
        self._pause = pause
        try:
            self._file = self._open()
        except OSError as error:
            why = "it is a link, and links are not followed" if error.errno == errno.ELOOP else error.strerror
            raise ConfigurationError(f"{named_by}: {path} cannot be written: {why}") from None
        self._head = ChainHead()
        self._end = 0
        """Where the file ended after our last write; another end means that somebody else has written."""
        self._written = 0
        self._synced = 0
        self._waits = True
        """Whether to wait for the lock: after a wait that failed it is only tried, until it succeeds."""
        self.deleted = 0
        """How often the file was deleted while it was ours."""
        self._writing = threading.Lock()
        self._syncing = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """How large the file at the path is now; 0 if there is none. For any thread, and without a lock."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def append(self, entries: Sequence[Fields]) -> ChainHead:
        """Add lines, and return when they are on the disk.

        Raises:
            OSError: they are not; what was written of them has been taken back. Also when the lock could not be taken.
        """
        deadline = self._monotonic() + self._lock_seconds
        if not self._writing.acquire(timeout=self._lock_seconds):
            raise BlockingIOError(errno.EWOULDBLOCK, _LOCKED)
        try:
            with self._lock(deadline) as continued:
                self._catch_up()
                head = self._write([*({**_stamp(entries), **line} for line in continued), *entries])
            self._written += 1
            mine = self._written
        finally:
            self._writing.release()
        with self._syncing:
            if self._synced < mine:
                covered = self._written
                os.fsync(self._file)
                self._synced = covered
        return head

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _open(self) -> int:
        descriptor = os.open(self._path, _FLAGS, 0o600)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            what = "it is no regular file"
        elif not _is_journal(descriptor, found.st_size):
            what = "it is no journal, and nothing is appended to other files"
        else:
            return descriptor
        os.close(descriptor)
        raise OSError(errno.EINVAL, what)

    @contextmanager
    def _lock(self, deadline: float) -> Iterator[Sequence[Fields]]:
        """The lock on the file that is at the path now, with the lines that have to begin it.

        Raises:
            OSError: somebody else keeps it, or the file cannot be opened.
        """
        continued: list[Fields] = []
        self._take_lock(deadline)
        try:
            while self._moved():
                continued = [self._begin_anew()]
                self._take_lock(deadline)
            yield continued
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _take_lock(self, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._waits = self._waits and self._monotonic() < deadline
                if not self._waits:
                    raise BlockingIOError(errno.EWOULDBLOCK, _LOCKED) from None
                self._pause(_LOOK_SECONDS)
            else:
                self._waits = True
                return

    def _moved(self) -> bool:
        """Whether the path leads to another file than ours by now, or to none."""
        ours = os.fstat(self._file)
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return True
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def _begin_anew(self) -> Fields:
        """Go on in the file at the path; returns the line that names the last one of the file that was ours."""
        self._catch_up()
        left, deleted = self._head, os.fstat(self._file).st_nlink == 0
        new = self._open()
        with self._syncing:
            os.fsync(self._file)
            os.close(self._file)
            self._file = new
        self._head, self._end = ChainHead(), 0
        follows = {"follows": left.digest, "follows_seq": left.sequence}
        if deleted and left.digest != GENESIS:
            self.deleted += 1
            return {
                "step": StepName.GAP.value,
                "reason": "the journal was deleted",
                "lost_lines": left.sequence,
                **follows,
            }
        return {"step": StepName.CONTINUED.value, **follows}

    def _write(self, entries: Sequence[Fields]) -> ChainHead:
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
        size = os.fstat(self._file).st_size
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

    def _tail(self, size: int) -> tuple[ChainHead, bytes | None]:
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
                return ChainHead(), data or None
            reach *= 4


def _is_journal(descriptor: int, size: int) -> bool:
    """Whether a file may be appended to: it is empty, or it begins or ends as a journal does.

    One of which the beginning was cut off or damaged goes on, for `verify` to report.
    """
    if size == 0 or begins_a_journal(os.pread(descriptor, _BEGINNING_BYTES, 0)):
        return True
    start = max(0, size - _TAIL_BYTES)
    return _last_whole(os.pread(descriptor, size - start, start)) is not None


def _stamp(entries: Sequence[Fields]) -> Fields:
    """When and by whom the first of these lines is written."""
    return {name: entries[0][name] for name in ("at_ms", "who") if entries and name in entries[0]}


def _last_whole(data: bytes) -> tuple[ChainHead, bytes | None] | None:
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
            return ChainHead(entry.sequence, entry.digest), data[end:] or None
        return ChainHead(entry.sequence, entry.digest), b""
    return None
