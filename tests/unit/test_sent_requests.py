"""Which requests a piece of work has sent: those of its own thread, whichever client sends them, a bounded number."""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import count

import pytest

from consumer.core.observers import ApiCall, Hooks
from consumer.core.sent import NO_REQUESTS, recorded_requests


def call(operation: str = "GetBucketInfo") -> ApiCall:
    """One request that was answered."""
    return ApiCall("oss", operation, "ok", 0.25, "4F0B3E4D59A19502B715C158")


def test_requests_are_kept_in_their_order_with_their_time_whatever_hooks_report_them() -> None:
    """A guard's client has hooks of its own, and its requests belong to the same work."""
    clock = count(1_000)
    with recorded_requests(lambda: next(clock)) as trail:
        Hooks().api_call(call("GetBucketInfo"))
        Hooks().api_call(call("PutBucketAcl"))
    found = [(each.at_ms, each.call.operation) for each in trail.sent.kept]
    assert found == [(1_000, "GetBucketInfo"), (1_001, "PutBucketAcl")]


def test_the_time_is_that_of_the_wall_clock_in_whole_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the journal has it; what is less than one is cut off."""
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_123_999_999)
    with recorded_requests() as trail:
        Hooks().api_call(call())
    (sent,) = trail.sent.kept
    assert sent.at_ms == 1_700_000_000_123


def test_what_nobody_follows_and_what_other_threads_send_is_not_kept() -> None:
    """Two workers never see each other's requests."""
    hooks = Hooks()
    hooks.api_call(call())
    with recorded_requests() as trail:
        other = threading.Thread(target=hooks.api_call, args=(call(),))
        other.start()
        other.join()
    hooks.api_call(call())
    assert trail.sent == NO_REQUESTS


def test_the_inner_one_follows_and_the_outer_one_goes_on() -> None:
    """Also where the inner work ends by an exception."""
    hooks = Hooks()
    with recorded_requests() as outer:
        with suppress(ValueError), recorded_requests() as inner:
            hooks.api_call(call("inside"))
            raise ValueError("stop")
        hooks.api_call(call("after"))
    assert [[each.call.operation for each in trail.sent.kept] for trail in (inner, outer)] == [["inside"], ["after"]]


@pytest.mark.parametrize("number", [0, 1, 32, 33, 63, 64, 65, 1_000])
def test_how_it_began_and_how_it_ended_is_kept(number: int) -> None:
    """64 at most, and how many are not."""
    with recorded_requests() as trail:
        for each in range(number):
            Hooks().api_call(call(str(each)))
    kept = [int(each.call.operation) for each in trail.sent.kept]
    assert kept == (list(range(number)) if number <= 64 else [*range(32), *range(number - 32, number)])
    assert trail.sent.left_out == max(0, number - 64)
