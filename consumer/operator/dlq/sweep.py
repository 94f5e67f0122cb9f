"""Goes once through a whole queue, whose service shows no more than sixteen messages without handing them out.

Every message is received, which hides it for a moment and raises its dequeue count; what is not settled is handed back
at the end of the `with` block, visible again after a second. A message that comes back during the sweep, because its
lease ran out, is not given a second time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from consumer.aliyun.mns.queue import Queue
from consumer.core.errors import MessageGone, ServiceError
from consumer.core.queue_limits import MAX_BATCH, MAX_VISIBILITY_SECONDS
from consumer.operator.dlq.letters import Letter, read

_WAIT_SECONDS = 1
"""A receive without a wait asks a part of the service only, and may miss what is there."""
_BACK_SECONDS = 1


@dataclass(slots=True)
class Held:
    """A letter that nobody else gets for the moment."""

    letter: Letter
    handle: str
    until: float
    """Local monotonic seconds."""


class Sweep:
    """One pass; for one thread."""

    def __init__(self, queue: Queue, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._queue = queue
        self._monotonic = monotonic
        self._held: dict[str, Held] = {}
        self._done: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for held in self._held.values():
            try:
                self._queue.hide(held.handle, _BACK_SECONDS)
            except ServiceError:
                continue  # it becomes visible by itself when its lease ends

    def __iter__(self) -> Iterator[Held]:
        """Every letter that is visible now or becomes so meanwhile, once.

        Raises:
            ServiceError: the queue cannot be read.
        """
        while True:
            fresh = self._receive()
            if not fresh:
                return
            yield from fresh

    def keep(self, held: Held, seconds: float) -> bool:
        """Make sure that nobody else gets the letter for so long; false if somebody may have it by now."""
        if held.until - self._monotonic() >= seconds:
            return True
        reach = min(math.ceil(seconds) * 2, MAX_VISIBILITY_SECONDS)
        asked = self._monotonic()
        try:
            held.handle = self._queue.hide(held.handle, reach)
        except MessageGone:
            return False
        held.until = asked + reach
        return True

    def delete(self, held: Held) -> None:
        """Take the letter off the queue.

        Raises:
            ServiceError: it is not known to be deleted.
        """
        failures = self._queue.delete([held.handle])
        self._held.pop(held.letter.message_id, None)
        self._done.add(held.letter.message_id)
        for failure in failures.values():
            raise failure

    def _receive(self) -> list[Held]:
        asked = self._monotonic()
        fresh = []
        for message in self._queue.receive(MAX_BATCH, _WAIT_SECONDS):
            letter = read(message.message_id, message.body, message.enqueued_at_ms)
            held = Held(letter, message.receipt_handle, asked + message.lease_seconds)
            if message.message_id not in self._held and message.message_id not in self._done:
                fresh.append(held)
            self._held[message.message_id] = held  # the newest handle is the one that hands it back
        return fresh
