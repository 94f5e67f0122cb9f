"""The heartbeat: silence is judged by a thread's own announcement."""

from __future__ import annotations

from consumer.engine.heartbeat import Heartbeat
from tests.unit.fakes import Clock


def test_a_thread_is_overdue_when_it_misses_its_own_announcement() -> None:
    """Until the announced moment it is in time, after it what it was doing is named."""
    clock = Clock()
    heartbeat = Heartbeat("worker-1", 10.0, monotonic=clock)
    heartbeat.beat("repairing")
    clock.advance(10.0)
    assert heartbeat.overdue() == ""
    clock.advance(0.1)
    assert heartbeat.overdue() == "repairing"


def test_an_intended_silence_comes_before_the_usual_time() -> None:
    """A pause of a minute is announced as one; a short one leaves room for a suspended process to wake in."""
    clock = Clock()
    heartbeat = Heartbeat("poller-1", 10.0, monotonic=clock)
    heartbeat.beat("pausing", 60.0)
    clock.advance(69.0)
    assert heartbeat.overdue() == ""
    heartbeat.beat("pausing", 0.5)
    clock.advance(5.0)
    assert heartbeat.overdue() == ""
    heartbeat.beat("polling")
    clock.advance(10.5)
    assert heartbeat.overdue() == "polling"


def test_a_thread_that_never_begins_is_overdue() -> None:
    """A start that hangs is seen as well."""
    clock = Clock()
    heartbeat = Heartbeat("settler-1", 10.0, monotonic=clock)
    clock.advance(10.0)
    assert heartbeat.overdue() == ""
    clock.advance(0.1)
    assert heartbeat.overdue() == "starting"


def test_a_machine_that_has_just_started_excuses_nobody() -> None:
    """Its monotonic clock begins at nothing, so that early moments are moments like any other."""
    clock = Clock(0.0)
    heartbeat = Heartbeat("settler-1", 0.25, monotonic=clock)
    clock.advance(0.5)
    assert heartbeat.overdue() == "starting"


def test_rest_is_an_announcement_too() -> None:
    """An idle thread looks around within its idle time, or is missed."""
    clock = Clock()
    heartbeat = Heartbeat("settler-1", 10.0, monotonic=clock)
    heartbeat.rest()
    clock.advance(10.0 + heartbeat.idle_seconds)
    assert heartbeat.overdue() == ""
    clock.advance(0.1)
    assert heartbeat.overdue() == "idle"


def test_a_process_that_could_not_run_is_excused() -> None:
    """After a suspended process wakes, its threads get their time anew."""
    clock = Clock()
    heartbeat = Heartbeat("worker-1", 10.0, monotonic=clock)
    heartbeat.beat("repairing")
    clock.advance(600.0)
    heartbeat.excuse()
    assert heartbeat.overdue() == ""
    clock.advance(10.1)
    assert heartbeat.overdue() == "repairing"
