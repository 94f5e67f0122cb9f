"""Every change is read back: what does not show is no success, and what shows late is the fix of a later delivery."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import (
    Unanswered,
    Unavailable,
)
from consumer.core.observers import Hooks
from consumer.core.outcome import Outcome
from consumer.engine.change import READ_BACK_PAUSES_SECONDS
from consumer.guards.breaker import BreakerPolicy, LocalBreakers
from consumer.guards.chain import Guards
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.memory import GuardMemory
from consumer.resources.oss.bucket import BucketInfo
from tests.unit.bodies import ACCOUNT, event_body
from tests.unit.fakes import FakeBucket, service_error
from tests.unit.pipeline_world import NAME, World


def test_a_change_that_never_shows_is_made_once_and_overdue_in_the_end() -> None:
    """The service said yes, and the bucket reads as it was: looked at ever less often, nothing written anew, failed."""
    world = World()
    world.buckets.ignores_acl = True
    endings = [ending := world.end()]
    while ending.outcome is Outcome.HELD:
        world.clock.advance(ending.hold_seconds or 0)
        endings.append(ending := world.end())
    assert [ending.hold_seconds for ending in endings] == [2.0, 4.0, 8.0, 16.0, None]
    assert (ending.outcome, ending.reason, ending.after) == (Outcome.FAILED, "reads_back_old", "public-read")
    assert world.pauses == list(READ_BACK_PAUSES_SECONDS)
    assert world.buckets.calls.count("put_acl") == 1
    world.buckets.ignores_acl = False
    assert world.end().outcome is Outcome.FIXED, "what was overdue is made anew by the next attempt"


def shows_late(world: World, seconds: float) -> None:
    """The bucket shows its old ACL for so long after the change."""
    old = world.buckets.info[NAME]
    info = FakeBucket.info
    changed_at: list[float] = []
    world.after("put_acl", lambda: changed_at.append(world.clock()))

    def stale(bucket: FakeBucket) -> BucketInfo:
        now = info(bucket)
        return old if changed_at and world.clock() < changed_at[0] + seconds else now

    world.patch.setattr(FakeBucket, "info", stale)


@pytest.fixture
def late_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose reads may be made stale."""
    world = World()
    world.patch = monkeypatch
    return world


def test_a_change_that_shows_within_a_second_is_a_fix_at_once(late_world: World) -> None:
    """The worker waits so long and no longer."""
    shows_late(late_world, 0.9)
    assert late_world.end().outcome is Outcome.FIXED
    assert sum(late_world.pauses) <= 1.0


def test_a_change_that_shows_after_some_seconds_is_the_fix_of_a_later_delivery(late_world: World) -> None:
    """Settings may read back old for seconds after a 200: the worker is free meanwhile, and nothing is written anew."""
    shows_late(late_world, 5.0)
    held = late_world.end()
    assert (held.outcome, held.reason, held.hold_seconds) == (Outcome.HELD, "reads_back_old", 2.0)
    late_world.clock.advance(2.0)
    held = late_world.end()
    assert (held.outcome, held.reason, held.hold_seconds) == (Outcome.HELD, "reads_back_old", 4.0)
    late_world.clock.advance(4.0)
    ending = late_world.end()
    assert (ending.outcome, ending.before, ending.after) == (Outcome.FIXED, "public-read", "private")
    assert late_world.end().outcome is Outcome.ALREADY_COMPLIANT, "one change is one fix"
    assert late_world.buckets.calls.count("put_acl") == 1
    assert sum(late_world.pauses) <= 1.0


def test_no_worker_waits_while_another_change_does_not_show(late_world: World) -> None:
    """The second of two buckets is looked at once after its change."""
    late_world.buckets.ignores_acl = True
    late_world.buckets.add("another-bucket", "public-read", ACCOUNT)
    assert late_world.end().reason == "reads_back_old"
    waited = list(late_world.pauses)
    found = late_world.triaged(event_body(resourceId="another-bucket"))
    assert late_world.pipeline.repair(found).reason == "reads_back_old"
    assert late_world.pauses == waited


def test_a_late_fix_counts_towards_a_contest(late_world: World) -> None:
    """Somebody who breaks it after each fix is found out, however late the fixes show."""
    late_world.guards = Guards(GuardMemory(contest=LocalContest(ContestPolicy(max_fixes=1, window_seconds=600))))
    late_world.pipeline = late_world.made(Hooks())
    shows_late(late_world, 5.0)
    assert late_world.end().outcome is Outcome.HELD
    late_world.clock.advance(6.0)
    assert late_world.end().outcome is Outcome.FIXED
    FakeBucket(late_world.buckets, NAME).put_acl("public-read")
    late_world.clock.advance(6.0)
    assert late_world.end().reason == "contested"


def test_a_late_fix_closes_the_breaker_whose_probe_it_was(late_world: World) -> None:
    """While each probe reads old nothing is known of the rule; the read-back later tells."""
    policy = BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0, cool_down_seconds=10)
    late_world.guards = Guards(GuardMemory(breakers=LocalBreakers(policy)), monotonic=late_world.clock)
    late_world.pipeline = late_world.made(Hooks())
    late_world.before("put_acl", service_error(Unavailable))
    assert late_world.end().outcome is Outcome.FAILED
    assert late_world.end().reason == "breaker_open"
    late_world.clock.advance(10.0)
    shows_late(late_world, 5.0)
    assert late_world.end().reason == "reads_back_old"
    assert late_world.guards.breakers.open_rules() == {"acl"}
    late_world.clock.advance(5.0)
    assert late_world.end().outcome is Outcome.FIXED
    assert late_world.guards.breakers.open_rules() == frozenset()


def test_a_bucket_that_was_made_anew_meanwhile_is_looked_at_for_its_own_sake(late_world: World) -> None:
    """The change that did not show was another bucket's: this one is repaired like any other."""
    late_world.buckets.ignores_acl = True
    assert late_world.end().reason == "reads_back_old"
    late_world.buckets.ignores_acl = False
    late_world.vanish()
    late_world.buckets.add(NAME, "public-read", ACCOUNT)
    assert late_world.end().outcome is Outcome.FIXED
    assert late_world.buckets.calls.count("put_acl") == 2


def test_what_somebody_else_has_written_meanwhile_is_repaired(late_world: World) -> None:
    """Neither the old state nor the wanted one: not ours to wait for."""
    late_world.buckets.ignores_acl = True
    assert late_world.end().reason == "reads_back_old"
    late_world.buckets.ignores_acl = False
    late_world.buckets.info[NAME] = replace(late_world.buckets.info[NAME], acl="public-read-write")
    ending = late_world.end()
    assert (ending.outcome, ending.before) == (Outcome.FIXED, "public-read-write")


def test_a_read_back_of_long_ago_is_forgotten(late_world: World) -> None:
    """A look an hour later is a first look: that the resource complies may be anybody's work."""
    late_world.buckets.ignores_acl = True
    assert late_world.end().reason == "reads_back_old"
    late_world.buckets.info[NAME] = replace(late_world.buckets.info[NAME], acl="private")
    late_world.clock.advance(3_600.0)
    assert late_world.end().outcome is Outcome.ALREADY_COMPLIANT


def test_reading_again_ends_with_the_work_budget(late_world: World) -> None:
    """No pause begins that would outlast it."""
    late_world.budget_seconds = 0.5
    late_world.__post_init__()
    shows_late(late_world, 60.0)
    assert late_world.end().reason == "reads_back_old"
    assert late_world.pauses == [0.3]


def test_a_stop_ends_reading_again(late_world: World) -> None:
    """The message is looked at in a moment by whoever gets it."""
    late_world.stops_after = 0
    shows_late(late_world, 60.0)
    assert late_world.end().reason == "reads_back_old"
    assert late_world.pauses == [0.3]


def test_stale_reads_do_not_open_the_breaker() -> None:
    """Twenty accepted changes that still read old say nothing about whether changing works; the next one is made."""
    world = World(guards=Guards(GuardMemory(breakers=LocalBreakers(BreakerPolicy(attempts=20, min_attempts=5)))))
    world.buckets.ignores_acl = True
    for number in range(20):
        world.buckets.add(f"bucket-{number}", "public-read", ACCOUNT)
        found = world.triaged(event_body(resourceId=f"bucket-{number}"))
        assert world.pipeline.repair(found).reason == "reads_back_old"
    world.buckets.ignores_acl = False
    assert world.end().outcome is Outcome.FIXED


def test_a_bucket_made_public_again_before_the_read_back_is_no_success() -> None:
    """What counts is the live state at the end, not the request."""
    world = World()
    public = world.buckets.info[NAME]
    world.after("put_acl", lambda: world.buckets.info.update({NAME: public}))
    assert world.end().outcome is Outcome.HELD


def test_a_bucket_that_reads_back_as_something_else_is_not_verified() -> None:
    """Neither the old state nor a compliant one: somebody else writes too, and waiting would not help."""
    world = World()
    other = replace(world.buckets.info[NAME], acl="public-read-write")
    world.after("put_acl", lambda: world.buckets.info.update({NAME: other}))
    ending = world.end()
    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "not_verified")
    assert world.pauses == []


def test_a_read_back_that_fails_is_no_success() -> None:
    """Changed but not verified: the next delivery will find it compliant."""
    world = World()
    info = FakeBucket.info
    seen: list[BucketInfo] = []

    def second_fails(bucket: FakeBucket) -> BucketInfo:
        if seen:
            raise service_error(Unanswered)
        seen.append(info(bucket))
        return seen[0]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FakeBucket, "info", second_fails)
        assert world.end().outcome is Outcome.FAILED
    assert world.acl_now == "private"
