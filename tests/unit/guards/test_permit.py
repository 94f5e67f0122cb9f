"""What a permit records of a change: how it ended, when, and for whom; and what a missing permission comes to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import PermissionMissing, SharedUnreachable, Throttled
from consumer.core.outcome import Attempt, Ending, Outcome
from consumer.guards.breaker import BreakerOpen, BreakerPolicy, LocalBreakers
from consumer.guards.chain import Guards, missing_action, permission_missing
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.limits import Limit, LimitReached, LocalLimits, Reservation
from consumer.guards.memory import GuardMemory
from consumer.guards.refusals import CERTAIN_SECONDS
from consumer.resources.base import Resource
from tests.unit.fakes import Clock
from tests.unit.guards.cases import PHOTOS, conclude, ended, intent, permitted, refused, rule

VIDEOS = replace(PHOTOS, resource_id="videos")
OPENS_AT_HALF = BreakerPolicy(attempts=10, min_attempts=4, max_failure_share=0.5, cool_down_seconds=60.0)
REFUSED = PermissionMissing("oss", "PutBucketAcl", "AccessDenied", "no")


def bucket(number: int) -> Resource:
    """One of many."""
    return replace(PHOTOS, resource_id=f"bucket-{number}")


def attempts(guards: Guards, *outcomes: Outcome) -> None:
    """One change each, of a bucket of its own."""
    for number, outcome in enumerate(outcomes):
        conclude(permitted(guards, intent(bucket=bucket(number))), ended(outcome))


def test_a_change_counts_from_its_end() -> None:
    """Its place is free again when a window has passed since then, and a breaker cools down from then on."""
    clock = Clock(1_000.0)
    breakers = LocalBreakers(BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0, cool_down_seconds=60.0))
    guards = Guards(GuardMemory(LocalLimits(Limit(1, 100.0)), breakers), monotonic=clock)
    permit = permitted(guards)
    clock.advance(10)
    conclude(permit, ended(Outcome.FAILED))

    assert guards.changes_in_window() == {"": 1}
    assert guards.breakers.admit("public-read", VIDEOS.key, 1_010.0) == BreakerOpen(60.0)
    clock.advance(99.5)
    assert guards.changes_in_window() == {"": 1}
    clock.advance(0.5)
    assert guards.changes_in_window() == {"": 0}


def test_a_fix_is_counted_for_the_rule_the_bucket_and_the_moment_of_its_end() -> None:
    """Another rule, another bucket and a fix of long ago make no contest."""
    clock = Clock(1_000.0)
    guards = Guards(GuardMemory(contest=LocalContest(ContestPolicy(1, 100.0))), monotonic=clock)
    permit = permitted(guards)
    clock.advance(10)
    conclude(permit, ended(Outcome.FIXED))

    clock.advance(99.5)
    permitted(guards, intent(name="other"))
    permitted(guards, intent(bucket=VIDEOS))
    assert refused(guards).reason == "contested"
    assert guards.contested() == {"public-read": 1}
    clock.advance(100)
    assert guards.contested() == {}


def test_a_change_that_shows_later_is_a_fix() -> None:
    """Of this rule and bucket and of now, as one that is read back at once is."""
    clock = Clock(1_000.0)
    guards = Guards(GuardMemory(contest=LocalContest(ContestPolicy(1, 100.0))), monotonic=clock)
    permit = permitted(guards)
    clock.advance(10)
    permit.shown()

    assert guards.contest.found_broken("other", PHOTOS, 1_010.0) == 0
    assert guards.contest.found_broken("public-read", VIDEOS, 1_010.0) == 0
    assert guards.contest.found_broken("public-read", PHOTOS, 1_109.5) == 100.0


def test_a_change_that_shows_later_is_evidence_that_changing_works() -> None:
    """It closes a breaker whose probe it was, and is one of the attempts that a breaker judges."""
    clock = Clock(1_000.0)
    guards = Guards(GuardMemory(breakers=LocalBreakers(OPENS_AT_HALF)), monotonic=clock)
    attempts(guards, Outcome.FAILED, Outcome.FAILED, Outcome.FIXED)
    clock.advance(10)
    permitted(guards, intent(bucket=VIDEOS)).shown()

    assert guards.breakers.admit("public-read", PHOTOS.key, 1_010.0) == BreakerOpen(60.0), "two of four failed"
    clock.advance(60)
    permitted(guards).shown()
    assert guards.breakers.open_rules() == frozenset()


class NoStore(LocalLimits):
    """Shared limits that do not answer at first."""

    def __init__(self) -> None:
        super().__init__(Limit(1, 60.0))
        self.answers = False

    def reserve(self, rule: str, now: float) -> LimitReached | Reservation:
        """Not known, or a place."""
        if not self.answers:
            raise SharedUnreachable("no answer")
        return super().reserve(rule, now)


def test_a_probe_that_learns_nothing_of_the_limits_leaves_the_breaker_ready_for_another() -> None:
    """The one probe of a breaker is not lost to a store that does not answer."""
    clock, limits = Clock(1_000.0), NoStore()
    policy = BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0, cool_down_seconds=10)
    guards = Guards(GuardMemory(limits, LocalBreakers(policy)), monotonic=clock)
    limits.answers = True
    permit = permitted(guards)
    assert permit.used
    permit.not_used()
    assert not permit.used
    conclude(permit, ended(Outcome.FAILED))
    clock.advance(10)
    limits.answers = False
    assert refused(guards) == Ending(
        Outcome.HELD,
        "shared_unreachable",
        "the store that replicas share cannot be reached: no answer",
        "public-read",
        "private",
        hold_seconds=77.0,
    )
    limits.answers = True

    conclude(permitted(guards), ended(Outcome.FIXED))
    assert guards.breakers.open_rules() == frozenset()


@pytest.mark.parametrize(("hold_seconds", "seconds"), [(299.0, 299.0), (301.0, 300.0)])
def test_a_missing_permission_is_tried_again_soon_and_names_the_action(hold_seconds: float, seconds: float) -> None:
    """After the rule's own time, or after five minutes if that is longer."""
    assert permission_missing(REFUSED, replace(rule(), hold_seconds=hold_seconds)) == Ending(
        Outcome.HELD,
        "permission_missing",
        "oss PutBucketAcl: AccessDenied: no",
        error_class="PermissionMissing",
        hold_seconds=seconds,
        missing_action="oss:PutBucketAcl",
    )


def test_only_a_missing_permission_names_an_action() -> None:
    """Nothing is to be granted for another failure."""
    assert missing_action(REFUSED) == "oss:PutBucketAcl"
    assert missing_action(Throttled("oss", "PutBucketAcl", "QpsLimit", "too many")) == ""


def test_a_permission_that_only_this_bucket_refuses_is_given_up() -> None:
    """With what is known of the state and of the attempt: the action works on others and goes on being refused here."""
    clock = Clock(1_000.0)
    guards = Guards(monotonic=clock)
    held = replace(
        permission_missing(REFUSED, rule()), before="public-read", after="private", attempt=Attempt("public-read", "x")
    )
    assert guards.after_look(PHOTOS, held, ["oss:GetBucketInfo"]) == held
    clock.advance(1)
    works = ended(Outcome.FIXED)
    assert guards.after_look(VIDEOS, works, ["oss:PutBucketAcl"]) is works
    clock.advance(1)
    assert guards.after_look(PHOTOS, held, []) is held
    clock.advance(CERTAIN_SECONDS)
    guards.after_look(VIDEOS, works, ["oss:PutBucketAcl"])
    clock.advance(-0.5)
    assert guards.after_look(PHOTOS, held, []) is held
    clock.advance(0.5)

    assert guards.after_look(PHOTOS, held, []) == Ending(
        Outcome.REJECTED,
        "AccessDenied",
        "refused on this resource, and granted on others: oss PutBucketAcl: AccessDenied: no",
        "public-read",
        "private",
        error_class="PermissionMissing",
        resource_alone=True,
        attempt=Attempt("public-read", "x"),
    )
