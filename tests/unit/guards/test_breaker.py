"""The breaker: closed while changes work, open while they do not, and careful in between."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.guards.breaker import Admission, Breaker, BreakerOpen, BreakerPolicy, LocalBreakers

RULE = "acl"
POLICY = BreakerPolicy(attempts=10, min_attempts=4, max_failure_share=0.5, cool_down_seconds=60.0)


_names = (f"bucket-{number}" for number in itertools.count())


def attempt(breaker: Breaker, failed: bool | None, now: float = 0.0, resource: str = "") -> None:
    """One attempt, begun and ended, by default on a resource of its own."""
    admission = breaker.admit(resource or next(_names), now)
    assert isinstance(admission, Admission)
    breaker.record(admission, failed=failed, now=now)


def opened(now: float = 0.0) -> Breaker:
    """A breaker that has just opened, for the failures of bad-0 to bad-3."""
    breaker = Breaker(POLICY, RULE)
    for number in range(4):
        attempt(breaker, True, now, f"bad-{number}")
    assert breaker.is_open
    return breaker


def test_few_failures_prove_nothing() -> None:
    """Below the least number of attempts even failures alone stop nobody."""
    breaker = Breaker(POLICY, RULE)
    for _ in range(3):
        attempt(breaker, True)
    assert not breaker.is_open
    attempt(breaker, None)
    assert not breaker.is_open


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_it_opens_exactly_when_the_share_is_reached(results: list[bool]) -> None:
    """Judged are the latest attempts, and enough of them."""
    breaker = Breaker(POLICY, RULE)
    for count in range(1, len(results) + 1):
        attempt(breaker, results[count - 1])
        judged = results[max(0, count - 10) : count]
        assert breaker.is_open is (len(judged) >= 4 and sum(judged) * 2 >= len(judged))
        if breaker.is_open:
            break


def test_while_it_cools_down_nobody_tries() -> None:
    """It says how long that still takes."""
    answer = opened().admit("another", 20.0)
    assert answer == BreakerOpen(40.0)


def test_after_the_cool_down_one_probe_goes_alone() -> None:
    """Others wait for its result."""
    breaker = opened()
    probe = breaker.admit("another", 60.0)
    assert isinstance(probe, Admission)
    assert probe.probe
    assert breaker.admit("another", 61.0) == BreakerOpen(60.0)
    assert breaker.is_open


def test_a_probe_that_works_closes_it_with_a_clean_record() -> None:
    """Old failures count no more."""
    breaker = opened()
    attempt(breaker, False, 60.0)
    assert not breaker.is_open
    for _ in range(3):
        attempt(breaker, True, 61.0)
    assert not breaker.is_open


def test_a_probe_that_fails_opens_it_for_another_cool_down() -> None:
    """And so on, until one works."""
    breaker = opened()
    attempt(breaker, True, 60.0)
    assert breaker.admit("another", 119.0) == BreakerOpen(1.0)
    assert isinstance(breaker.admit("another", 120.0), Admission)


def test_a_probe_without_a_result_lets_another_probe() -> None:
    """A bucket that is gone proves nothing and must not keep the breaker open for ever."""
    breaker = opened()
    attempt(breaker, None, 60.0)
    assert breaker.is_open
    assert isinstance(breaker.admit("another", 60.0), Admission)


def test_results_of_attempts_from_before_it_opened_change_nothing() -> None:
    """What was under way when it opened neither closes nor prolongs it."""
    breaker = Breaker(POLICY, RULE)
    late = breaker.admit("another", 0.0)
    assert isinstance(late, Admission)
    for _ in range(4):
        attempt(breaker, True)

    breaker.record(late, failed=False, now=30.0)

    assert breaker.admit("another", 30.0) == BreakerOpen(30.0)


def test_late_failures_do_not_open_it_again() -> None:
    """Attempts from before the cause was gone say nothing about now."""
    breaker = Breaker(POLICY, RULE)
    late = [breaker.admit(f"late-{number}", 0.0) for number in range(4)]
    for _ in range(4):
        attempt(breaker, True)
    attempt(breaker, False, 60.0)
    for admission in late:
        assert isinstance(admission, Admission)
        breaker.record(admission, failed=True, now=61.0)

    assert not breaker.is_open


def test_results_from_before_an_earlier_opening_change_nothing_either() -> None:
    """However often it has opened and closed since: each stretch is another one."""
    breaker = opened()
    attempt(breaker, False, 60.0)
    late = breaker.admit("another", 61.0)
    assert isinstance(late, Admission)
    for _ in range(4):
        attempt(breaker, True, 62.0)
    attempt(breaker, False, 122.0)
    for _ in range(3):
        attempt(breaker, True, 123.0)

    breaker.record(late, failed=True, now=124.0)

    assert not breaker.is_open


def test_a_person_can_close_it() -> None:
    """Released, it begins anew."""
    breaker = opened()
    breaker.release()
    assert not breaker.is_open
    attempt(breaker, True, 1.0)
    assert not breaker.is_open


@given(st.lists(st.booleans(), max_size=60))
def test_one_resource_stops_nobody(results: list[bool]) -> None:
    """However often it fails: what it shows is about itself."""
    breaker = Breaker(POLICY, RULE)
    for failed in results:
        attempt(breaker, failed, resource="the same")
    assert not breaker.is_open


def test_a_resource_is_judged_by_its_latest_attempt() -> None:
    """What failed and works now is no failure any more, and does not count twice."""
    breaker = Breaker(POLICY, RULE)
    for number in range(3):
        attempt(breaker, True, resource=f"b-{number}")
    for number in range(3):
        attempt(breaker, False, resource=f"b-{number}")
    attempt(breaker, True)
    assert not breaker.is_open


def test_the_latest_attempts_are_judged() -> None:
    """A resource that is tried again is among the latest; the one that was tried longest ago is left out."""
    breaker = Breaker(BreakerPolicy(attempts=4, min_attempts=4, max_failure_share=1.0, cool_down_seconds=60.0), RULE)
    attempt(breaker, True, resource="again")
    attempt(breaker, False, resource="old")
    for name in ("a", "b"):
        attempt(breaker, True, resource=name)
    attempt(breaker, True, resource="again")
    assert not breaker.is_open
    attempt(breaker, True, resource="c")
    assert breaker.is_open


def test_the_probe_is_a_resource_that_has_not_failed_if_one_waits() -> None:
    """Those whose own fault it may be wait one cool-down longer, and the fresh one closes the breaker."""
    breaker = opened()
    assert breaker.admit("fresh", 30.0) == BreakerOpen(30.0)
    assert breaker.admit("bad-0", 60.0) == BreakerOpen(60.0)
    attempt(breaker, False, 61.0, "fresh")
    assert not breaker.is_open


def test_one_that_has_not_failed_goes_first_whoever_is_turned_away_after_it() -> None:
    """Nor does one that failed take the turn because it has asked last."""
    breaker = opened()
    assert breaker.admit("fresh", 30.0) == BreakerOpen(30.0)
    assert breaker.admit("bad-1", 40.0) == BreakerOpen(80.0)
    assert breaker.admit("bad-0", 60.0) == BreakerOpen(60.0)


def test_an_admission_names_what_it_is_for() -> None:
    """The rule, the resource, the stretch, and whether it is a probe."""
    breaker = Breaker(POLICY, RULE)
    assert breaker.admit("bucket", 0.0) == Admission("acl", "bucket", 0, probe=False)
    for _ in range(4):
        attempt(breaker, True)
    assert breaker.admit("bucket", 60.0) == Admission("acl", "bucket", 1, probe=True)


@pytest.mark.parametrize(("fresh_waits", "at"), [(False, 60.0), (True, 120.0)])
def test_without_another_one_a_resource_that_failed_probes(fresh_waits: bool, at: float) -> None:
    """Nobody else may ever come, or the one that waited may be gone: the rule must not stay stopped for that."""
    breaker = opened()
    if fresh_waits:
        breaker.admit("fresh", 30.0)
    attempt(breaker, False, at, "bad-0")
    assert not breaker.is_open


def test_a_probe_that_fails_is_one_of_those_that_failed() -> None:
    """So the next probe is another one's again."""
    breaker = opened()
    attempt(breaker, True, 60.0, "fresh")
    assert breaker.admit("fresher", 70.0) == BreakerOpen(50.0)
    assert breaker.admit("fresh", 120.0) == BreakerOpen(60.0)
    assert isinstance(breaker.admit("fresher", 121.0), Admission)


def test_of_many_that_failed_the_first_are_forgotten() -> None:
    """Memory is bounded: a resource whose failure is longest ago may be the probe like a fresh one."""
    breaker = opened()
    for number in range(1, 8):
        attempt(breaker, True, 60.0 * number, f"probe-{number}")
    breaker.admit("fresh", 430.0)
    assert breaker.admit("bad-1", 480.0) == BreakerOpen(60.0)
    assert isinstance(breaker.admit("bad-0", 480.0), Admission)


def test_each_rule_has_a_breaker_of_its_own() -> None:
    """One rule's failures stop that rule only; a person closes all of them."""
    breakers = LocalBreakers(POLICY)
    for rule in ("acl", "encryption"):
        for number in range(4):
            admission = breakers.admit(rule, f"b-{number}", 0.0)
            assert isinstance(admission, Admission)
            breakers.record(admission, failed=rule == "acl", now=0.0)
    assert breakers.open_rules() == {"acl"}
    assert breakers.admit("acl", "another", 20.0) == BreakerOpen(40.0)
    assert isinstance(breakers.admit("encryption", "another", 20.0), Admission)
    breakers.release()
    assert breakers.open_rules() == frozenset()
    assert isinstance(breakers.admit("acl", "another", 20.0), Admission)
