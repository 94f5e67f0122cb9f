"""One change that may be made: what it says of itself, step by step, and every way it can end, word by word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import (
    ChangedMeanwhile,
    PermissionMissing,
    Refused,
    ResourceGone,
    ServiceError,
    Throttled,
    Unanswered,
)
from consumer.core.observers import Step, StepName
from consumer.core.outcome import Attempt, Ending, Outcome
from consumer.engine.change import READ_BACK_PAUSES_SECONDS
from consumer.remediations.base import Change, Compliant, Finding, Note, Pending, ReportOnly
from consumer.resources.base import Written
from tests.unit.changing import APPLY_SECONDS, CHANGE, FOUND, LOOK_SECONDS, Dim, Journal, Making, Move, Paint, rule
from tests.unit.fakes import received

MADE_ANEW = replace(FOUND, incarnation="lamp number 2")
REFUSED = PermissionMissing("light", "SetLamp", "Forbidden", "no")
NO_ANSWER = Unanswered("light", "SetLamp", "timeout", "no answer came")
DIM = Change("dim", "off")


def test_a_change_is_made_and_read_back() -> None:
    """One request, one look at the lamp as it is then, and what both took."""
    making = Making()
    work = making.work()

    assert making.maker.make(work) == Ending(Outcome.FIXED, before="on", after="off")

    assert making.lamp.calls == [("apply", CHANGE), ("look", FOUND)]
    assert work.delivery.timings.as_tuple() == (("apply", APPLY_SECONDS), ("verify", LOOK_SECONDS))
    assert work.permit.used


def test_what_is_to_be_known_of_the_lamp_after_the_change_is_in_its_ending() -> None:
    """The note is about the lamp that was read back, which may be newer than the one that was looked at first."""
    making = Making()
    making.lamp.identities, making.lamp.notes = [MADE_ANEW], {MADE_ANEW: Note("still_warm", "do not touch it")}

    assert making.make() == Ending(Outcome.FIXED, "still_warm", "do not touch it", before="on", after="off")


def test_both_steps_are_reported_with_both_states() -> None:
    """Before the request, and once it is accepted; undo goes by the states."""
    journal = Journal()

    Making(journal).make(rule(name="lamps-off"))

    before = Step(
        StepName.BEFORE,
        received(),
        rule="lamps-off",
        remediation="light.dim",
        mode="enforce",
        before="on",
        after="off",
        observed="keep",
    )
    assert journal.steps == [before, replace(before, name=StepName.CHANGED)]


def disk_full() -> None:
    """The journal cannot be written."""
    raise OSError("no space left")


@pytest.mark.parametrize(("rule_holds", "holds"), [(59.0, 59.0), (600.0, 60.0)])
def test_without_its_line_in_the_journal_nothing_is_changed_where_that_is_required(
    rule_holds: float, holds: float
) -> None:
    """Looked at again after a minute, or earlier if the rule says so; the limits have room for another change."""
    making = Making(Journal(disk_full), journal_required=True)
    work = making.work(rule(hold_seconds=rule_holds))

    assert making.maker.make(work) == Ending(
        Outcome.HELD,
        "journal_unwritable",
        "the journal is required, and its line about the change could not be written",
        before="on",
        after="off",
        hold_seconds=holds,
    )
    assert making.lamp.calls == []
    assert not work.permit.used


@pytest.mark.parametrize("required", [None, False])
def test_where_the_journal_is_not_required_the_change_is_made_without_it(required: bool | None) -> None:
    """So it is unless somebody asks for the other."""
    assert Making(Journal(disk_full), journal_required=required).make().outcome is Outcome.FIXED


def test_a_required_journal_that_is_not_there_records_nothing() -> None:
    """The configuration does not allow it; whoever builds the engine otherwise gets no change without its line."""
    making = Making(journal_required=True)
    assert making.make().reason == "journal_unwritable"
    assert making.lamp.calls == []


def test_where_the_journal_is_required_and_written_the_change_is_made() -> None:
    """Its line stands."""
    assert Making(Journal(), journal_required=True).make().outcome is Outcome.FIXED


LOST = Ending(Outcome.LEASE_LOST, "lost_before_change")


def test_without_the_lease_nothing_is_changed() -> None:
    """Another replica may be repairing the lamp by now; nothing is written down of a change that is not made."""
    journal = Journal()
    making = Making(journal)
    work = making.work()
    work.delivery.lease.lose()

    assert making.maker.make(work) == LOST
    assert (making.lamp.calls, journal.steps, work.permit.used) == ([], [], False)


def test_a_lease_that_ends_while_the_line_is_written_is_noticed() -> None:
    """A slow disk must not lead to a change by two replicas."""
    journal = Journal(lambda: making.clock.advance(60.0))
    making = Making(journal)
    work = making.work()

    assert making.maker.make(work) == LOST
    assert (making.lamp.calls, work.permit.used) == ([], False)


@pytest.mark.parametrize("error", [REFUSED, ChangedMeanwhile("light.dim", "it is dim by now")])
def test_a_change_that_is_refused_before_anything_is_written_leaves_what_was_found(error: ServiceError) -> None:
    """No accident is looked for, and the limits have room for another change."""
    making = Making()
    work, making.lamp.answer = making.work(), error

    assert making.maker.make(work).attempt == Attempt("on", "off", now="on")
    assert making.lamp.calls == [("apply", CHANGE)]
    assert not work.permit.used


@pytest.mark.parametrize(
    ("error", "written"), [(REFUSED, Written.PERHAPS), (NO_ANSWER, Written.NO), (NO_ANSWER, Written.PERHAPS)]
)
def test_what_may_have_taken_effect_counts_and_its_accidents_are_looked_for(
    error: ServiceError, written: Written
) -> None:
    """A refusal says nothing about a request before it that nobody answered."""
    making = Making()
    work, making.lamp.answer, making.lamp.written = making.work(), error, written

    assert making.maker.make(work).attempt == Attempt("on", "off", now="", begun=True)
    assert making.lamp.calls == [("apply", CHANGE), ("recover", FOUND)]
    assert work.permit.used


def in_part(*findings: Finding | Exception) -> Making:
    """One request of the change was accepted, the next one refused, and a look afterwards finds this."""
    making = Making()
    making.lamp.answer, making.lamp.written, making.lamp.findings = REFUSED, Written.YES, list(findings)
    return making


def test_a_change_of_which_a_part_shows_says_so() -> None:
    """What was reached can be undone, and what was wanted is said beside it; the refusal decides what comes next."""
    assert in_part(DIM).make() == Ending(
        Outcome.HELD,
        "permission_missing",
        "changed in part, then: light SetLamp: Forbidden: no",
        before="on",
        after="dim",
        error_class="PermissionMissing",
        hold_seconds=300.0,
        missing_action="light:SetLamp",
        attempt=Attempt("on", "off", "dim", begun=True, in_part=True),
    )


def test_a_change_that_is_refused_and_shows_as_a_whole_is_a_fix() -> None:
    """The read-back decides."""
    making = in_part(Compliant("off"))
    making.lamp.identities, making.lamp.notes = [MADE_ANEW], {MADE_ANEW: Note("still_warm", "do not touch it")}

    assert making.make() == Ending(Outcome.FIXED, "still_warm", "do not touch it", before="on", after="off")


@pytest.mark.parametrize(
    "finding", [CHANGE, Pending("dim", "it takes a while"), NO_ANSWER], ids=["old", "pending", "unreadable"]
)
def test_a_change_of_which_no_part_shows_ends_with_its_error(finding: Finding | Exception) -> None:
    """What stands is not known then, and nothing is called a change that could be undone."""
    assert in_part(finding).make() == Ending(
        Outcome.HELD,
        "permission_missing",
        "light SetLamp: Forbidden: no",
        error_class="PermissionMissing",
        hold_seconds=300.0,
        missing_action="light:SetLamp",
        attempt=Attempt("on", "off", now="", begun=True),
    )


def test_a_lamp_that_is_another_accounts_after_the_change_is_gone() -> None:
    """It was deleted, and its name taken: nothing is judged or taken away there."""
    making = Making()
    making.lamp.identities = [replace(MADE_ANEW, owner_id="100200300400500")]

    assert making.make() == Ending(
        Outcome.GONE, "owner_changed", "the lamp was deleted; its name is another account's now"
    )
    assert making.lamp.calls == [("apply", CHANGE)]


def test_an_accident_that_was_undone_is_the_ending() -> None:
    """The lamp that the change has made by accident is not judged."""
    making = Making()
    taken_down = Ending(Outcome.GONE, "taken_down", "the lamp was gone; the new one was taken down")
    making.lamp.identities, making.lamp.recovery = [MADE_ANEW], taken_down

    assert making.make() == taken_down
    assert making.lamp.calls == [("apply", CHANGE), ("recover", FOUND)]


def test_a_change_that_takes_longer_than_a_delivery_is_held() -> None:
    """As long as the rule says; it was begun, and what stands now is said."""
    making = Making()
    making.lamp.findings = [Pending("dim", "it fades out")]

    assert making.make() == Ending(
        Outcome.HELD,
        "in_progress",
        "it fades out",
        before="on",
        after="dim",
        hold_seconds=600.0,
        attempt=Attempt("on", "off", "dim", begun=True),
    )


def test_a_change_after_which_only_a_person_can_go_on_ends_as_the_repair_says() -> None:
    """That failure is the lamp's own."""
    making = Making()
    making.lamp.findings = [ReportOnly("dim", "the switch is broken", Outcome.REJECTED, "broken_switch")]

    assert making.make() == Ending(
        Outcome.REJECTED,
        "broken_switch",
        "the switch is broken",
        before="on",
        after="dim",
        hold_seconds=600.0,
        resource_alone=True,
        attempt=Attempt("on", "off", "dim", begun=True),
    )


def test_a_change_that_reads_back_as_something_else_is_not_verified() -> None:
    """Somebody else writes too, and waiting would not help."""
    making = Making()
    making.lamp.findings = [DIM]

    assert making.make() == Ending(
        Outcome.FAILED,
        "not_verified",
        "changed, but it reads back as dim",
        before="on",
        after="dim",
        attempt=Attempt("on", "off", "dim", begun=True),
    )
    assert making.pauses == []


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
