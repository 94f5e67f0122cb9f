"""Limits: no window ever holds more changes than it may, and what waits is given a turn."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.guards.limits import Limit, LimitReached, LocalLimits, Reservation, Window
from consumer.resources.base import Resource
from consumer.resources.oss.kind import BUCKETS
from tests.patience import PATIENCE_SECONDS

RULE = "public-read"


def one(limit: Limit) -> LocalLimits:
    """A limit on one rule alone."""
    return LocalLimits(None, {RULE: limit})


def bucket(number: int) -> Resource:
    """One of many."""
    return BUCKETS.resource("1234567890123456", "cn-hangzhou", f"bucket-{number}")


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30), st.booleans()), max_size=60),
)
def test_no_window_holds_more_changes_than_the_limit(most: int, steps: list[tuple[float, float, bool]]) -> None:
    """However changes come and however long they take, any window of 10 s sees at most so many end."""
    limits = one(Limit(most, 10.0))
    now, made, under_way = 0.0, [], []
    for pause, takes, changed in steps:
        now += pause
        for end, really in sorted(under_way):
            if end <= now:
                limits.conclude(Reservation(RULE), end if really else None)
                under_way.remove((end, really))
                made += [end] if really else []
        if isinstance(limits.reserve(RULE, now), Reservation):
            under_way.append((now + takes, changed))
        assert limits.taken(now)[RULE] <= most
    for moment in made:
        assert len([other for other in made if moment <= other < moment + 10.0]) <= most


def test_many_threads_get_exactly_as_many_places_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 500 that ask at once with 32 hands, exactly 20 get a place, wherever one interrupts another."""
    look = Window.taken

    def look_and_let_others(window: Window, now: float) -> int:
        found = look(window, now)
        time.sleep(0)  # other threads run between the look and what follows from it
        return found

    monkeypatch.setattr(Window, "taken", look_and_let_others)
    limits = LocalLimits(Limit(1_000, 60), {RULE: Limit(20, 60)})
    start = threading.Barrier(32)

    def ask(number: int) -> int:
        if number < 32:
            start.wait(PATIENCE_SECONDS)
        return isinstance(limits.reserve(RULE, 0.0), Reservation)

    with ThreadPoolExecutor(32) as hands:
        assert sum(hands.map(ask, range(500))) == 20
    assert limits.taken(0.0) == {RULE: 20, "": 20}


def test_a_place_is_free_again_when_its_window_is_over() -> None:
    """The window slides: each change frees its own place, a window after it ended."""
    limits = one(Limit(2, 60))
    for moment in (0.0, 30.0):
        assert limits.reserve(RULE, moment) == Reservation(RULE)
        limits.conclude(Reservation(RULE), moment)

    assert isinstance(limits.reserve(RULE, 59.9), LimitReached)
    assert isinstance(limits.reserve(RULE, 60.0), Reservation)
    assert isinstance(limits.reserve(RULE, 60.0), LimitReached)


def test_a_change_under_way_keeps_its_place_however_long_it_takes() -> None:
    """A change counts when it happens, not when it was allowed."""
    limits = one(Limit(1, 60))
    assert isinstance(limits.reserve(RULE, 0.0), Reservation)

    assert isinstance(limits.reserve(RULE, 1_000.0), LimitReached)
    limits.conclude(Reservation(RULE), 1_000.0)
    assert isinstance(limits.reserve(RULE, 1_059.0), LimitReached)
    assert isinstance(limits.reserve(RULE, 1_060.0), Reservation)


def test_the_limit_on_all_rules_binds_each() -> None:
    """A rule without a limit of its own still shares the common one, and the text says which is used up."""
    limits = LocalLimits(Limit(1, 60), {RULE: Limit(5, 60)})
    assert isinstance(limits.reserve("other", 0.0), Reservation)

    full = limits.reserve(RULE, 0.0)
    assert isinstance(full, LimitReached)
    assert full.text == "the limit of 1 changes in 60 s for all rules"
    assert limits.taken(0.0) == {RULE: 0, "": 1}
    assert limits.limits() == {RULE: 5, "": 1}


def test_what_waits_comes_back_in_turns() -> None:
    """Those without a place are not all called back for the first one: each window calls as many as it can take."""
    limits = one(Limit(20, 60))
    for moment in range(20):
        assert isinstance(limits.reserve(RULE, float(moment)), Reservation)
        limits.conclude(Reservation(RULE), float(moment))

    turns = [full.wait_seconds for _ in range(50) if isinstance(full := limits.reserve(RULE, 20.0), LimitReached)]

    assert turns == [60.0 - 20 + place + 60 * window for window in range(3) for place in range(20)][:50]


def test_turns_that_have_come_are_forgotten() -> None:
    """A line that nobody stands in any more delays nobody."""
    limits = one(Limit(1, 60))
    assert isinstance(limits.reserve(RULE, 0.0), Reservation)
    limits.conclude(Reservation(RULE), 0.0)
    for _ in range(5):
        limits.reserve(RULE, 0.0)
    assert isinstance(limits.reserve(RULE, 400.0), Reservation)
    limits.conclude(Reservation(RULE), 400.0)

    full = limits.reserve(RULE, 400.0)
    assert isinstance(full, LimitReached)
    assert full.wait_seconds == 60.0


def test_a_turn_is_over_from_its_very_moment_on() -> None:
    """Whoever it was named to has come, or comes too late: the next one does not wait for it."""
    limits = one(Limit(1, 60))
    assert isinstance(limits.reserve(RULE, 0.0), Reservation)
    limits.conclude(Reservation(RULE), 0.0)
    assert limits.reserve(RULE, 59.5) == LimitReached("the rule's limit of 1 changes in 60 s", 0.5)
    assert isinstance(limits.reserve(RULE, 60.0), Reservation)

    assert limits.reserve(RULE, 60.0) == LimitReached("the rule's limit of 1 changes in 60 s", 60.0)


def test_a_resource_that_is_observed_again_counts_once() -> None:
    """Looking at the same bucket every few minutes is not a change each time; after the window it is."""
    limits = one(Limit(2, 60))
    assert [limits.rehearse(RULE, bucket(number), 0.0) for number in (1, 2, 1, 2)] == ["", "", "", ""]
    assert limits.rehearse(RULE, bucket(3), 59.0) == "the rule's limit of 2 changes in 60 s"
    assert limits.rehearse(RULE, bucket(3), 60.0) == ""
    assert limits.rehearse("without-a-limit", bucket(3), 0.0) == ""


def test_what_was_observed_longest_ago_is_the_first_to_count_no_more() -> None:
    """The window slides over the resources that were observed, one by one."""
    limits = one(Limit(2, 60))
    assert [limits.rehearse(RULE, bucket(1), 0.0), limits.rehearse(RULE, bucket(2), 30.0)] == ["", ""]
    assert limits.rehearse(RULE, bucket(3), 60.0) == ""
    assert limits.rehearse(RULE, bucket(1), 60.0) == "the rule's limit of 2 changes in 60 s"


def test_a_line_of_ten_thousand_is_the_longest_that_is_kept_in_order() -> None:
    """Memory is bounded: whoever comes later shares the last turn."""
    limits = one(Limit(1, 60))
    assert isinstance(limits.reserve(RULE, 0.0), Reservation)
    turns = [full.wait_seconds for _ in range(10_003) if isinstance(full := limits.reserve(RULE, 0.0), LimitReached)]
    assert turns[:3] == [60.0, 120.0, 180.0]
    assert turns[9_999:] == [600_000.0, 600_060.0, 600_060.0, 600_060.0]
