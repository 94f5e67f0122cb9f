"""The two orderings a queue keeps: who can be received next, and whose moment comes next.

Entries are never searched for. A message carries a token that changes with its state; an entry with an older
token is stale and dropped when it surfaces, so every operation costs a logarithm at most, however long the queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from emulator.mns.message import Message, State

_LOWEST_PRIORITY = 16
_COMPACT_ABOVE = 1024


class ActiveMessages:
    """Messages that can be received: highest priority first, within one the longest available first."""

    def __init__(self) -> None:
        self._lines: list[deque[tuple[int, Message]]] = [deque() for _ in range(_LOWEST_PRIORITY + 1)]

    def add(self, message: Message) -> None:
        """Append a message in its present state to the line of its priority."""
        self._lines[message.priority].append((message.token, message))

    def pop(self) -> Message | None:
        """Take the next message out; None when there is none."""
        for line in self._lines:
            while line:
                token, message = line.popleft()
                if message.token == token:
                    return message
        return None

    def __iter__(self) -> Iterator[Message]:
        """The messages in the order they would be received, without taking them out."""
        for line in self._lines:
            for token, message in line:
                if message.token == token:
                    yield message


class Moments:
    """Messages by a moment in milliseconds; for hidden ones it is when they become visible."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Message]] = []

    def add(self, moment_ms: int, message: Message) -> None:
        """Remember the moment for the message's present state."""
        heappush(self._heap, (moment_ms, message.token, message))

    def due(self, now_ms: int) -> Iterator[Message]:
        """Take out every message whose moment has come, earliest first."""
        while self._heap and self._heap[0][0] <= now_ms:
            _, token, message = heappop(self._heap)
            if message.token == token:
                yield message

    def next_ms(self) -> int | None:
        """The earliest moment to come; None when nothing is waited for."""
        while self._heap and self._heap[0][1] != self._heap[0][2].token:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def compact(self, live: int) -> None:
        """Forget stale entries once they outnumber the `live` messages of the queue."""
        if len(self._heap) > 2 * live + _COMPACT_ABOVE:
            self._heap = [entry for entry in self._heap if entry[1] == entry[2].token]
            heapify(self._heap)


class Expiries:
    """Messages by the end of their retention, which no change of state moves."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Message]] = []
        self._added = 0

    def add(self, message: Message) -> None:
        """Remember when the message expires."""
        self._added += 1
        heappush(self._heap, (message.expires_ms, self._added, message))

    def due(self, now_ms: int) -> Iterator[Message]:
        """Take out every message whose retention has ended."""
        while self._heap and self._heap[0][0] <= now_ms:
            message = heappop(self._heap)[2]
            if message.state is not State.GONE:
                yield message

    def next_ms(self) -> int | None:
        """When the next message expires; None when there is none."""
        while self._heap and self._heap[0][2].state is State.GONE:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def compact(self, live: int) -> None:
        """Forget messages that are gone once they outnumber the `live` ones."""
        if len(self._heap) > 2 * live + _COMPACT_ABOVE:
            self._heap = [entry for entry in self._heap if entry[2].state is not State.GONE]
            heapify(self._heap)
