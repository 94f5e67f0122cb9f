"""A rule's windows of time as a guard: what it says, for how long it holds, and what it does not touch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.core.outcome import Ending, Outcome
from consumer.guards.chain import OUTSIDE_WINDOW, Guards, Intent
from consumer.guards.limits import Limit, LocalLimits
from consumer.guards.memory import GuardMemory
from consumer.guards.rule import Mode
from consumer.guards.window import TimeWindow
from tests.unit.fakes import Clock
from tests.unit.guards.cases import conclude, ended, intent, permitted, refused
from tests.unit.guards.test_window import at

OFFICE = TimeWindow.parsed("Mon-Fri 09:00-17:00 Asia/Shanghai")
SUNDAY = at("2026-11-29T12:00", "Asia/Shanghai")
MONDAY = at("2026-11-30T09:00", "Asia/Shanghai")


def windowed(mode: Mode = Mode.ENFORCE, hold_seconds: float = 77.0, *windows: TimeWindow) -> Intent:
    """A change of a rule with windows."""
    asked = intent(mode)
    return replace(asked, rule=replace(asked.rule, windows=windows or (OFFICE,), hold_seconds=hold_seconds))


def guards(wall: Clock, **given: Any) -> Guards:
    """Guards by that clock on the wall."""
    return Guards(monotonic=Clock(), wall=wall, **given)


def test_outside_of_its_windows_a_change_is_held() -> None:
    """With both states, and a detail that says when; the message comes back by the rule's own time at the latest."""
    ending = refused(guards(Clock(SUNDAY)), windowed())

    assert ending == Ending(
        Outcome.HELD,
        OUTSIDE_WINDOW,
        "the rule makes changes only Mon-Fri 09:00-17:00 Asia/Shanghai",
        "public-read",
        "private",
        hold_seconds=77.0,
    )


def test_any_of_several_windows_will_do() -> None:
    """All of them are named, and the one that opens first is waited for."""
    night = TimeWindow.parsed("Sun 22:00-23:00 Asia/Shanghai")
    asked = windowed(Mode.ENFORCE, 86_400.0, OFFICE, night)

    ending = refused(guards(Clock(SUNDAY)), asked)

    assert ending.detail == (
        "the rule makes changes only Mon-Fri 09:00-17:00 Asia/Shanghai or Sun 22:00-23:00 Asia/Shanghai"
    )
    assert ending.hold_seconds == 10 * 3_600
    for opened in (MONDAY, SUNDAY + 10 * 3_600):
        permitted(guards(Clock(opened)), asked)
        assert guards(Clock(opened)).window_open(asked.rule)
    assert not guards(Clock(SUNDAY)).window_open(asked.rule)


def test_windows_are_judged_by_the_moment_that_is_given() -> None:
    """What is decided about an event of last week is decided as of then, and not as of now."""
    then = guards(Clock(SUNDAY), windows_at=Clock(MONDAY))
    permitted(then, windowed())
    assert then.window_open(windowed().rule)
    assert refused(guards(Clock(MONDAY), windows_at=Clock(SUNDAY)), windowed()).reason == OUTSIDE_WINDOW


@pytest.mark.parametrize(("early_seconds", "hold_seconds"), [(10_000, 3_600), (3_600, 3_600), (60, 60), (0.5, 0.5)])
def test_it_is_held_until_the_window_opens_and_never_longer(early_seconds: float, hold_seconds: float) -> None:
    """So that work begins with the window; and a long wait is one of several bounded ones."""
    ending = refused(guards(Clock(MONDAY - early_seconds)), windowed(Mode.ENFORCE, 3_600.0))

    assert ending.hold_seconds == hold_seconds


def test_within_a_window_nothing_is_different() -> None:
    """From its first moment on; and what began in it may be finished after it."""
    wall = Clock(MONDAY)
    limited = guards(wall, memory=GuardMemory(LocalLimits(Limit(1, 60))))
    permit = permitted(limited, windowed())
    wall.advance(8 * 3_600)
    conclude(permit, ended(Outcome.FIXED))
    assert limited.changes_in_window() == {"": 1}


def test_a_window_that_never_opens_holds() -> None:
    """In Berlin no clock ever shows a quarter past two on the last Sunday in March; the next one does. Fails closed."""
    never = replace(OFFICE, days=frozenset())

    ending = refused(guards(Clock(MONDAY)), windowed(Mode.ENFORCE, 900.0, never))

    assert (ending.reason, ending.hold_seconds) == (OUTSIDE_WINDOW, 900.0)


def test_what_is_held_takes_no_place_and_proves_nothing() -> None:
    """No limit, breaker or contest counts it."""
    limited = guards(Clock(SUNDAY), memory=GuardMemory(LocalLimits(Limit(1, 60))))
    for _ in range(50):
        refused(limited, windowed())

    assert limited.changes_in_window() == {"": 0}
    assert limited.breakers.open_rules() == frozenset()


def test_a_pause_is_named_first() -> None:
    """Somebody's decision of now says more than the time of the day."""
    paused = guards(Clock(SUNDAY), held_by=lambda: "a signal")

    assert refused(paused, windowed()).reason == "paused"


def test_a_rule_that_observes_says_what_it_would_wait_for() -> None:
    """No change follows, so nothing is held; who switches to enforce knows."""
    ending = refused(guards(Clock(SUNDAY)), windowed(Mode.OBSERVE))

    assert (ending.outcome, ending.reason) == (Outcome.WOULD_FIX, "observe_mode")
    assert ending.detail == "the rule only observes; enforcing, it would wait for Mon-Fri 09:00-17:00 Asia/Shanghai"
    assert refused(guards(Clock(MONDAY)), windowed(Mode.OBSERVE)).detail == "the rule only observes"
