"""Buckets that are deleted or made anew while they are in work, and those that PutBucketAcl makes by accident."""

from __future__ import annotations

import pytest

from consumer.core.errors import (
    DamagedReply,
    PermissionMissing,
    ServiceError,
    Unanswered,
    Unavailable,
)
from consumer.core.outcome import Outcome
from consumer.resources.oss.bucket import BucketInfo
from tests.unit.fakes import service_error
from tests.unit.pipeline_world import NAME, World


def test_a_repair_that_creates_no_bucket_takes_none_away() -> None:
    """Its owner deleted the bucket and made it anew while we changed a setting: that is no accident of ours."""
    world = World()
    world.rule.remediation.recover = lambda _bucket, _before: None  # type: ignore[method-assign]
    world.before("put_acl", lambda: world.buckets.add(NAME, "public-read"))
    assert world.end().outcome is Outcome.FIXED
    assert "delete" not in world.buckets.calls
    assert world.acl_now == "private"


def test_after_an_unanswered_change_a_bucket_of_somebody_else_stays() -> None:
    """The name is another account's by now: not created by us, and never ours to take away."""
    world = World()
    other = BucketInfo("100200300400", "cn-beijing", "2031-01-01T00:00:00.000Z", "public-read")
    world.before("put_acl", lambda: world.buckets.info.update({NAME: other}))
    world.after("put_acl", service_error(Unanswered))
    assert world.end().outcome is Outcome.FAILED
    assert "delete" not in world.buckets.calls


def test_a_bucket_created_by_the_change_is_taken_back() -> None:
    """Deleted between the look and the change, PutBucketAcl creates it: the accident is undone."""
    world = World()
    world.before("put_acl", world.vanish)
    ending = world.end()
    assert (ending.outcome, ending.reason) == (Outcome.GONE, "taken_back")
    assert world.acl_now is None
    assert world.buckets.calls == ["info", "put_acl", "info", "info", "delete"], "looked at once more before it goes"


@pytest.mark.parametrize("error", [Unanswered, DamagedReply, Unavailable])
def test_a_bucket_created_by_a_change_without_an_answer_is_taken_back(error: type[ServiceError]) -> None:
    """Unanswered is not undone: the look after it finds the accident, and a later delivery finds the bucket gone."""
    world = World()
    world.before("put_acl", world.vanish)
    world.after("put_acl", service_error(error))
    assert world.end().outcome is Outcome.FAILED
    assert world.acl_now is None
    assert world.end().outcome is Outcome.GONE


def test_a_change_without_an_answer_to_the_same_bucket_takes_nothing_away() -> None:
    """The bucket was there all the time: it stays, and the next delivery finds it compliant."""
    world = World()
    world.after("put_acl", service_error(Unanswered))
    assert world.end().outcome is Outcome.FAILED
    assert "delete" not in world.buckets.calls
    assert world.end().outcome is Outcome.ALREADY_COMPLIANT


def test_a_new_bucket_that_is_in_use_stays() -> None:
    """Its owner has made it anew and put something in: DeleteBucket is refused, and the new bucket is judged."""
    world = World()
    world.before("put_acl", world.vanish)
    world.buckets.not_empty.add(NAME)
    assert world.end().outcome is Outcome.FIXED
    assert world.acl_now == "private"


def test_an_accident_that_may_not_be_undone_is_named() -> None:
    """Without the permission to delete, the empty bucket stays, and the ending says so."""
    world = World()
    world.before("put_acl", world.vanish)
    world.before("delete", service_error(PermissionMissing, "AccessDenied"))
    ending = world.end()
    assert (ending.outcome, ending.reason) == (Outcome.GONE, "created_by_accident")


def test_an_accident_that_was_already_undone_is_gone() -> None:
    """Somebody was faster to delete what we had created."""
    world = World()
    world.before("put_acl", world.vanish)
    world.before("delete", world.vanish)
    assert world.end().outcome is Outcome.GONE


def test_a_bucket_that_somebody_else_owns_by_now_is_never_deleted() -> None:
    """The name was freed and taken by another account: what we look at at the end is not ours to take away."""
    world = World()
    other = BucketInfo("100200300400", "cn-beijing", "2031-01-01T00:00:00.000Z", "public-read")
    world.after("put_acl", lambda: world.buckets.info.update({NAME: other}))
    ending = world.end()
    assert ending.outcome is Outcome.GONE
    assert "delete" not in world.buckets.calls
    assert world.buckets.info[NAME] is other


def test_a_bucket_deleted_right_after_the_change_is_gone() -> None:
    """Nothing to read back is not a failure."""
    world = World()
    world.after("put_acl", world.vanish)
    assert world.end().outcome is Outcome.GONE
