"""How fast one poller polls: how many messages it requests, and how long it pauses; owned by its thread."""

from __future__ import annotations

from collections.abc import Callable

from consumer.core.queue_limits import MAX_BATCH

_EARLY_SHARE = 0.5
"""An empty answer before this share of the wait came too early."""

_LONGEST_ERROR_PAUSE_SECONDS = 30.0

_MOST_DAMAGED_IN_A_ROW = 256
"""So many damaged replies in a row are polled past without a pause: alone, each damaged message costs one poll."""


class PollPace:
    """Grows slower with failures and with empty answers that come too early, and is reset by a good poll."""

    def __init__(self, wait_seconds: int, jitter: Callable[[float, float], float]) -> None:
        self._wait_seconds = wait_seconds
        self._jitter = jitter
        self._failures = 0
        self._damaged_in_a_row = 0
        self._early_answers = 0
        self._one_by_one = 0
        """Polls that still request a single message, after a reply that could not be read."""

    def batch(self, reserved: int) -> int:
        """How many messages to request."""
        return 1 if self._one_by_one else reserved

    def answered(self, count: int, seconds: float) -> None:
        """A poll brought so many messages after so long."""
        self._failures = self._damaged_in_a_row = 0
        self._one_by_one = max(0, self._one_by_one - 1)
        early = not count and seconds < self._wait_seconds * _EARLY_SHARE
        self._early_answers = self._early_answers + 1 if early else 0

    def failed(self) -> None:
        """A poll failed."""
        self._failures += 1

    def damaged(self, *, by_service: bool) -> None:
        """One message may be what damages the reply: alone it hides no others, and it is hidden now, so poll on.

        Only where the service itself answered: a proxy's page says nothing about any message.
        """
        self._one_by_one = MAX_BATCH
        self._damaged_in_a_row += 1
        if not by_service or self._damaged_in_a_row > _MOST_DAMAGED_IN_A_ROW:
            self._failures += 1

    def pause_seconds(self) -> float:
        """Nothing after a good poll; after failures and early empty answers longer each time, with jitter."""
        in_a_row, longest = self._failures, _LONGEST_ERROR_PAUSE_SECONDS
        if not in_a_row:
            in_a_row, longest = self._early_answers, float(self._wait_seconds)
        if not in_a_row:
            return 0.0
        full = min(2.0 ** min(in_a_row - 1, 10), longest)  # 2**10 seconds is past both
        return self._jitter(full / 2, full)
