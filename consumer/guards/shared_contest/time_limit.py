"""Stops waiting for calls that may hang, such as those to a file system on the network.

A system call on a share that does not answer cannot be broken off, so each call gets a thread of its own that may be
left behind. So that a share that stays away does not collect threads, calls are refused at once while too many of the
earlier ones have not come back.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

_T = TypeVar("_T")


class TimeLimit:
    """Runs calls, none of them for longer than a time; shared by all threads."""

    def __init__(self, seconds: float, *, most_overdue: int = 4) -> None:
        self._seconds = seconds
        self._most_overdue = most_overdue
        self._overdue = 0
        self._lock = threading.Lock()

    def run(self, work: Callable[[], _T]) -> _T:
        """What the call returns. A call that is given up may still take effect later.

        Raises:
            TimeoutError: it has not come back in time, or was not begun because too many others have not.
        """
        with self._lock:
            overdue = self._overdue
        if overdue >= self._most_overdue:
            raise TimeoutError(errno.ETIMEDOUT, f"{overdue} earlier calls have not come back")
        future: Future[_T] = Future()
        # A daemon: what never comes back must not keep the process from ending.
        threading.Thread(target=_carry_out, args=(future, work), name="time-limit", daemon=True).start()
        if wait([future], self._seconds).not_done:
            with self._lock:
                self._overdue += 1
            future.add_done_callback(self._came_back)
            raise TimeoutError(errno.ETIMEDOUT, f"no answer within {self._seconds:g} s")
        return future.result()

    def _came_back(self, _: Future[_T]) -> None:
        with self._lock:
            self._overdue -= 1


def _carry_out(future: Future[_T], work: Callable[[], _T]) -> None:
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - raised again in the thread that waits for the result
        future.set_exception(error)
