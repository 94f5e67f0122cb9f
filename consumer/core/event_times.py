"""How far the times in an event can be believed, since whoever may publish to the topic writes them. Pure.

An event is published once, when its evaluation changes. A topic keeps it for a day, a queue for seven at most, and a
dead-letter queue for seven more; the evaluator looks again within a day. What claims to be older than all of that
together was not evaluated then. A message that was parked may be older by the time since its first copy, which is
believed for as long as `consumer.core.parked.OLDEST_MS` says.

Retention: https://www.alibabacloud.com/help/en/mns/developer-reference/createqueue
"""

from __future__ import annotations

from enum import StrEnum

_DAY_MS = 86_400_000
OLDEST_BELIEVED_MS = (1 + 7 + 7 + 1) * _DAY_MS
"""Topic, queue, dead-letter queue, evaluation."""
_SKEW_MS = 900_000
"""The clocks of those who sign requests may differ from the service's by this much; such a moment is no forgery."""


class ImplausibleTime(StrEnum):
    """What is wrong with a moment."""

    PAST = "past"
    FUTURE = "future"


def doubt(moment_ms: int, now_ms: int, first_ms: int | None = None) -> ImplausibleTime | None:
    """What is wrong with a moment that an event claims, or None; a parked message was first there at `first_ms`."""
    if moment_ms > now_ms + _SKEW_MS:
        return ImplausibleTime.FUTURE
    return ImplausibleTime.PAST if moment_ms < _oldest_ms(now_ms, first_ms) else None


def believed_ms(moment_ms: int, now_ms: int, first_ms: int | None = None) -> int:
    """The moment, moved to the nearest one that can be believed: what is exported, while logs keep what was claimed."""
    return min(max(moment_ms, _oldest_ms(now_ms, first_ms)), now_ms)


def _oldest_ms(now_ms: int, first_ms: int | None) -> int:
    return min(now_ms if first_ms is None else first_ms, now_ms) - OLDEST_BELIEVED_MS
