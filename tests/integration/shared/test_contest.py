"""Contests that all replicas count together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import SharedUnreachable
from consumer.guards.contest import ContestPolicy
from consumer.guards.shared import contest as shared_contest
from consumer.guards.shared.contest import SharedContest
from consumer.guards.shared.store import Store
from consumer.resources.oss.kind import BUCKETS
from tests.integration.shared.conftest import Replica, stepped
from tests.patience import in_some_window
from tests.redis_server import RedisServer

RULE = "public-read"
PHOTOS = BUCKETS.resource("1234567890123456", "cn-hangzhou", "photos")


def contest(store: Store, window_seconds: float = 3600.0) -> SharedContest:
    return SharedContest(store, ContestPolicy(max_fixes=3, window_seconds=window_seconds), [RULE])


def test_fixes_of_several_replicas_count_together(replica: Replica) -> None:
    """Three fixes by three replicas: found broken once more, all of them leave it alone."""
    sharing = [contest(replica()) for _ in range(3)]
    for each in sharing:
        assert each.found_broken(RULE, PHOTOS, 0.0) == 0
        each.fixed(RULE, PHOTOS, 0.0)
    lefts = [each.found_broken(RULE, PHOTOS, 0.0) for each in sharing]
    assert all(3590 < left <= 3600 for left in lefts)
    assert sharing[0].contested(0.0) == {RULE: 1}


def test_another_resource_and_another_rule_are_not_contested(replica: Replica) -> None:
    """Neither of them was fixed three times."""
    shared = contest(replica())
    for _ in range(3):
        shared.fixed(RULE, PHOTOS, 0.0)
    assert shared.found_broken(RULE, PHOTOS, 0.0) > 0
    assert shared.found_broken("another", PHOTOS, 0.0) == 0
    assert shared.found_broken(RULE, replace(PHOTOS, resource_id="videos"), 0.0) == 0
    assert shared.found_broken(RULE, replace(PHOTOS, resource_type="ACS::Other::Thing"), 0.0) == 0


def test_it_begins_anew_after_a_window(replica: Replica) -> None:
    """With as many fixes as at first."""

    def trial(window_seconds: float) -> None:
        shared = contest(replica(), window_seconds)
        bucket = replace(PHOTOS, resource_id=f"photos-{window_seconds:g}")
        for _ in range(3):
            shared.fixed(RULE, bucket, 0.0)
        assert shared.found_broken(RULE, bucket, 0.0) > 0
        while shared.found_broken(RULE, bucket, 0.0) > 0:
            pass
        shared.fixed(RULE, bucket, 0.0)
        assert shared.found_broken(RULE, bucket, 0.0) == 0

    in_some_window(trial)


def test_a_release_forgets_the_fixes_of_everybody(replica: Replica) -> None:
    """A person says that it is settled."""
    one, other = contest(replica()), contest(replica())
    for _ in range(3):
        one.fixed(RULE, PHOTOS, 0.0)
    assert one.found_broken(RULE, PHOTOS, 0.0) > 0
    other.release()
    assert one.found_broken(RULE, PHOTOS, 0.0) == 0
    assert one.contested(0.0) == {}


def test_a_clock_that_is_set_back_leaves_nothing_alone_for_longer_than_a_window(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a release of the future does not end every contest until then."""
    shared = contest(replica())
    with monkeypatch.context() as ahead:
        stepped(ahead, shared_contest, 24)
        for _ in range(3):
            shared.fixed(RULE, PHOTOS, 0.0)
        assert shared.found_broken(RULE, PHOTOS, 0.0) > 0
        left_seconds = shared.found_broken(RULE, PHOTOS, 0.0)
    assert left_seconds > 0
    assert 0 < shared.found_broken(RULE, PHOTOS, 0.0) <= 3_600
    with monkeypatch.context() as ahead:
        stepped(ahead, shared_contest, 24)
        shared.release()
    assert shared.found_broken(RULE, replace(PHOTOS, resource_id="videos"), 0.0) == 0
    for _ in range(3):
        shared.fixed(RULE, replace(PHOTOS, resource_id="videos"), 0.0)
    assert shared.found_broken(RULE, replace(PHOTOS, resource_id="videos"), 0.0) > 0


def test_a_fix_that_cannot_be_recorded_is_remembered_here(server: RedisServer, replica: Replica) -> None:
    """It was made and read back; this replica is never worse than one that shares nothing."""
    shared = contest(replica())
    server.kill()
    for _ in range(3):
        shared.fixed(RULE, PHOTOS, 0.0)
    with pytest.raises(SharedUnreachable):
        shared.found_broken(RULE, PHOTOS, 0.0)
    server.start()
    assert shared.found_broken(RULE, PHOTOS, 0.0) > 0
