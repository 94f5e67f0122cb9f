"""What an ending says of a change that was wanted and not verified: both states, what stands, whether it was begun."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import (
    AccountSuspended,
    ChangedMeanwhile,
    DamagedReply,
    DeniedByResource,
    NotAuthenticated,
    PermanentError,
    PermissionMissing,
    PublicAccessBlocked,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
    UnknownRefusal,
)
from consumer.core.outcome import Attempt, Outcome
from consumer.guards.chain import Guards
from consumer.guards.refusals import CERTAIN_SECONDS
from consumer.resources.oss.kind import BUCKETS
from tests.unit.bodies import ACCOUNT
from tests.unit.fakes import Clock, service_error
from tests.unit.pipeline_world import NAME, World

UNCERTAIN = [
    Throttled,
    Unavailable,
    Unanswered,
    DamagedReply,
    NotAuthenticated,
    AccountSuspended,
    UnknownRefusal,
]
REFUSED = [PermanentError, PermissionMissing, DeniedByResource, PublicAccessBlocked]


@pytest.mark.parametrize("kind", UNCERTAIN)
def test_after_a_request_without_a_clear_end_nobody_knows_what_stands(kind: type[ServiceError]) -> None:
    """It may have taken effect; the ending says what was found and wanted, and no state as the one that stands."""
    world = World()
    world.before("put_acl", service_error(kind))

    ending = world.end()

    assert ending.attempt == Attempt("public-read", "private", now="", begun=True)
    assert (ending.before, ending.after) == ("", ""), "what differs there is a change that undo would take back"


@pytest.mark.parametrize("kind", REFUSED)
def test_after_a_refusal_what_was_found_stands(kind: type[ServiceError]) -> None:
    """The service has said that it did not do it."""
    world = World()
    world.before("put_acl", service_error(kind))

    ending = world.end()

    assert ending.attempt == Attempt("public-read", "private", now="public-read")
    assert (ending.before, ending.after) == ("", "")


def test_a_change_by_somebody_else_leaves_ours_unmade() -> None:
    """Nothing of ours was written."""
    world = World()
    world.before("put_acl", ChangedMeanwhile("oss.bucket-acl", "planned on another state"))

    assert world.end().attempt == Attempt("public-read", "private", now="public-read")


@pytest.mark.parametrize("kind", [*UNCERTAIN, *REFUSED])
def test_a_change_that_could_not_be_read_back_may_stand(kind: type[ServiceError]) -> None:
    """The read-back is refused or not answered: also a refusal says nothing about the change then."""
    world = World()
    world.after("put_acl", lambda: world.before("info", service_error(kind)))

    assert world.end().attempt == Attempt("public-read", "private", now="", begun=True)
    assert world.acl_now == "private"


@pytest.mark.parametrize("kind", [*UNCERTAIN, *REFUSED])
def test_before_a_look_nothing_is_known(kind: type[ServiceError]) -> None:
    """No state is made up."""
    world = World()
    world.before("info", service_error(kind))

    ending = world.end()

    assert (ending.attempt, ending.before, ending.after) == (None, "", "")


def test_a_fault_in_a_guard_leaves_what_was_found() -> None:
    """The look had come to a change, and nothing was begun."""

    def broken() -> str:
        raise ZeroDivisionError

    ending = World(guards=Guards(held_by=broken)).end()

    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "internal_error")
    assert ending.attempt == Attempt("public-read", "private", now="public-read")


def test_a_change_that_does_not_show_says_what_was_wanted() -> None:
    """It was begun, and the bucket still shows the old state: when it waits, and when it is overdue."""
    world = World()
    world.buckets.ignores_acl = True
    endings = [ending := world.end()]
    while ending.outcome is Outcome.HELD:
        world.clock.advance(ending.hold_seconds or 0)
        endings.append(ending := world.end())

    assert {ending.attempt for ending in endings} == {Attempt("public-read", "private", "public-read", begun=True)}


def test_a_change_that_reads_back_as_something_else_says_all_three_states() -> None:
    """Found, wanted, and what stands."""
    world = World()
    other = replace(world.buckets.info[NAME], acl="public-read-write")
    world.after("put_acl", lambda: world.buckets.info.update({NAME: other}))

    assert world.end().attempt == Attempt("public-read", "private", "public-read-write", begun=True)


def test_a_refusal_that_is_given_up_still_says_what_was_wanted() -> None:
    """The dead letter is about the same change as the message that waited."""
    clock = Clock()
    world = World(guards=Guards(monotonic=clock))
    elsewhere = BUCKETS.resource(ACCOUNT, "cn-beijing", "another")
    endings = []
    for _ in range(3):
        world.before("put_acl", PermissionMissing("oss", "PutBucketAcl", "AccessDenied", "no"))
        endings.append(world.end())
        clock.advance(CERTAIN_SECONDS)
        world.guards.refusals.worked(elsewhere, ["oss:PutBucketAcl"], clock())

    assert [ending.outcome for ending in endings] == [Outcome.HELD, Outcome.HELD, Outcome.REJECTED]
    assert {ending.attempt for ending in endings} == {Attempt("public-read", "private", now="public-read")}
