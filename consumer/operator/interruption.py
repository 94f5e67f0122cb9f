"""Lets SIGTERM end a command as SIGINT does: at once, in one line, with the exit status that shells expect.

The first process of a container is not ended by SIGTERM unless it has a handler, and a job is stopped by that signal.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM has come."""


@contextmanager
def terminable() -> Iterator[None]:
    """Within the block SIGTERM raises `Terminated`; in the main thread only.

    Raises:
        Terminated: the signal came.
    """
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
