"""Starts threads, so that a machine that gives none is not mistaken for a fault of ours."""

from __future__ import annotations

import threading

from consumer.core.errors import ThreadNotStarted

_LIMITS = "a limit on memory (ulimit -v) or on processes (ulimit -u) is too low, or the container's on either"


def start(thread: threading.Thread) -> None:
    """Start a thread.

    Raises:
        ThreadNotStarted: the machine gives no more; the text names the thread.
    """
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        why = str(error) or "no memory"
        raise ThreadNotStarted(f"thread {thread.name} could not be started: {why}; {_LIMITS}") from None
