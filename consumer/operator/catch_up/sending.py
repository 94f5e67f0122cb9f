"""Sends planned events to the worker's queue, one by one, each confirmed by the service before it counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from consumer.aliyun.mns.queue import Queue
from consumer.aliyun.retry import Retrier
from consumer.core.errors import (
    ConfigurationError,
    NotAuthenticated,
    PermanentError,
    QueueMissing,
    ServiceError,
    SharedUnreachable,
)
from consumer.operator.catch_up.plan import Decision, Planned
from consumer.reevaluation.catch_up import event_body, key_of, memory_key

_REQUEST_SECONDS = 60.0
_MOST_FAILURES = 5
"""So many failures one after the other end a run: what is not sent is listed again."""


@dataclass(slots=True)
class Sending:
    """What became of the events that were to be sent."""

    ids: dict[str, str] = field(default_factory=dict)
    """The id of each new message, by the violation's key."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why one was not sent, by the violation's key."""
    forgotten: str = ""
    """Why it could not be remembered that the last one was sent; that ends a run, before it sends without memory."""


class SentMemory(Protocol):
    """What knows for the next run what this one has sent."""

    @property
    def place(self) -> str: ...
    def known(self, keys: Sequence[str]) -> dict[str, int]: ...
    def add(self, key: str, at_ms: int) -> None: ...


class EventSender:
    """Sends at a bounded rate; for one thread."""

    def __init__(
        self,
        queue: Queue,
        retrier: Retrier,
        sent: SentMemory,
        *,
        rate: float,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Send at most `rate` events a second."""
        self._queue = queue
        self._retrier = retrier
        self._sent = sent
        self._interval_seconds = 1 / rate
        self._monotonic = monotonic
        self._pause = pause
        self._wall_ms = wall_ms

    def send(self, planned: Sequence[Planned], result: Sending, advance: Callable[[], None]) -> None:
        """Send what is planned to be sent; `result` is true at every moment, also when this is interrupted."""
        failures, next_at = 0, self._monotonic()
        for each in planned:
            if each.decision is not Decision.SEND:
                continue
            key = key_of(each.violation)
            if result.forgotten:
                result.failed[key] = "not tried: what is sent cannot be remembered any more"
                continue
            if failures >= _MOST_FAILURES:
                result.failed[key] = "not tried: the ones before it could not be sent"
                continue
            self._pause(max(0.0, next_at - self._monotonic()))
            next_at = self._monotonic() + self._interval_seconds
            try:
                result.ids[key] = self.one(event_body(each.violation, self._wall_ms()))
            except ServiceError as error:
                result.failed[key] = f"not sent: {error}"
                lasting = isinstance(error, PermanentError | QueueMissing | NotAuthenticated)
                failures = _MOST_FAILURES if lasting else failures + 1
            else:
                failures = 0
                result.forgotten = self._forgotten(memory_key(each.violation, each.mode))
            advance()

    def _forgotten(self, key: str) -> str:
        """Remember an event that the queue has confirmed; why that is not possible, or nothing."""
        try:
            self._sent.add(key, self._wall_ms())
        except (ConfigurationError, SharedUnreachable) as error:
            return str(error)
        return ""

    def one(self, body: str) -> str:
        """Send one message; its id.

        Raises:
            ServiceError: it is not known to be in the queue.
        """
        until = self._monotonic() + _REQUEST_SECONDS
        return self._retrier.call(lambda: self._queue.send(body), until=lambda: until)
