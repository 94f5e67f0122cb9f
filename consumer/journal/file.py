"""The journal's file: appended to, synced, and never rewritten; several processes may share it.

Each append takes the file's lock for as long as the write takes, and gives up when somebody else keeps it. A sync that
fails is final: the system may have dropped what it could not write and would call the next sync a success, so the lines
are taken back and count as not written. When the file at the path is another one than ours, because somebody moved it
away or deleted it, a new one is begun, which names the line it follows.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from consumer.core.errors import ConfigurationError
from consumer.core.observers import StepName
from consumer.journal.format import (
    GENESIS,
    ChainHead,
    Fields,
    NewerLine,
    begins_a_journal,
    chained,
    encoded,
    parsed,
    recovery,
    sealed,
)

LOCK_SECONDS = 2.0
"""Others keep the lock for one write; who keeps it longer is no worker."""

_LOOK_SECONDS = 0.01
_NEWER = "a newer version has written to it: move it away, and a new file is begun, or go back to that version"
_LOCKED = "another process keeps the journal's lock"
_TAIL_BYTES = 1 << 16
_BEGINNING_BYTES = 64
_SCRATCH_BYTES = 4096
_UNKNOWN = -1
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""A link is not followed: who may write to the folder would choose what is appended to. A pipe is not waited for."""

_TAKEN = frozenset({errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENOTDIR, errno.ENXIO})
"""Something else stands at the path, or in it where a directory has to be: no right to write would help."""


class NewerJournal(OSError):
    """A later version of this program has written to the file; a line of this one would break its chain."""


class JournalFile:
    """One journal, open for appending by one thread at a time."""

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
            self._inode = _inode(os.fstat(self._file))
        except OSError as error:
            why = "it is a link, and links are not followed" if error.errno == errno.ELOOP else error.strerror
            remedy = f"let {named_by} name another file" if error.errno in _TAKEN else ""
            raise ConfigurationError(f"{named_by}: {path} cannot be written: {why}", remedy) from None
        self._head = ChainHead()
        self._end = 0
        """Where the file ended after our last write; another end means that somebody else has written."""
        self._beginning: Fields | None = None
        """What has to be the first line in a file that follows another one, until it is on the disk."""
        self._waits = True
        """Whether to wait for the lock: after a wait that failed it is only tried, until it succeeds."""
        self.deleted = 0
        """How often the file was deleted while it was ours."""

    @property
    def size_bytes(self) -> int:
        """How large the file at the path is now; 0 if there is none. For any thread, and without a lock."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def append(self, lines: Sequence[bytes], stamp: Fields) -> ChainHead:
        """Add lines, each as `encoded` made it, and return when they are on the disk.

        `stamp` is when and by whom they are written, for a line that has to stand before them.

        Raises:
            OSError: they are not; what was written of them has been taken back. Also when the lock could not be taken.
        """
        with self._lock() as size:
            begin = self._catch_up(size)
            self._write([*([encoded({**stamp, **self._beginning})] if self._beginning else []), *lines])
        self._sync(begin)
        self._beginning = None
        return self._head

    def rehearse(self) -> None:
        """Do what an append needs and leave everything as it was: take the lock, read the last line, and find room.

        Raises:
            OSError: an append would fail.
        """
        self._take_lock(self._monotonic() + self._lock_seconds)
        try:
            self._tail(os.fstat(self._file).st_size)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        folder = self._path.parent
        if os.access(folder, os.W_OK) and folder.stat().st_dev == os.fstat(self._file).st_dev:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as scratch:
                scratch.write(bytes(_SCRATCH_BYTES))
                os.fsync(scratch.fileno())  # some file systems find out no earlier

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
            _sync_folder(self._path.parent)  # or a power cut takes the file away, however well its lines are synced
            return descriptor
        os.close(descriptor)
        raise OSError(errno.EINVAL, what)

    @contextmanager
    def _lock(self) -> Iterator[int]:
        """The lock on the file that is at the path now, with the size of that.

        Raises:
            OSError: somebody else keeps it, or the file cannot be opened.
        """
        deadline = self._monotonic() + self._lock_seconds
        self._take_lock(deadline)
        try:
            while (size := self._size()) is None:
                self._begin_anew()
                self._take_lock(deadline)
            yield size
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

    def _size(self) -> int | None:
        """How large our file is; None if the path leads to another one by now, or to none."""
        try:
            there = self._path.stat()  # one look for both, because each gives the interpreter to another thread
        except FileNotFoundError:
            return None
        return there.st_size if _inode(there) == self._inode else None

    def _begin_anew(self) -> None:
        """Go on in the file at the path, beginning with a line that names the last one of the file that was ours."""
        found = os.fstat(self._file)
        begin = self._catch_up(found.st_size)
        if self._end != begin:
            self._sync(begin)  # the end that was torn is named by the new file
        left, deleted = self._head, found.st_nlink == 0
        new = self._open()
        os.close(self._file)
        self._file, self._inode, self._head, self._end = new, _inode(os.fstat(new)), ChainHead(), 0
        follows = {"follows": left.digest, "follows_seq": left.sequence}
        if deleted and left.digest != GENESIS:
            self.deleted += 1
            reason = {"reason": "the journal was deleted", "lost_lines": left.sequence}
            self._beginning = {"step": StepName.GAP.value, **reason, **follows}
        else:
            self._beginning = {"step": StepName.CONTINUED.value, **follows}

    def _write(self, lines: Sequence[bytes]) -> None:
        text, head = b"", self._head
        for each in lines:
            line, head = chained(head, each)
            text += line
        self._put(text)
        self._head = head

    def _put(self, text: bytes) -> None:
        begin = self._end
        try:
            rest = text
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            self._take_back(begin)  # a full disk must not leave half a line; what others wrote before stays
            raise
        self._end += len(text)

    def _sync(self, begin: int) -> None:
        try:
            os.fsync(self._file)
        except OSError:
            with suppress(OSError):
                self._take_lock(self._monotonic() + self._lock_seconds)
                try:
                    if os.fstat(self._file).st_size == self._end:  # else others' lines follow them and have to stay
                        self._take_back(begin)
                finally:
                    fcntl.flock(self._file, fcntl.LOCK_UN)
            raise

    def _take_back(self, begin: int) -> None:
        """Cut off what was written from there on, and read anew how the file ends before anything is added."""
        self._end = _UNKNOWN
        os.ftruncate(self._file, begin)

    def _catch_up(self, size: int) -> int:
        """Know the last line, whoever wrote it, and close what a killed process left torn; returns where that began.

        `size` is that of the file, which nobody else changes while the lock is held.
        """
        if size == self._end:
            return size
        tail = self._tail(size)
        self._head, torn = tail
        self._end = size
        if torn is None:
            return size
        if torn == b"":
            self._put(b"\n")  # the last line is whole and lacks only its newline
            return size
        line, head = sealed(self._head, recovery(torn))
        self._put(line if torn.endswith(b"\n") else b"\n" + line)
        self._head = head
        return size

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


def _inode(found: os.stat_result) -> tuple[int, int]:
    """Which file it is, whatever its path: no other one gets this number while it is open."""
    return found.st_dev, found.st_ino


def _sync_folder(folder: Path) -> None:
    """Let the name of a file in it survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that has no such thing says so
            raise
    finally:
        os.close(descriptor)


def _last_whole(data: bytes) -> tuple[ChainHead, bytes | None] | None:
    """The same within a piece of the file; None if it holds no whole line.

    Raises:
        NewerJournal: it holds a line of a later version of this program.
    """
    end = len(data)
    while end > 0:
        begin = data.rfind(b"\n", 0, end - 1) + 1
        try:
            entry = parsed(data[begin:end].removesuffix(b"\n"))
        except NewerLine:
            # Taken for torn, it would be followed by a line that takes its place, and the journal be whole for nobody.
            raise NewerJournal(errno.EINVAL, _NEWER) from None
        except ValueError:
            end = begin
            continue
        if data[begin:end].endswith(b"\n"):
            return ChainHead(entry.sequence, entry.digest), data[end:] or None
        return ChainHead(entry.sequence, entry.digest), b""
    return None
