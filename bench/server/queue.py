"""The message queue: visibility timeouts and receipt handles as the service has them. Pure; the time is passed in."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from hashlib import md5
from itertools import count


@dataclass(slots=True, eq=False)
class Message:
    """One message; changed only by the queue that holds it. Times are seconds of the clock that is passed in."""

    id: str
    bucket: str
    body: str
    body_md5: str
    enqueued_at: float
    first_received_at: float = 0.0
    visible_at: float = 0.0
    dequeue_count: int = 0
    handle: str = ""
    """The one handle that is good now; every receipt and every change of visibility replaces it."""


class Queue:
    """Messages that are visible in the order of their sending, and hidden ones that come back."""

    def __init__(self, visibility_seconds: float) -> None:
        self.visibility_seconds = visibility_seconds
        self._serial = count(1)
        self._visible: deque[Message] = deque()
        self._by_handle: dict[str, Message] = {}
        self._hidden: list[tuple[float, int, str]] = []

    def send(self, bucket: str, body: str, now: float) -> Message:
        """Add a visible message."""
        digest = md5(body.encode(), usedforsecurity=False).hexdigest().upper()
        message = Message(f"{next(self._serial):032X}", bucket, body, digest, now)
        self._visible.append(message)
        return message

    def receive(self, limit: int, now: float) -> list[Message]:
        """Hand out up to `limit` visible messages and hide them."""
        self._elapse(now)
        batch = [self._visible.popleft() for _ in range(min(limit, len(self._visible)))]
        for message in batch:
            message.dequeue_count += 1
            message.first_received_at = message.first_received_at or now
            self._hide(message, now + self.visibility_seconds)
        return batch

    def delete(self, handle: str, now: float) -> Message | None:
        """Remove the message of a handle that is good now; None for any other."""
        self._elapse(now)
        return self._by_handle.pop(handle, None)

    def change_visibility(self, handle: str, seconds: float, now: float) -> Message | None:
        """Hide a message anew under a new handle; None if the handle is not good now."""
        self._elapse(now)
        message = self._by_handle.pop(handle, None)
        if message is not None:
            self._hide(message, now + seconds)
        return message

    def next_return(self) -> float | None:
        """When the next hidden message may become visible; None when none is hidden."""
        while self._hidden and self._hidden[0][2] not in self._by_handle:
            heapq.heappop(self._hidden)
        return self._hidden[0][0] if self._hidden else None

    def counts(self, now: float) -> tuple[int, int]:
        """How many messages are visible, and how many hidden."""
        self._elapse(now)
        return len(self._visible), len(self._by_handle)

    def _hide(self, message: Message, until: float) -> None:
        serial = next(self._serial)
        message.visible_at = until
        message.handle = f"8-{serial:030x}"
        self._by_handle[message.handle] = message
        heapq.heappush(self._hidden, (until, serial, message.handle))

    def _elapse(self, now: float) -> None:
        while self._hidden and self._hidden[0][0] <= now:
            # A handle that was replaced or deleted meanwhile leads nowhere, and its entry is only dropped.
            message = self._by_handle.pop(heapq.heappop(self._hidden)[2], None)
            if message is not None:
                message.handle = ""
                self._visible.append(message)
