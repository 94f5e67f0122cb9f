"""Long polls: who waits at a queue, whose turn it is, and how many may be held at all.

Waiters stand in line. Only the first one looks at the queue; it looks when somebody knocks or when a hidden
message is about to become visible, takes what it finds in its own task, and then knocks for the next one. A waiter
whose client has gone is cancelled by the adapter: it leaves the line without taking anything.
Source: https://www.alibabacloud.com/help/en/mns/developer-reference/receivemessage and the long polling best practice.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from emulator.clock import Clock

T = TypeVar("T")


class Line:
    """The long polls waiting at one queue, first come, first served."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[asyncio.Event, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def knock(self) -> None:
        """Let the first waiter look again: something may have become available, or will sooner than it thought."""
        if self._waiting:
            next(iter(self._waiting)).set()

    def knock_all(self) -> None:
        """Let everybody look again: the queue is gone."""
        for waiter in self._waiting:
            waiter.set()

    def join(self) -> asyncio.Event:
        """Stand at the end of the line."""
        waiter = asyncio.Event()
        self._waiting[waiter] = None
        return waiter

    def leave(self, waiter: asyncio.Event) -> None:
        """Leave the line, wherever one stands, and let the next one look."""
        self._waiting.pop(waiter, None)
        self.knock()

    def is_first(self, waiter: asyncio.Event) -> bool:
        """Whether it is this waiter's turn."""
        return next(iter(self._waiting)) is waiter


class Polls:
    """Holds long polls until they find something, time out, or there are too many of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.held = 0
        self.cap: int | None = None
        """Polls that are held at once; above it the service answers an empty poll immediately."""

    def full(self) -> bool:
        """Whether one more poll would be answered at once."""
        return self.cap is not None and self.held >= self.cap

    async def wait(
        self,
        line: Line,
        until: float,
        take: Callable[[], Sequence[T]],
        next_change_ms: Callable[[], int | None],
    ) -> Sequence[T]:
        """What `take` finds by `until` (emulated seconds), or nothing; `take` may raise to end the poll."""
        waiter = line.join()
        self.held += 1
        try:
            while True:
                if line.is_first(waiter) and (found := take()):
                    return found
                if self._clock.now() >= until:
                    return ()
                waiter.clear()
                await self._clock.wait(waiter, self._look_again(line, waiter, until, next_change_ms))
        finally:
            self.held -= 1
            line.leave(waiter)

    def _look_again(
        self,
        line: Line,
        waiter: asyncio.Event,
        until: float,
        next_change_ms: Callable[[], int | None],
    ) -> float:
        change_ms = next_change_ms() if line.is_first(waiter) else None
        # One millisecond later, so that rounding never wakes us before the message is due.
        return until if change_ms is None else min(until, (change_ms + 1) / 1000)
