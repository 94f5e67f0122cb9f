"""Waits until everything that the engine needs can be used, see `consumer.app.prerequisites`.

What is certain to be wrong is reported at once and by key. What may pass by itself, an outage of MNS or STS, is waited
for, because a process that ends would only be started again, later each time. Meanwhile the process is alive and not
ready, and `/readyz` says why. Later the same failures are retried for ever by the threads that meet them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from consumer.app.prerequisites import Found, Prerequisites, StartupError
from consumer.core.errors import CredentialsUnavailable, Retryable, ServiceError
from consumer.engine.heartbeat import Heartbeat

_LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Why the engine has not started yet."""

    reason: str
    tries: int
    since: float


class Startup:
    """Gets one process to where its engine can start; used by the main thread, its `reason` by the health server."""

    def __init__(
        self,
        prerequisites: Prerequisites,
        log_event: Callable[..., None],
        heartbeat: Heartbeat,
        *,
        stopping: Callable[[], bool],
        pause: Callable[[float], object],
        jitter: Callable[[float, float], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pause` waits so many seconds, or until a stop is requested."""
        self._prerequisites = prerequisites
        self._log_event = log_event
        self._heartbeat = heartbeat
        self._stopping = stopping
        self._pause = pause
        self._jitter = jitter
        self._monotonic = monotonic
        self._waiting: _Waiting | None = None

    def reason(self) -> str:
        """Why the engine does not run yet, for readiness."""
        waiting = self._waiting
        if waiting is None:
            return "starting"
        seconds = self._monotonic() - waiting.since
        return f"waiting to start for {seconds:.0f} s, {waiting.tries} tries: {waiting.reason}"

    def overdue(self) -> str:
        """What the start was doing when it fell silent, or nothing."""
        doing = self._heartbeat.overdue()
        return f"the start fell silent while {doing}" if doing else ""

    def wait(self, bound_seconds: float) -> Found | None:
        """Look until everything can be used; None when a stop was requested before that. A bound of 0 is none.

        Raises:
            ConfigurationError: there are no credentials, or their source refuses to give any.
            StartupError: a queue cannot be used, or what may pass has not passed within the bound.
        """
        started = self._monotonic()
        tries = 0
        while not self._stopping():
            self._heartbeat.beat("looking at credentials and queues")
            try:
                return self._prerequisites.look()
            except (Retryable, CredentialsUnavailable) as error:
                tries += 1
                reason = self._prerequisites.explain(error)
                if 0 < bound_seconds <= self._monotonic() - started:
                    raise StartupError(f"{reason} (waited engine.startup_wait_seconds, {tries} tries)") from error
                self._wait(_Waiting(reason, tries, started), error)
        return None

    def _wait(self, waiting: _Waiting, error: ServiceError) -> None:
        self._waiting = waiting
        full = min(2.0 ** min(waiting.tries - 1, 10), _LONGEST_PAUSE_SECONDS)
        seconds = self._jitter(full / 2, full)
        self._log_event("startup.waiting", reason=waiting.reason, code=error.code, tries=waiting.tries, seconds=seconds)
        self._heartbeat.beat("waiting to try again", seconds)
        self._pause(seconds)
