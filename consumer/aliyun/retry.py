"""Tries one request again inside the lease: for throttling, 5xx, timeouts, resets and damaged replies.

The second level, across deliveries, is the queue's: see `consumer.engine.backoff`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from consumer.core.errors import Retryable, ServiceError
from consumer.core.observers import Hooks, Retry

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast."""

    attempts: int = 5
    """Tries of one request, the first one included."""
    base_seconds: float = 0.2
    """The first pause is a random time up to this; each later one up to twice the one before."""
    cap_seconds: float = 5.0


class Retrier:
    """Runs requests for one worker, again where that is worth it.

    A pause ends at once when the process stops, and none begins that would outlast the work budget or the
    lease. After a pause both are looked at again: the whole process may have been stopped meanwhile.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        hooks: Hooks,
        stopping: threading.Event,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        self._policy = policy
        self._hooks = hooks
        self._stopping = stopping
        self._monotonic = monotonic
        self._pause = pause or self._wait

    def call(self, request: Callable[[], _T], *, until: Callable[[], float]) -> _T:
        """The request's result; it is repeated only before the monotonic moment that `until` returns by then.

        Raises:
            ServiceError: the last failure.
        """
        try:
            return request()  # nearly always that is all, and tenacity's bookkeeping would cost more than it is worth
        except Retryable as error:
            return self._again(error, request, until)

    def _again(self, first: Retryable, request: Callable[[], _T], until: Callable[[], float]) -> _T:
        retrying = Retrying(
            sleep=self._pause,
            stop=lambda state: self._enough(state, until),
            wait=wait_random_exponential(multiplier=self._policy.base_seconds, max=self._policy.cap_seconds),
            retry=retry_if_exception_type(Retryable),
            before_sleep=self._report,
            reraise=True,
        )
        failures = iter((first,))

        def attempt() -> _T:
            for failure in failures:
                raise failure  # the first try has been made already; tenacity counts it and pauses after it
            if self._monotonic() >= until():
                raise first  # too late to write anything: whoever has the message by now may be at work
            return request()

        return retrying(attempt)

    def _wait(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def _enough(self, state: RetryCallState, until: Callable[[], float]) -> bool:
        return (
            state.attempt_number >= self._policy.attempts
            or self._stopping.is_set()
            or self._monotonic() + state.upcoming_sleep >= until()
        )

    def _report(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ServiceError):
            self._hooks.retry(Retry(error.service, error.operation, error.code, state.upcoming_sleep))
