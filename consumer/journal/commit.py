"""Group commit: one thread writes and syncs for all that wait, and nobody waits for anybody when alone.

Whoever comes while nothing is being written does it at once, in its own thread. Whoever comes while something is, joins
the group that is written next, and one of that group writes it. So a slow disk makes groups larger, not the queue for
it longer: nobody waits for more than the group before its own and its own.
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
        """Raise what its writing came to, in every thread as an error of its own."""
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
        """Leave lines to whoever commits next."""
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
