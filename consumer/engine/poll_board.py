"""What pollers share with each other and export: the last poll, why polls pause, and whether they keep up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from consumer.core.errors import ServiceError

UNDELETED_LIMIT = "undeleted_limit"
"""Nothing is received: the service is about to throttle this consumer, which has received much without deleting it."""

UNDELETED_RESERVE = "undeleted_reserve"
"""Little is received: the reserve for messages that come for the first time has to last for a whole window."""

PAUSE_REASONS = (UNDELETED_LIMIT, UNDELETED_RESERVE)
"""Everything for which pollers receive less than there is, by their own decision."""

KEEPING_UP_SECONDS = 120.0
"""A replica keeps up while no more than this passes between polls that leave nothing behind."""


@dataclass(frozen=True, slots=True)
class PollState:
    """The result of the last poll, for readiness and metrics."""

    last_success_at: float | None = None
    """Local wall-clock seconds since the epoch."""
    last_error: ServiceError | None = None
    """None while polls succeed."""


class PollBoard:
    """The state of polling; shared by all pollers, read by metrics and the status page."""

    def __init__(
        self, wall: Callable[[], float] = time.time, log_event: Callable[..., None] = lambda *_, **__: None
    ) -> None:
        """`log_event` takes the name of a log event and its fields: a pause begins or ends."""
        self._wall = wall
        self._log_event = log_event
        self._state = PollState()
        self._paused_for = ""
        self._caught_up: tuple[float, float] | None = None
        """Since when polls have left nothing behind, and the last one that did not."""
        self._full = threading.Event()
        self._woken = False

    @property
    def state(self) -> PollState:
        """The last poll of any poller."""
        return self._state

    @property
    def paused_for(self) -> str:
        """For which reason polls pause, of `PAUSE_REASONS`; empty while they do not."""
        return self._paused_for

    @property
    def keeping_up_since(self) -> float | None:
        """Since when polls have left nothing behind, without a gap, in seconds since the epoch; None if they do not."""
        if self._caught_up is None or self._wall() - self._caught_up[1] > KEEPING_UP_SECONDS:
            return None
        return self._caught_up[0]

    def pause(self, reason: str, **fields: float) -> None:
        """Polls pause; logged once for each pause, with the fields."""
        if self._paused_for != reason:
            self._paused_for = reason
            self._log_event("polling.paused", reason=reason, **fields)

    def resume(self) -> None:
        """Polls go on."""
        if self._paused_for:
            reason, self._paused_for = self._paused_for, ""
            self._log_event("polling.resumed", reason=reason)

    def succeeded(self, *, full: bool, waited: bool) -> None:
        """A poll was answered; a full one calls the other pollers.

        One that was not full and waited has left nothing behind. Without a wait the service looks at a part of the
        queue only.
        """
        now = self._wall()
        self._state = PollState(now)
        if waited and not full:
            since = self.keeping_up_since
            self._caught_up = (now if since is None else min(since, now), now)
        if full:
            self._full.set()
        elif not self._woken:
            self._full.clear()

    def failed(self, error: ServiceError) -> None:
        """A poll was not answered."""
        self._state = PollState(self._state.last_success_at, error)

    def wait_for_full(self, seconds: float) -> bool:
        """Whether polls come back full, waiting up to `seconds` for that."""
        return self._full.wait(seconds)

    def wake(self) -> None:
        """Let no poller wait any more, because the process is stopping."""
        self._woken = True
        self._full.set()
