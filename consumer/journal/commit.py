"""Group commit: one thread writes and syncs for all that wait, and a thread that is alone never waits.

A thread that comes while nothing is being written writes at once. One that comes while something is being written joins
the group that is written next, and one thread of that group writes it. So a slow disk makes groups larger, and no queue
longer: a thread waits for the group that is being written, and for its own.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Sequence


class _Group:
    """Lines that are written together, and with one result."""

    def __init__(self, lock: threading.Lock) -> None:
        self.lines: list[bytes] = []
        self.changed = threading.Condition(lock)
        """Notified when it is done, and one of those who wait when it is its turn."""
        self.done = False
        self.error: OSError | None = None

    def result(self) -> None:
        """Raise the error of its write, if it failed; in every thread as an error of its own."""
        if self.error is not None:
            raise OSError(self.error.errno, self.error.strerror)


class GroupCommit:
    """Lines on their way to the disk, in their order; shared by all threads."""

    def __init__(self, write: Callable[[Sequence[bytes]], object]) -> None:
        """`write` returns when all the lines are on the disk, or raises OSError; one thread at a time calls it."""
        self._write = write
        self._lock = threading.Lock()
        self._writing = False
        self._latest = _Group(self._lock)
        """The one that is being written, or was last."""
        self._latest.done = True
        self._next = _Group(self._lock)

    def add(self, lines: Sequence[bytes]) -> None:
        """Leave lines for the next commit of any thread."""
        with self._lock:
            self._next.lines += lines

    def commit(self, lines: Sequence[bytes] = ()) -> None:
        """Add lines, and return when they are on the disk, and with them everything that was added before.

        Raises:
            OSError: they are not, nor is anything else that was to be written with them.
        """
        with self._lock:
            self._next.lines += lines
            group = self._next if self._next.lines else self._latest
            group.changed.wait_for(lambda: group.done or not self._writing)
            if mine := not group.done:
                self._writing, self._latest, self._next = True, group, _Group(self._lock)
        if mine:
            self._carry_out(group)
        group.result()

    def _carry_out(self, group: _Group) -> None:
        group.error = OSError(errno.EINTR, "the thread that was writing has ended")
        try:
            self._write(group.lines)
            group.error = None
        except OSError as error:
            group.error = error
        finally:
            with self._lock:
                self._writing, group.done = False, True
                group.changed.notify_all()
                self._next.changed.notify()
