"""Stages: how long each part of a delivery took."""

from __future__ import annotations

import pytest

from consumer.core.observers import ApiCall, Hooks
from consumer.core.sent import NO_REQUESTS
from consumer.engine.timings import Timings
from tests.unit.fakes import Clock


def test_times_add_up_by_stage_in_the_order_of_the_way() -> None:
    """A stage that is entered twice is one stage."""
    clock = Clock()
    stages = Timings(clock)
    stages.add("wait", 2.0)
    for seconds in (1.0, 3.0):
        with stages.measure("inspect"):
            clock.advance(seconds)
    assert stages.as_tuple() == (("wait", 2.0), ("inspect", 4.0))


def test_a_stage_that_fails_is_measured_too() -> None:
    """Time spent on a failure is time spent."""
    clock = Clock()
    stages = Timings(clock)

    def apply() -> None:
        with stages.measure("apply"):
            clock.advance(1.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        apply()
    assert stages.as_tuple() == (("apply", 1.0),)


def test_work_that_was_not_begun_took_nothing() -> None:
    """No stage, no request: so a delivery is reported that is released untouched."""
    stages = Timings(Clock())
    assert (stages.as_tuple(), stages.request_ids, stages.requests) == ((), (), NO_REQUESTS)


def test_the_requests_of_work_that_fails_are_kept_too() -> None:
    """Those of its thread, until the work ends."""
    stages, hooks = Timings(Clock()), Hooks()
    sent, later = (ApiCall("oss", operation, "ok", 0.25, "4F0B") for operation in ("GetBucketInfo", "PutBucketAcl"))

    def look() -> None:
        with stages.recording_requests():
            hooks.api_call(sent)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        look()
    hooks.api_call(later)
    assert [each.call for each in stages.requests.kept] == [sent]
