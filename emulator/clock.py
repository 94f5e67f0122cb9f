"""The emulator's clock: real time plus an offset that the control port can move.

Moving it forward makes visibility timeouts, delays and retention elapse at once, so that a test never sleeps
to be right. Every service reads the time here and waits here, nowhere else.
"""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Wall-clock seconds since the epoch, movable; owned by the event loop's thread."""

    def __init__(self) -> None:
        self._offset_seconds = 0.0
        self._moved: set[asyncio.Event] = set()
        self._instant = 0.0
        self._turn_of: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        """The emulated time in seconds since the epoch, the same for all that the event loop does in one turn.

        So a message is visible exactly its delay after the moment that its journal entry names.
        """
        return self._real() + self._offset_seconds

    def now_ms(self) -> int:
        """The emulated time in whole milliseconds since the epoch."""
        return int(self.now() * 1000)

    @property
    def offset_seconds(self) -> float:
        """How far the emulated time is ahead of the real one."""
        return self._offset_seconds

    def advance(self, seconds: float) -> None:
        """Move the emulated time by `seconds` (negative: back) and wake everyone who waits for a moment."""
        self._offset_seconds += seconds
        for moved in self._moved:
            moved.set()

    def reset(self) -> None:
        """Go back to the real time."""
        self.advance(-self._offset_seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait until the emulated time has gone on by `seconds`."""
        await self.wait(asyncio.Event(), self.now() + seconds)

    async def wait(self, event: asyncio.Event, until: float) -> bool:
        """Wait until `event` is set (true) or the emulated time reaches `until` (false)."""
        moved = asyncio.Event()
        self._moved.add(moved)
        try:
            while True:
                if event.is_set():
                    return True
                left = until - self.now()
                if left <= 0:
                    return False
                moved.clear()
                waiters = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(moved.wait())]
                try:
                    await asyncio.wait(waiters, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for waiter in waiters:
                        waiter.cancel()
        finally:
            self._moved.discard(moved)

    def _real(self) -> float:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return time.time()
        if self._turn_of is not loop:
            self._turn_of, self._instant = loop, time.time()
            loop.call_soon(self._end_turn)
        return self._instant

    def _end_turn(self) -> None:
        self._turn_of = None
