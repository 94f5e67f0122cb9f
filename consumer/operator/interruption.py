"""Lets SIGTERM end a command as SIGINT does: at once, in one line, with the exit status that shells expect.

The first process of a container is not ended by SIGTERM unless it has a handler, and a job is stopped by that signal.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_LOOK_SECONDS = 1.0


class Terminated(KeyboardInterrupt):
    """SIGTERM has come."""


class _Signal:
    """Whether it has come since the block began."""

    came = False


@contextmanager
def terminable() -> Iterator[None]:
    """Within the block SIGTERM raises `Terminated`; in the main thread only.

    Raises:
        Terminated: the signal came.
    """
    _Signal.came = False
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def pause(seconds: float) -> None:
    """Sleep within such a block; a signal whose exception was lost, as in a finalizer, ends it all the same.

    Raises:
        Terminated: the signal came, now or before.
    """
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if _Signal.came:
            raise Terminated
        time.sleep(min(left, _LOOK_SECONDS))


def _raise(_number: int, _frame: FrameType | None) -> None:
    _Signal.came = True
    raise Terminated
