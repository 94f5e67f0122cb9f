"""The requests that one piece of work sends, each with its answer, whichever client sends them.

A gateway reports each of its requests to its `Hooks` on the thread that waits for the answer. A piece of
work records its requests on that thread, so that no client and no resource kind has to pass them on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_MOST_OF_EACH_END = 32
"""Requests that are kept from the beginning and from the end of one piece of work: how it went on, and how it ended."""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request to a service, answered or not."""

    service: str
    """In lower case: `mns`, `oss`, `config`."""
    operation: str
    code: str
    """`ok`, or the error code; `empty` for a receive that brought nothing."""
    seconds: float
    request_id: str
    queue: str = ""
    """The name of the queue that it was about, if it was about one."""


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One request, and when it ended."""

    at_ms: int
    """Local wall clock, milliseconds since the epoch."""
    call: ApiCall


@dataclass(frozen=True, slots=True)
class SentRequests:
    """The requests of one piece of work, in their order."""

    kept: tuple[SentRequest, ...] = ()
    left_out: int = 0
    """How many between the first ones and the last ones are not kept."""


NO_REQUESTS = SentRequests()


class RequestTrail:
    """Keeps the requests of one piece of work, a bounded number of them."""

    __slots__ = ("_first", "_last", "_number", "_wall_ms")

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._first: list[SentRequest] = []
        self._last: deque[SentRequest] = deque(maxlen=_MOST_OF_EACH_END)
        self._number = 0
        self._wall_ms = wall_ms

    def add(self, call: ApiCall) -> None:
        """A request has ended."""
        kept = self._first if self._number < _MOST_OF_EACH_END else self._last
        kept.append(SentRequest(self._wall_ms(), call))
        self._number += 1

    @property
    def sent(self) -> SentRequests:
        """What is kept so far."""
        kept = (*self._first, *self._last)
        return SentRequests(kept, self._number - len(kept))


_trail: ContextVar[RequestTrail | None] = ContextVar("request_trail", default=None)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def recorded_requests(wall_ms: Callable[[], int] = _now_ms) -> Iterator[RequestTrail]:
    """Record the requests that this thread sends inside a `with`; of nested ones the innermost records them."""
    trail = RequestTrail(wall_ms)
    token = _trail.set(trail)
    try:
        yield trail
    finally:
        _trail.reset(token)


def note_request(call: ApiCall) -> None:
    """A request of this thread has ended; record it if the thread's requests are recorded."""
    if trail := _trail.get():
        trail.add(call)
