"""A missing permission waits for a person; a refusal that is one resource's own does not hold up anybody."""

from __future__ import annotations

from consumer.guards.refusals import CERTAIN_SECONDS, Refusals
from consumer.resources.base import Resource

MINE, OTHERS = "1698272328540001", "9876543210987654"
PUT = "oss:PutBucketAcl"


def bucket(name: str, account: str = MINE, region: str = "cn-hangzhou") -> Resource:
    """A bucket as an event names it."""
    return Resource("ACS::OSS::Bucket", account, region, name)


def refused(refusals: Refusals, name: str, now: float, account: str = MINE) -> bool:
    """One more refusal."""
    return refusals.resource_alone(bucket(name, account), PUT, now)


def test_a_first_refusal_is_never_the_resources_own() -> None:
    """The permission may have been taken away a moment ago, however often it has worked before."""
    refusals = Refusals()
    refusals.worked(bucket("good"), [PUT], 10.0)
    assert not refused(refusals, "bad", 11.0)


def test_it_is_not_while_nothing_else_works_either() -> None:
    """As long as the action is granted nowhere, every resource waits for it."""
    refusals = Refusals()
    refusals.worked(bucket("good"), [PUT], 10.0)
    for now in range(11, 5_000, 300):
        assert not refused(refusals, "bad", now)
        assert not refused(refusals, "worse", now)


def test_it_is_once_the_action_works_on_others() -> None:
    """Refused before and after something else was allowed: granting more would not help."""
    refusals = Refusals()
    assert not refused(refusals, "bad", 11.0)
    refusals.worked(bucket("good"), [PUT], 12.0)
    assert not refused(refusals, "bad", 311.0), "what was granted a moment ago may not hold for it yet"
    refusals.worked(bucket("good"), [PUT], 1_000.0)
    assert refused(refusals, "bad", 311.0 + CERTAIN_SECONDS)


def test_it_is_not_if_the_action_has_stopped_working_since() -> None:
    """Granted for a moment and taken away again: everybody waits."""
    refusals = Refusals()
    assert not refused(refusals, "bad", 11.0)
    refusals.worked(bucket("good"), [PUT], 12.0)
    assert not refused(refusals, "bad", 311.0)
    assert not refused(refusals, "bad", 311.0 + CERTAIN_SECONDS)


def test_what_works_elsewhere_says_nothing() -> None:
    """Another operation, and another account with a role of its own."""
    refusals = Refusals()
    assert not refused(refusals, "bad", 11.0)
    refusals.worked(bucket("good"), ["oss:GetBucketInfo"], 12.0)
    refusals.worked(bucket("good", OTHERS), [PUT], 12.0)
    assert not refused(refusals, "bad", 311.0)


def test_a_resource_that_worked_meanwhile_begins_anew() -> None:
    """Its earlier refusal is over."""
    refusals = Refusals()
    assert not refused(refusals, "bad", 11.0)
    refusals.worked(bucket("bad"), [PUT], 12.0)
    assert not refused(refusals, "bad", 13.0)
    refusals.worked(bucket("good"), [PUT], 14.0)
    assert not refused(refusals, "bad", 13.0 + CERTAIN_SECONDS), "it has gone on for a moment only"


def test_memory_is_bounded() -> None:
    """The longest unseen is forgotten and waits once more."""
    refusals = Refusals(remembered=2)
    for resource in ("a", "b", "c"):
        refused(refusals, resource, 1.0)
    refusals.worked(bucket("good"), [PUT], 2.0)
    assert not refused(refusals, "c", 3.0)
    assert not refused(refusals, "a", 3.0)
    refusals.worked(bucket("good"), [PUT], 4.0)
    assert refused(refusals, "c", 3.0 + CERTAIN_SECONDS)
    assert not refused(refusals, "a", 3.0 + CERTAIN_SECONDS)


def test_the_same_operation_of_another_service_says_nothing() -> None:
    """Several services have a TagResources: each is granted by itself."""
    refusals = Refusals()
    assert not refused(refusals, "bad", 11.0)
    refusals.worked(bucket("good"), ["ecs:PutBucketAcl"], 12.0)
    assert not refused(refusals, "bad", 311.0)
    assert not refused(refusals, "bad", 311.0 + CERTAIN_SECONDS)


def test_an_event_that_claims_another_region_does_not_begin_anew() -> None:
    """Whoever publishes chooses the region, and must not keep a refusal from ever being certain with it."""
    refusals = Refusals()
    assert not refusals.resource_alone(bucket("bad"), PUT, 11.0)
    refusals.worked(bucket("good"), [PUT], 12.0)
    assert not refusals.resource_alone(bucket("bad", region="cn-beijing"), PUT, 311.0)
    refusals.worked(bucket("good"), [PUT], 1_000.0)
    assert refusals.resource_alone(bucket("bad", region="us-west-1"), PUT, 311.0 + CERTAIN_SECONDS)
