"""The consumption limit: polling pauses before the service's own throttle does."""

from __future__ import annotations

from consumer.engine.undeleted_limit import WINDOW_SECONDS, ConsumptionLimit


def test_below_the_limit_nothing_pauses() -> None:
    """One delivery fewer than the limit is no reason to pause."""
    limit = ConsumptionLimit(3)
    limit.not_deleted(0.0)
    limit.not_deleted(1.0)
    assert limit.pause_seconds(2.0) == 0.0
    assert limit.count() == 2


def test_at_the_limit_polling_pauses_until_the_oldest_leaves_the_window() -> None:
    """The pause ends at the moment when the count falls below the limit, and not before."""
    limit = ConsumptionLimit(2)
    limit.not_deleted(100.0)
    limit.not_deleted(200.0)
    assert limit.pause_seconds(300.0) == 100.0 + WINDOW_SECONDS - 300.0
    assert limit.pause_seconds(100.0 + WINDOW_SECONDS - 0.5) == 0.5
    assert limit.pause_seconds(100.0 + WINDOW_SECONDS) == 0.0
    assert limit.count() == 1
