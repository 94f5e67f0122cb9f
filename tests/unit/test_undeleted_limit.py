"""The limit on what is received and not deleted: times are stretched, polls are paced, and a reserve is left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.engine.undeleted_limit import WINDOW_SECONDS, UndeletedLimit

SERVICE_LIMIT = 5_000
"""https://www.alibabacloud.com/help/en/mns/product-overview/limits: not deleted within 30 minutes, for each key."""


def filled(most: int, count: int, at: float = 0.0) -> UndeletedLimit:
    """A limit with so many deliveries in its window."""
    limit = UndeletedLimit(most)
    for _ in range(count):
        limit.not_deleted(at)
    return limit


def test_below_the_reserve_nothing_pauses() -> None:
    """Four fifths of the limit are received at full speed, what is in flight included."""
    limit = filled(100, 70)
    assert limit.room(5, 1.0) == 5
    assert limit.pause_seconds(5, 1.0) == 0.0
    assert limit.room(10, 1.0) == 0


def test_in_the_reserve_polls_are_paced_and_never_stopped_for_long() -> None:
    """A burst has used up its part: the reserve of 20 lasts until the burst leaves, one message each 90 seconds."""
    limit = filled(100, 80)
    assert limit.room(0, 0.0) == 0
    assert limit.pause_seconds(0, 0.0) == WINDOW_SECONDS / 20
    assert limit.room(0, 90.0) == 1
    limit.not_deleted(90.0)
    assert limit.room(0, 90.0) == 0
    assert limit.pause_seconds(0, 90.0) == pytest.approx(90.0)


def test_what_is_deleted_costs_no_room() -> None:
    """Fresh events that are repaired and deleted are received one after the other, however full the window is."""
    limit = filled(100, 80)
    for _ in range(1_000):
        assert limit.room(0, 91.0) == 1


def test_what_is_in_flight_makes_a_poller_look_again_soon() -> None:
    """It may be deleted at any moment, so nobody sleeps until the window says so."""
    limit = filled(100, 80)
    assert limit.pause_seconds(3, 10.0) == pytest.approx(0.1)
    assert limit.pause_seconds(0, 10.0) == pytest.approx(80.0)
    assert (limit.room(1, 181.0), limit.room(2, 181.0)) == (1, 0)


def test_when_the_burst_leaves_the_window_everything_is_as_before() -> None:
    """Half an hour later."""
    limit = filled(100, 80)
    assert limit.room(0, WINDOW_SECONDS) == 80
    assert limit.count(WINDOW_SECONDS) == 0


def test_times_are_stretched_as_the_count_rises() -> None:
    """Doubled for each twentieth of the limit beyond a tenth, eightfold and up to an hour at most, never shortened."""
    assert filled(100, 10).stretched(900, 1.0) == 900
    assert filled(100, 15).stretched(900, 1.0) == pytest.approx(1_800)
    assert filled(100, 20).stretched(30, 1.0) == pytest.approx(120)
    assert filled(100, 24).stretched(30, 1.0) == pytest.approx(30 * 2**2.8)
    assert filled(100, 100).stretched(30, 1.0) == 240
    assert filled(100, 100).stretched(900, 1.0) == 3_600
    assert filled(100, 100).stretched(7_200, 1.0) == 7_200


@given(st.lists(st.tuples(st.floats(0, 120), st.integers(0, 16), st.booleans()), max_size=300))
def test_the_limit_is_never_passed(polls: list[tuple[float, int, bool]]) -> None:
    """Whatever comes, and however much of it is kept: the window never holds more than the limit."""
    limit, now, most = UndeletedLimit(60), 0.0, 60
    for gap, wanted, kept in polls:
        now += gap
        received = min(wanted, limit.room(0, now))
        for _ in range(received if kept else 0):
            limit.not_deleted(now)
        assert limit.count(now) <= most


def test_five_thousand_observed_messages_stay_below_the_services_throttle() -> None:
    """At a hold of 15 minutes they would count 10,000 times in half an hour; stretched and paced they do not."""
    limit, now, due = UndeletedLimit(4_000), 0.0, [0.0] * SERVICE_LIMIT
    highest = waited = 0.0
    while now < 4 * 3_600:
        visible = [at for at in due if at <= now][: min(160, limit.room(0, now))]
        for at in visible:
            due.remove(at)
            limit.not_deleted(now)
            due.append(now + limit.stretched(900, now))
        highest = max(highest, limit.count(now))
        waited = max(waited, limit.pause_seconds(0, now))
        now += 5.0
    assert highest <= 4_000
    assert waited <= 2.25


def test_a_fresh_event_does_not_wait_behind_thousands_of_observed_ones() -> None:
    """With 3,000 observed messages, some are always due; once they are hidden for longer they leave room for others."""
    limit, now, due = UndeletedLimit(4_000), 0.0, [0.0] * 3_000
    behind: list[int] = []
    while now < 3 * 3_600:
        visible = [at for at in due if at <= now]
        if now > 60:
            behind.append(len(visible) if limit.room(0, now) < len(visible) else 0)
        for at in visible[: limit.room(0, now)]:
            due.remove(at)
            limit.not_deleted(now)
            due.append(now + limit.stretched(900, now))
        now += 5.0
    assert sum(1 for count in behind if count > 100) / len(behind) < 0.1


def test_at_the_limit_itself_nothing_is_received_until_the_oldest_leaves_the_window() -> None:
    """However long ago the last one came, and however many came after the oldest."""
    limit = filled(100, 1)
    for _ in range(99):
        limit.not_deleted(500.0)
    assert limit.room(0, 1_000.0) == 0
    assert limit.pause_seconds(0, 1_000.0) == WINDOW_SECONDS - 1_000.0


def test_a_reserve_of_one_message_lasts_for_a_whole_window() -> None:
    """The smallest one that there is."""
    limit = filled(5, 4)
    assert limit.pause_seconds(0, 0.0) == WINDOW_SECONDS
    assert (limit.room(0, WINDOW_SECONDS - 1), limit.room(0, WINDOW_SECONDS)) == (0, 4)
