"""The endings that no guard decides, as people and metrics get them: every field, word by word."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from consumer.core.errors import (
    Busy,
    DeniedByResource,
    PermanentError,
    PermissionMissing,
    PublicAccessBlocked,
    Refused,
    ResourceGone,
    Unavailable,
    WrongEndpoint,
)
from consumer.core.outcome import Attempt, Ending, Outcome
from consumer.core.parked import Carried, History
from consumer.engine.delivery import Delivery
from consumer.engine.endings import (
    cannot_be_parked,
    ended_by,
    ended_in_part,
    ending_of_follower,
    left_alone,
    not_begun,
    rejected,
)
from consumer.remediations.base import Change, Compliant, Pending, ReportOnly
from consumer.resources.base import ResourceKind
from tests.unit.changing import CHANGE, Dim, rule
from tests.unit.fakes import Clock, delivery, received
from tests.unit.lamps import LampKind


class StreetLamp(LampKind):
    """A lamp that can only be looked for in its region."""

    noun: ClassVar[str] = "street lamp"
    needs_region: ClassVar[bool] = True


class DimStreet(Dim):
    """Of a street lamp."""

    kind: ClassVar[ResourceKind] = StreetLamp()


ERRORS = [
    (
        Unavailable("light", "SetLamp", "InternalError", "we broke", request_id="r-1"),
        Ending(
            Outcome.FAILED,
            "InternalError",
            "light SetLamp: InternalError: we broke (request r-1)",
            error_class="Unavailable",
        ),
    ),
    (
        Busy("light", "SetLamp", "Busy", "it is being moved"),
        Ending(
            Outcome.FAILED,
            "Busy",
            "light SetLamp: Busy: it is being moved",
            error_class="Busy",
            resource_alone=True,
        ),
    ),
    (
        WrongEndpoint("light", "GetLamp", "elsewhere", endpoint="moon-2.example.com"),
        Ending(
            Outcome.FAILED,
            "WrongEndpoint",
            "light GetLamp: WrongEndpoint: elsewhere",
            error_class="WrongEndpoint",
            resource_alone=True,
        ),
    ),
    (
        PermanentError("light", "SetLamp", "InvalidLamp", "no"),
        Ending(Outcome.REJECTED, "InvalidLamp", "light SetLamp: InvalidLamp: no", error_class="PermanentError"),
    ),
    (
        DeniedByResource("light", "SetLamp", "Denied", "no"),
        Ending(
            Outcome.REJECTED,
            "Denied",
            "light SetLamp: Denied: no",
            error_class="DeniedByResource",
            resource_alone=True,
        ),
    ),
    (
        PublicAccessBlocked("light", "SetLamp", "Blocked", "no"),
        Ending(
            Outcome.REJECTED,
            "Blocked",
            "light SetLamp: Blocked: no",
            error_class="PublicAccessBlocked",
            resource_alone=True,
        ),
    ),
    (
        PermissionMissing("light", "SetLamp", "Forbidden", "no"),
        Ending(
            Outcome.HELD,
            "permission_missing",
            "light SetLamp: Forbidden: no",
            error_class="PermissionMissing",
            hold_seconds=300.0,
            missing_action="light:SetLamp",
        ),
    ),
    (
        Refused("not_understood", "it blinks"),
        Ending(Outcome.REJECTED, "not_understood", "it blinks", error_class="Refused", resource_alone=True),
    ),
    (
        KeyError("lamp"),
        Ending(Outcome.FAILED, "internal_error", "KeyError: 'lamp'", error_class="KeyError"),
    ),
]
errors = pytest.mark.parametrize(("error", "ending"), ERRORS, ids=[type(error).__name__ for error, _ in ERRORS])


@errors
def test_an_error_before_a_change_is_called_for(error: Exception, ending: Ending) -> None:
    """There is nothing to be said of states, neither before the look nor where the lamp is compliant."""
    assert ended_by(error, rule()) == ending
    assert ended_by(error, rule(), Compliant("off")) == ending


@errors
def test_an_error_before_a_change_is_begun(error: Exception, ending: Ending) -> None:
    """What was wanted is said, and that what was found still stands."""
    assert ended_by(error, rule(), CHANGE) == replace(ending, attempt=Attempt("on", "off", now="on"))


@errors
def test_an_error_in_the_middle_of_a_change(error: Exception, ending: Ending) -> None:
    """The states are a change that can be undone; the error decides what becomes of the message."""
    assert ended_in_part(error, rule(), CHANGE, "dim") == replace(
        ending,
        detail=f"changed in part, then: {ending.detail}",
        before="on",
        after="dim",
        attempt=Attempt("on", "off", "dim", begun=True, in_part=True),
    )


@pytest.mark.parametrize("error", [error for error, ending in ERRORS if ending.outcome is Outcome.REJECTED])
def test_what_is_refused_by_its_form_ends_as_after_a_look(error: Refused | PermanentError) -> None:
    """An event can be refused before anything is looked at."""
    assert rejected(error) == ended_by(error, rule())


@pytest.mark.parametrize("finding", [None, CHANGE, Compliant("off")])
def test_what_does_not_exist_is_gone_whatever_was_wanted(finding: Change | Compliant | None) -> None:
    """No change is wanted of it any more."""
    error = ResourceGone("light", "GetLamp", "NoSuchLamp", "it is dark")
    assert ended_by(error, rule(), finding) == Ending(Outcome.GONE, "no_such_lamp", "the lamp does not exist")


def test_what_does_not_exist_where_it_was_looked_for_may_be_elsewhere() -> None:
    """The ending says where it is not, if the kind is one whose region only the event names."""
    error = ResourceGone("light", "GetLamp", "NoSuchLamp", "it is dark")
    assert ended_by(error, rule(DimStreet)) == Ending(
        Outcome.GONE, "no_such_street_lamp", "the street lamp does not exist in that region"
    )


def test_a_change_that_was_not_begun_leaves_what_was_found() -> None:
    """The journal and the dead letter say what was wanted."""
    assert not_begun(CHANGE) == Attempt("on", "off", now="on", begun=False, in_part=False)


def test_what_is_under_way_is_held_as_long_as_its_rule_says() -> None:
    """It says nothing about other resources, and needs no person."""
    assert left_alone(rule(hold_seconds=77.0), Pending("dim", "it fades out"), "on") == Ending(
        Outcome.HELD, "in_progress", "it fades out", before="on", after="dim", hold_seconds=77.0
    )


def test_what_is_for_a_person_ends_as_configured() -> None:
    """That is the resource's own trouble."""
    finding = ReportOnly("dim", "the switch is broken", Outcome.REJECTED, "broken_switch")
    assert left_alone(rule(hold_seconds=77.0), finding, "on") == Ending(
        Outcome.REJECTED,
        "broken_switch",
        "the switch is broken",
        before="on",
        after="dim",
        hold_seconds=77.0,
        resource_alone=True,
    )


def arrived(message_id: str, body: str = "body", *, origin_id: str = "") -> Delivery:
    """A delivery, of a parked copy if it names an origin."""
    message = received(message_id, body)
    if origin_id:
        message = replace(message, carried=Carried(History(origin_id, 1, 1, 1, 0, "held:paused")))
    return delivery(Clock(), message)


def leading(message_id: str = "new", ending: Ending | None = None, *, origin_id: str = "") -> Delivery:
    """The newest delivery about a resource, and how it ended."""
    leader = arrived(message_id, origin_id=origin_id)
    leader.ending = ending
    return leader


NEWER_EVENT = Ending(Outcome.SUPERSEDED, "newer_event", "a newer event was settled")
ANOTHER_COPY = Ending(Outcome.SUPERSEDED, "another_copy", "another copy of the same message was settled")


@pytest.mark.parametrize("ending", [Ending(Outcome.FIXED), Ending(Outcome.HELD, "paused"), None])
def test_an_older_event_is_superseded_by_one_that_is_settled_or_kept(ending: Ending | None) -> None:
    """One repair is for both."""
    assert ending_of_follower(arrived("old"), leading(ending=ending), lost=False) == NEWER_EVENT


@pytest.mark.parametrize(("origin_id", "ending"), [("origin", ANOTHER_COPY), ("other", NEWER_EVENT)])
def test_a_second_copy_of_the_same_message_is_called_so(origin_id: str, ending: Ending) -> None:
    """Both name the same original."""
    follower = arrived("copy-1", origin_id=origin_id)
    leader = leading("copy-2", Ending(Outcome.FIXED), origin_id="origin")
    assert ending_of_follower(follower, leader, lost=False) == ending


@pytest.mark.parametrize("lost", [True, False])
def test_an_older_receipt_of_the_same_message_is_not_ours_any_more(lost: bool) -> None:
    """Whatever became of the later one, deleting this could delete what was just kept."""
    assert ending_of_follower(arrived("m"), leading("m", Ending(Outcome.FIXED)), lost=lost) == Ending(
        Outcome.LEASE_LOST, "received_again", "a later receipt of the same message was settled"
    )


def test_nobody_follows_a_lost_delivery() -> None:
    """Nobody knows what becomes of that one."""
    assert ending_of_follower(arrived("old"), leading(ending=Ending(Outcome.FIXED)), lost=True) is None


def test_nobody_follows_into_the_dead_letter_queue_what_cannot_be_parked() -> None:
    """The older message may still be parked."""
    leader = leading(ending=Ending(Outcome.REJECTED, "cannot_be_parked"))
    assert ending_of_follower(arrived("old"), leader, lost=False) is None


@pytest.mark.parametrize(("seen", "ending"), [(3, NEWER_EVENT), (2, None)])
def test_nobody_follows_what_is_given_up_for_attempts_that_it_only_claims(seen: int, ending: Ending | None) -> None:
    """What this process has counted itself is believed."""
    leader = leading(ending=Ending(Outcome.EXHAUSTED))
    leader.attempts, leader.attempts_seen = 3, seen
    assert ending_of_follower(arrived("old"), leader, lost=False) == ending


def test_what_may_wait_no_longer_says_what_it_waited_for_and_why_it_cannot() -> None:
    """A change that it calls for was not made; what is known of an attempt stays known."""
    held = Ending(Outcome.HELD, "over_limit", "10 an hour", before="on", after="off", hold_seconds=60.0)
    letter = Ending(
        Outcome.REJECTED,
        "cannot_be_parked",
        "held for now, and its copy would be too large",
        attempt=Attempt("on", "off", now="on"),
    )
    assert cannot_be_parked(held, "its copy would be too large") == letter

    known = Attempt("on", "off", now="dim", begun=True)
    assert cannot_be_parked(replace(held, attempt=known), "its copy would be too large") == replace(
        letter, attempt=known
    )
