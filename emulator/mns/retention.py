"""Lets messages expire when their retention ends, whether or not anybody looks at their queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from emulator.clock import Clock


class Retention:
    """Waits on the emulated clock for the next end of a retention."""

    def __init__(self, clock: Clock, next_ms: Callable[[], int | None], elapse: Callable[[], None]) -> None:
        """`next_ms` says when the next message expires, `elapse` lets all expire that are due."""
        self._clock = clock
        self._next_ms = next_ms
        self._elapse = elapse
        self._sooner = asyncio.Event()
        self._until_ms: int | None = None
        """What the task waits for; None while none runs."""
        self._task: asyncio.Task[None] | None = None

    def watch(self, expires_ms: int) -> None:
        """A message expires then: see to it that somebody waits for that moment."""
        if self._task is None:
            self._until_ms = expires_ms
            self._task = asyncio.get_running_loop().create_task(self._wait())
        elif self._until_ms is None or expires_ms < self._until_ms:
            self._sooner.set()

    async def _wait(self) -> None:
        while (moment_ms := self._next_ms()) is not None:
            self._until_ms = moment_ms
            self._sooner.clear()
            # One millisecond later, so that rounding never wakes us before the moment.
            if not await self._clock.wait(self._sooner, (moment_ms + 1) / 1000):
                self._elapse()
        self._task = self._until_ms = None

    def close(self) -> None:
        """Wait no more."""
        if self._task is not None:
            self._task.cancel()
