"""Contest: a resource that somebody keeps breaking is left alone after so many fixes."""

from __future__ import annotations

from consumer.guards.contest import Contest, ContestPolicy, LocalContest
from consumer.resources.base import Resource
from consumer.resources.oss.kind import BUCKETS
from tests.unit.guards.cases import PHOTOS

RULE = "public-read"
POLICY = ContestPolicy(max_fixes=3, window_seconds=100.0)


def local(most_resources: int = 100) -> Contest:
    """What one process remembers."""
    return LocalContest(POLICY, most_resources=most_resources)


def fought(contest: Contest, resource: Resource, fixes: int, now: float = 0.0) -> float:
    """Fix it so often, and find it broken again."""
    for _ in range(fixes):
        assert contest.found_broken(RULE, resource, now) == 0.0
        contest.fixed(RULE, resource, now)
    return contest.found_broken(RULE, resource, now)


def test_it_is_fixed_exactly_so_often_and_then_left_alone() -> None:
    """Found broken after the last fix that is allowed, it is contested."""
    contest = local()
    assert fought(contest, PHOTOS, 3) == 100.0
    assert contest.found_broken(RULE, PHOTOS, 60.0) == 40.0
    assert contest.contested(60.0) == {RULE: 1}


def test_one_rule_s_contest_is_not_another_s() -> None:
    """Somebody may want the bucket public and still have it encrypted."""
    contest = local()
    fought(contest, PHOTOS, 3)
    assert contest.found_broken("encryption", PHOTOS, 0.0) == 0.0


def test_after_the_window_it_begins_anew() -> None:
    """As many fixes as at first, and then it is contested again."""
    contest = local()
    fought(contest, PHOTOS, 3)
    assert contest.contested(100.0) == {}
    assert fought(contest, PHOTOS, 3, now=100.0) == 100.0


def test_fixes_that_are_long_ago_do_not_count() -> None:
    """A bucket that breaks now and then is not contested."""
    contest = local()
    for moment in range(0, 1_000, 50):
        assert contest.found_broken(RULE, PHOTOS, float(moment)) == 0.0
        contest.fixed(RULE, PHOTOS, float(moment))


def test_memory_is_bounded() -> None:
    """Beyond the bound the resource fixed longest ago is forgotten: it begins anew, and nothing grows."""
    contest = local(most_resources=2)
    fought(contest, PHOTOS, 3)
    for name in ("videos", "music"):
        contest.fixed(RULE, BUCKETS.resource(PHOTOS.account_id, PHOTOS.region, name), 1.0)
    assert contest.found_broken(RULE, PHOTOS, 2.0) == 0.0
    assert contest.contested(2.0) == {}


def test_what_was_fixed_last_is_remembered_longest() -> None:
    """The fight that goes on is not the one that is forgotten."""
    contest = local(most_resources=2)
    videos, music = (BUCKETS.resource(PHOTOS.account_id, PHOTOS.region, name) for name in ("videos", "music"))
    contest.fixed(RULE, PHOTOS, 0.0)
    contest.fixed(RULE, videos, 0.0)
    for _ in range(2):
        contest.fixed(RULE, PHOTOS, 1.0)
    contest.fixed(RULE, music, 2.0)
    assert contest.found_broken(RULE, PHOTOS, 3.0) > 0


def test_a_person_can_end_it() -> None:
    """Released, the resource may be fixed at once."""
    contest = local()
    fought(contest, PHOTOS, 3)
    contest.release()
    assert contest.found_broken(RULE, PHOTOS, 0.0) == 0.0


def test_a_fix_counts_for_its_window_and_not_a_moment_longer() -> None:
    """Just within it the third fix makes a contest, at its end none of them does."""
    for moment, left_alone in ((99.5, 100.0), (100.0, 0.0)):
        contest = local()
        for _ in range(3):
            contest.fixed(RULE, PHOTOS, 0.0)
        assert contest.found_broken(RULE, PHOTOS, moment) == left_alone
