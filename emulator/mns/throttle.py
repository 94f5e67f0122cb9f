"""The abnormal-consumption throttle: who keeps receiving without deleting is refused for a while.

Off unless switched on. The service's thresholds are not exact; here they are one number in one window.
Source: https://www.alibabacloud.com/help/en/mns/product-overview/flow-limiting-policy.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Consumer:
    """What one access key received and deleted lately."""

    moves: deque[tuple[float, int]] = field(default_factory=deque)
    """Time in seconds with +n for received and -n for deleted messages, oldest first."""
    undeleted: int = 0


class ConsumptionThrottle:
    """Counts receives minus deletes per access key in a sliding window."""

    def __init__(self) -> None:
        self._limit: int | None = None
        self._window_seconds = 0.0
        self._consumers: dict[str, _Consumer] = {}

    def set(self, max_undeleted: int, window_seconds: float) -> None:
        """Refuse receives once that many messages were received and not deleted within the window."""
        self._limit = max_undeleted
        self._window_seconds = window_seconds
        self._consumers.clear()

    def clear(self) -> None:
        """Switch the throttle off and forget what was counted."""
        self._limit = None
        self._consumers.clear()

    def refuses(self, access_key_id: str, now: float) -> bool:
        """Whether a receive by this key is refused at `now` (seconds)."""
        consumer = self._consumers.get(access_key_id)
        if self._limit is None or consumer is None:
            return False
        while consumer.moves and consumer.moves[0][0] <= now - self._window_seconds:
            consumer.undeleted -= consumer.moves.popleft()[1]
        return consumer.undeleted >= self._limit

    def received(self, access_key_id: str, messages: int, now: float) -> None:
        """Count messages handed out at `now` (seconds)."""
        self._count(access_key_id, messages, now)

    def deleted(self, access_key_id: str, messages: int, now: float) -> None:
        """Count messages deleted at `now` (seconds)."""
        self._count(access_key_id, -messages, now)

    def _count(self, access_key_id: str, messages: int, now: float) -> None:
        if self._limit is not None and messages:
            consumer = self._consumers.setdefault(access_key_id, _Consumer())
            consumer.moves.append((now, messages))
            consumer.undeleted += messages
