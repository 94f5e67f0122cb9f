"""One change that may be made: what it says of itself, step by step, and every way it can end, word by word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import (
    ChangedMeanwhile,
    PermissionMissing,
    ServiceError,
    Unanswered,
)
from consumer.core.observers import Step, StepName
from consumer.core.outcome import Attempt, Ending, Outcome
from consumer.remediations.base import Change, Compliant, Finding, Note, Pending, ReportOnly
from consumer.resources.base import Written
from tests.unit.changing import APPLY_SECONDS, CHANGE, FOUND, LOOK_SECONDS, Journal, Making, rule
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
