"""What keeps this process from knowing every open exposure: while any of it holds, "nothing exposed" is not known.

What a process knows comes from deliveries, so it knows nothing of messages that it has not received since it started,
and of dead letters that it has not seen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum

from consumer.core.observers import Report
from consumer.engine.in_flight import Books
from consumer.engine.poll_board import KEEPING_UP_SECONDS, PollBoard
from consumer.engine.queue_depth import DepthSample
from consumer.telemetry.exposure import OpenExposures

_STATES = 3
"""active, inactive and delayed: with one of them missing, what the queue holds is not known."""


_REMEMBERED = 65_536
"""Messages that are hidden or parked; of more, not all would be known."""


class Unknown(StrEnum):
    """Why open exposures may be missing from what this process knows."""

    NOT_POLLING = "not_polling"
    """No poll has been answered for minutes, or the last one failed."""
    POLLING_PAUSED = "polling_paused"
    """It receives nothing by its own decision."""
    BEHIND = "behind"
    """For minutes every poll has left something on the queue, or there was no room for another one."""
    STARTING = "starting"
    """What was received before its start may still be hidden on the queue."""
    DEAD_LETTERS = "dead_letters"
    """It has not seen the whole dead-letter queue since its start."""


class Unknowns:
    """Says what holds at the moment of a scrape."""

    def __init__(
        self,
        exposures: OpenExposures,
        board: PollBoard,
        books: Callable[[], Books],
        *,
        longest_hide_seconds: float,
        dead_letters: bool,
        remembered: int = _REMEMBERED,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`longest_hide_seconds` is for how long a process before this one may have hidden a message of an exposure."""
        self._exposures = exposures
        self._board = board
        self._books = books
        self._dead_letters = dead_letters
        self._wall = wall
        self._all_seen_at = wall() + longest_hide_seconds
        self._all_seen = False
        self._remembered = remembered
        self._hidden: dict[str, float] = {}
        """Until when each message is hidden by this process, or parked, by the id of its copy."""
        self._lock = threading.Lock()

    def report(self, report: Report) -> None:
        """What this process hides or parks it knows, until that can be received again; only used while it starts."""
        if self._all_seen:
            return
        with self._lock:
            self._hidden.pop(report.message.message_id, None)
            if report.kept_seconds:
                kept = report.parked_as or report.message.message_id
                self._hidden[kept] = report.settled_at_ms / 1000 + report.kept_seconds
                if len(self._hidden) > self._remembered:
                    self._hidden.pop(next(iter(self._hidden)))  # so less is known, never more

    def look(self, look: DepthSample) -> None:
        """Nothing is hidden from before the start if all that the queue holds is ours."""
        known = look.figures.known()
        if look.dead_letters or len(known) < _STATES or not look.quiet:
            return
        with self._lock:
            now = self._wall()
            hidden = sum(until > now for until in self._hidden.values())
            if sum(known.values()) <= self._books().in_flight + hidden:
                self._all_seen = True
                self._hidden.clear()

    def reasons(self) -> Mapping[Unknown, bool]:
        """Every reason, and whether it holds now."""
        now, state = self._wall(), self._board.state
        polling = state.last_success_at is not None and now - state.last_success_at <= KEEPING_UP_SECONDS
        self._all_seen = self._all_seen or now >= self._all_seen_at
        return {
            Unknown.NOT_POLLING: state.last_error is not None or not polling,
            Unknown.POLLING_PAUSED: bool(self._board.paused_for),
            Unknown.BEHIND: self._board.keeping_up_since is None,
            Unknown.STARTING: not self._all_seen,
            Unknown.DEAD_LETTERS: self._dead_letters and not self._exposures.letters_known,
        }
