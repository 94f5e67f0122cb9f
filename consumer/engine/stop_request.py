"""A request by a signal: made in its handler, waited for in the very thread that the handler interrupts.

`threading.Event` is not made for that: its `set` takes a lock that the interrupted `wait` may hold, and then both block
for ever. `queue.SimpleQueue` is documented to be safe there.
"""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue


class StopRequest:
    """Not requested at first; once requested, for good."""

    def __init__(self) -> None:
        self._arrived: SimpleQueue[None] = SimpleQueue()
        self._requested = False

    def make(self) -> None:
        """Request it; callable from a signal handler and from any thread, any number of times."""
        self._requested = True
        self._arrived.put(None)

    def __bool__(self) -> bool:
        return self._requested

    def within(self, seconds: float) -> bool:
        """Whether it was requested, waiting up to so many seconds for that; for one thread."""
        if not self._requested:
            with suppress(Empty):
                self._arrived.get(timeout=seconds)
        return self._requested
