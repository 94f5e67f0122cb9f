"""Runs a server's async context in a thread with its own event loop, for tests and scripts that are not async."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Generic, TypeVar

import uvloop

T = TypeVar("T")


@contextmanager
def in_thread(start: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """Enter `start()` in a thread, yield what it yields, and leave it when the block ends.

    Raises:
        Exception: whatever entering or leaving the context raised in its thread.
    """
    runner = _Runner(start)
    runner.thread.start()
    value, stop = runner.entered.result()
    try:
        yield value
    finally:
        stop()
        runner.thread.join()
    if runner.failure is not None:
        raise runner.failure


class _Runner(Generic[T]):
    def __init__(self, start: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self._start = start
        self.entered: Future[tuple[T, Callable[[], object]]] = Future()
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._hold())
        except BaseException as failure:  # noqa: BLE001 - carried over to the thread that waits for it
            if self.entered.done():
                self.failure = failure
            else:
                self.entered.set_exception(failure)

    async def _hold(self) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        async with self._start() as value:
            self.entered.set_result((value, lambda: loop.call_soon_threadsafe(stopped.set)))
            await stopped.wait()
