"""A change that was accepted and does not show yet: its looks, its later reading back, and what waits for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import Refused, ResourceGone, Throttled
from consumer.core.outcome import Attempt, Ending, Outcome
from consumer.engine.change import READ_BACK_PAUSES_SECONDS
from consumer.remediations.base import Change, Compliant, Finding, Note, Pending
from tests.unit.changing import APPLY_SECONDS, CHANGE, FOUND, LOOK_SECONDS, Dim, Making, Move, Paint, rule

MADE_ANEW = replace(FOUND, incarnation="lamp number 2")
DIM = Change("dim", "off")

OLD = Ending(
    Outcome.HELD,
    "reads_back_old",
    "the service has accepted the change and still shows on; it is read back in a moment",
    before="on",
    after="on",
    hold_seconds=2.0,
    attempt=Attempt("on", "off", "on", begun=True),
)
OVERDUE = replace(
    OLD,
    outcome=Outcome.FAILED,
    detail="the service accepted the change 30 s ago, and it still reads on",
    hold_seconds=None,
)


def test_a_change_that_does_not_show_is_looked_at_again_soon() -> None:
    """Three looks with short pauses; then the worker is free, and a later delivery looks."""
    making = Making()
    making.lamp.findings = [CHANGE]

    assert making.make() == OLD
    assert making.lamp.calls == [("apply", CHANGE), *[("look", FOUND)] * 3]
    assert making.pauses == list(READ_BACK_PAUSES_SECONDS)


def test_it_is_overdue_half_a_minute_after_it_was_accepted() -> None:
    """Until then it is held ever longer; what is overdue is not waited for any more."""
    making = Making()
    making.lamp.findings = [CHANGE]
    accepted_at = making.clock() + APPLY_SECONDS
    making.make()

    making.clock.now = accepted_at + 29.5
    assert making.looked(CHANGE) == replace(OLD, hold_seconds=4.0)
    making.clock.now = accepted_at + 30.0
    assert making.looked(CHANGE) == OVERDUE
    assert making.looked(CHANGE) is None


def test_a_change_that_is_overdue_at_its_first_look_is_not_waited_for() -> None:
    """The look itself took half a minute."""
    making = Making()
    making.lamp.findings, making.lamp.look_seconds = [CHANGE], 30.0

    assert making.make() == OVERDUE
    assert making.looked(CHANGE) is None


@pytest.mark.parametrize(("spare_seconds", "pauses"), [(0.0, []), (0.01, [0.3])])
def test_no_pause_reaches_the_end_of_the_work_budget(spare_seconds: float, pauses: list[float]) -> None:
    """At that moment nothing may be requested any more."""
    making = Making()
    making.lamp.findings = [CHANGE]
    until_look = APPLY_SECONDS + LOOK_SECONDS

    making.maker.make(making.work(budget_seconds=until_look + READ_BACK_PAUSES_SECONDS[0] + spare_seconds))

    assert making.pauses == pauses


def awaiting(seconds: float = 0.0) -> Making:
    """A change that does not show yet, made so long ago."""
    making = Making()
    making.lamp.findings = [CHANGE]
    accepted_at = making.clock() + APPLY_SECONDS
    assert making.make() == OLD
    making.clock.now = max(making.clock(), accepted_at + seconds)
    return making


def test_a_change_that_shows_later_is_a_fix_with_its_note() -> None:
    """From what it was before the change; it is nobody's fix a second time."""
    making = awaiting()
    making.lamp.notes = {FOUND: Note("still_warm", "do not touch it")}

    assert making.looked(Compliant("off")) == Ending(
        Outcome.FIXED, "still_warm", "do not touch it", before="on", after="off"
    )
    assert making.looked(Compliant("off")) is None


def test_another_rule_of_the_same_repair_does_not_take_the_fix() -> None:
    """It finds the lamp compliant; the change was made for the other rule, whose message looks later."""
    making = awaiting()
    assert making.looked(Compliant("off"), rule(name="another")) is None
    assert making.looked(CHANGE, rule(name="another")) == replace(OLD, hold_seconds=4.0)
    assert making.looked(Compliant("off")) is not None


@pytest.mark.parametrize(("rule_holds", "holds"), [(3.0, 3.0), (600.0, 4.0)])
def test_a_change_of_the_same_setting_waits_for_one_that_does_not_show(rule_holds: float, holds: float) -> None:
    """Planned on what still reads old, it would take that one back; nothing of it was begun."""
    making = awaiting()

    assert making.looked(Change("red", "white"), rule(Paint, hold_seconds=rule_holds)) == Ending(
        Outcome.HELD,
        "reads_back_old",
        "another change of the same setting does not show yet",
        before="red",
        after="red",
        hold_seconds=holds,
        attempt=Attempt("red", "white", "red"),
    )


@pytest.mark.parametrize("finding", [Compliant("white"), Pending("red", "it dries"), DIM])
def test_nothing_else_waits_for_it(finding: Finding) -> None:
    """Not what needs no change, and not what only reads the same or writes something else."""
    making = awaiting()
    assert making.looked(finding, rule(Move if isinstance(finding, Change) else Paint)) is None


def test_a_change_waits_for_another_one_until_that_is_overdue() -> None:
    """From then on what reads old is taken for what stands."""
    assert awaiting(29.5).looked(CHANGE, rule(Paint)) is not None
    assert awaiting(30.0).looked(CHANGE, rule(Paint)) is None


def test_a_change_of_a_lamp_made_anew_waits_for_nothing() -> None:
    """The change that does not show was another lamp's."""
    assert awaiting().looked(CHANGE, rule(Paint), found=MADE_ANEW) is None


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (
            Throttled("light", "SetLamp", "Throttling", "slow down"),
            Ending(
                Outcome.FAILED,
                "Throttling",
                "light SetLamp: Throttling: slow down",
                error_class="Throttled",
                attempt=Attempt("on", "off", begun=True),
            ),
        ),
        (
            ResourceGone("light", "SetLamp", "NoSuchLamp", "it is dark"),
            Ending(Outcome.GONE, "no_such_lamp", "the lamp does not exist"),
        ),
        (
            Refused("not_understood", "it blinks"),
            Ending(
                Outcome.REJECTED,
                "not_understood",
                "it blinks",
                error_class="Refused",
                resource_alone=True,
                attempt=Attempt("on", "off", begun=True),
            ),
        ),
    ],
)
def test_a_change_that_cannot_be_read_back_ends_with_the_reason(error: Exception, ending: Ending) -> None:
    """It was begun, and nobody knows what stands."""
    making = Making()
    making.lamp.findings = [error]
    assert making.make(rule(Dim)) == ending
