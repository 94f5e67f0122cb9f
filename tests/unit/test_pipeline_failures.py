"""Every failure of a request, and every fault in a repair, is an ending."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import (
    AccountSuspended,
    DamagedReply,
    DeniedByResource,
    NotAuthenticated,
    PermissionMissing,
    PublicAccessBlocked,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
    WrongEndpoint,
)
from consumer.core.observers import Hooks
from consumer.core.outcome import Attempt, Ending, Outcome
from consumer.guards.chain import Guards
from consumer.guards.exemptions import Exemption
from consumer.guards.refusals import CERTAIN_SECONDS
from consumer.guards.rule import Selector
from consumer.resources.oss.kind import BUCKETS
from tests.unit.bodies import ACCOUNT
from tests.unit.fakes import Clock, service_error
from tests.unit.pipeline_world import World

PASSING = [Throttled, Unavailable, Unanswered, DamagedReply, NotAuthenticated, AccountSuspended]


@pytest.mark.parametrize("operation", ["info", "put_acl"])
@pytest.mark.parametrize("kind", PASSING)
def test_what_may_pass_is_a_failure_worth_another_try(kind: type[ServiceError], operation: str) -> None:
    """Throttling, outages, damaged replies, credentials and suspended accounts are tried on a later delivery."""
    world = World()
    world.before(operation, service_error(kind, "TheCode"))
    ending = world.end()
    assert (ending.outcome, ending.reason, ending.error_class) == (Outcome.FAILED, "TheCode", kind.__name__)


@pytest.mark.parametrize("operation", ["info", "put_acl"])
@pytest.mark.parametrize("kind", [DeniedByResource, PublicAccessBlocked])
def test_what_the_service_will_always_refuse_is_rejected(kind: type[ServiceError], operation: str) -> None:
    """Asked again, it would say no again."""
    world = World()
    world.before(operation, service_error(kind, "AccessDenied"))
    ending = world.end()
    assert (ending.outcome, ending.reason, ending.error_class) == (Outcome.REJECTED, "AccessDenied", kind.__name__)
    assert ending.resource_alone
    assert world.acl_now == "public-read"


@pytest.mark.parametrize("operation", ["info", "put_acl"])
def test_a_missing_permission_is_not_the_messages_fault(operation: str) -> None:
    """It is kept until somebody has granted the action that the ending names, and tried again within minutes."""
    world = World()
    world.before(operation, PermissionMissing("oss", "TheOperation", "AccessDenied", "no"))
    ending = world.end()
    assert (ending.outcome, ending.reason, ending.missing_action) == (
        Outcome.HELD,
        "permission_missing",
        "oss:TheOperation",
    )
    assert ending.hold_seconds is not None
    assert ending.hold_seconds <= 300
    assert world.acl_now == "public-read"


def test_a_refusal_that_is_the_buckets_own_is_given_up_once_that_is_certain() -> None:
    """The action works on another bucket, and goes on being refused here: granting more would not help."""
    clock = Clock()
    world = World(guards=Guards(monotonic=clock))
    refused = PermissionMissing("oss", "PutBucketAcl", "AccessDenied", "no")

    def look() -> Outcome:
        world.before("put_acl", refused)
        return world.end().outcome

    def works_elsewhere() -> None:
        world.guards.refusals.worked(BUCKETS.resource(ACCOUNT, "cn-beijing", "another"), ["oss:PutBucketAcl"], clock())

    assert look() is Outcome.HELD
    clock.advance(300)
    works_elsewhere()
    assert look() is Outcome.HELD
    clock.advance(CERTAIN_SECONDS)
    works_elsewhere()
    assert look() is Outcome.REJECTED


def test_what_a_look_was_granted_counts_as_working() -> None:
    """So that a refusal on another bucket can be told from a permission that is missing."""
    clock = Clock()
    world = World(guards=Guards(monotonic=clock))
    refusals = world.guards.refusals
    assert not refusals.resource_alone(BUCKETS.resource(ACCOUNT, "cn-beijing", "theirs"), "oss:PutBucketAcl", clock())
    clock.advance(1)
    world.end()
    assert not refusals.resource_alone(BUCKETS.resource(ACCOUNT, "cn-beijing", "theirs"), "oss:PutBucketAcl", clock())
    clock.advance(CERTAIN_SECONDS)
    refusals.worked(BUCKETS.resource(ACCOUNT, "cn-beijing", "another"), ["oss:PutBucketAcl"], clock())
    assert refusals.resource_alone(BUCKETS.resource(ACCOUNT, "cn-beijing", "theirs"), "oss:PutBucketAcl", clock())


def test_a_wrong_endpoint_is_worth_another_try() -> None:
    """It shares 403 AccessDenied with a missing permission and must not be treated as one."""
    world = World()
    world.before("info", WrongEndpoint("oss", "GetBucketInfo", "elsewhere", endpoint="oss-cn-hangzhou.aliyuncs.com"))
    assert world.end().outcome is Outcome.FAILED


@pytest.mark.parametrize("operation", ["info", "put_acl"])
@pytest.mark.parametrize("fault", [ZeroDivisionError("x"), RecursionError(), KeyError("k"), ValueError()])
def test_a_fault_inside_a_remediation_is_an_ending(fault: Exception, operation: str) -> None:
    """A bug in one repair is that message's failure and nobody else's."""
    world = World()
    world.before(operation, fault)
    ending = world.end()
    assert (ending.outcome, ending.reason, ending.error_class) == (
        Outcome.FAILED,
        "internal_error",
        type(fault).__name__,
    )


def test_a_client_that_cannot_be_opened_is_an_ending_too() -> None:
    """Nothing was looked at; what went wrong is said as for every other request."""
    world = World()
    missing = PermissionMissing("sts", "AssumeRole", "NoPermission", "no")
    world.before("open", missing)
    assert world.end() == Ending(
        Outcome.HELD,
        "permission_missing",
        str(missing),
        error_class="PermissionMissing",
        hold_seconds=60.0,
        missing_action="sts:AssumeRole",
    )
    assert not world.buckets.calls


def test_a_fault_in_what_a_guard_needs_says_which_change_it_kept_back() -> None:
    """The look is over by then, so what was found and what was wanted is known, and that nothing was begun."""
    exemption = Exemption("e", "o", "r", float("inf"), tags=(("public", "yes"),))
    world = World(guards=Guards(exemptions=[exemption]))
    world.before("tags", ZeroDivisionError("x"))
    assert world.end() == Ending(
        Outcome.FAILED,
        "internal_error",
        "ZeroDivisionError: x",
        error_class="ZeroDivisionError",
        attempt=Attempt("public-read", "private", now="public-read"),
    )


def test_what_fails_after_its_tags_are_known_is_held_as_the_rule_says_that_takes_it() -> None:
    """By its event it was the first rule's, by its tags it is the second one's: that one's time counts."""
    world = World()
    tagged = Selector(resource_types=frozenset({"ACS::OSS::Bucket"}), tags=(("team", "web"),))
    world.first_rules = (replace(world.rule, name="tagged", selector=tagged, hold_seconds=20.0),)
    world.pipeline = world.made(Hooks())
    world.rule.remediation.inspect = refuse_to_look  # type: ignore[method-assign]
    ending = world.end()
    assert (ending.outcome, ending.missing_action, ending.hold_seconds) == (Outcome.HELD, "oss:GetBucketAcl", 60.0)


def refuse_to_look(_bucket: object, _info: object) -> str:
    """What an inspection raises whose permission is missing."""
    raise PermissionMissing("oss", "GetBucketAcl", "AccessDenied", "no")
