"""Settlements that only fail make a worker unready; what passes, and what works again, does not."""

from __future__ import annotations

import pytest

from consumer.core.observers import SettleError
from consumer.core.outcome import Disposition, Outcome
from consumer.telemetry.settling import LONG_SECONDS, SettlementWatch
from tests.unit.fakes import Clock
from tests.unit.telemetry.records import report


@pytest.fixture
def clock() -> Clock:
    """Time of the watch."""
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> SettlementWatch:
    """One that has seen deletions fail for half a minute."""
    found = SettlementWatch(clock)
    found.settle_error(SettleError("m", "delete", "timeout"))
    clock.advance(LONG_SECONDS)
    found.settle_error(SettleError("n", "delete", "AccessDenied"))
    return found


def test_what_fails_for_long_is_named(watch: SettlementWatch) -> None:
    """The action, the latest code and for how long."""
    assert watch.reason() == "settlements fail: delete for 30 s, last AccessDenied"


def test_a_handle_that_has_expired_is_no_failure_of_the_queue(clock: Clock) -> None:
    """The queue answered, and the message is delivered again; leases that are lost have an alert of their own."""
    watch = SettlementWatch(clock)
    for _ in range(5):
        watch.settle_error(SettleError("m", "hide", "MessageNotExist"))
        clock.advance(LONG_SECONDS)
    assert watch.reason() == ""


def test_a_moment_of_failures_is_no_reason(clock: Clock) -> None:
    """It is tried again."""
    watch = SettlementWatch(clock)
    for _ in range(50):
        watch.settle_error(SettleError("m", "delete", "AccessDenied"))
    assert watch.reason() == ""


@pytest.mark.parametrize(
    ("disposition", "works"),
    [
        (Disposition.DELETED, True),
        (Disposition.DEAD_LETTERED, True),
        (Disposition.HIDDEN, False),
        (Disposition.RELEASED, False),
        (Disposition.LEASE_LOST, False),
    ],
)
def test_only_the_same_action_proves_that_it_works(
    watch: SettlementWatch, disposition: Disposition, works: bool
) -> None:
    """That messages can be hidden says nothing about deletions."""
    watch.report(report(Outcome.FIXED, disposition=disposition))
    assert (watch.reason() == "") is works


def test_a_deletion_says_nothing_about_hiding(clock: Clock) -> None:
    """Each action of the queue has a permission and a failure of its own."""
    watch = SettlementWatch(clock)
    watch.settle_error(SettleError("m", "hide", "AccessDenied"))
    clock.advance(LONG_SECONDS)
    watch.report(report(Outcome.FIXED))
    assert watch.reason() == "settlements fail: hide for 30 s, last AccessDenied"
    watch.report(report(Outcome.HELD, disposition=Disposition.HIDDEN))
    assert watch.reason() == ""


def test_failures_that_nothing_followed_are_old(watch: SettlementWatch, clock: Clock) -> None:
    """A worker without messages is not unready for ever."""
    clock.advance(301)
    assert watch.reason() == ""
