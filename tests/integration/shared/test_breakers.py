"""Breakers that all replicas keep together decide as the one of a single process does."""

from __future__ import annotations

import random

import pytest

from consumer.core.errors import SharedUnreachable
from consumer.guards.breaker import Admission, BreakerOpen, BreakerPolicy, LocalBreakers
from consumer.guards.shared import breakers as shared_breakers
from consumer.guards.shared.breakers import SharedBreakers
from consumer.guards.shared.store import Store
from tests.integration.shared.conftest import Replica, stepped
from tests.redis_server import RedisServer

RULE = "public-read"


def breakers(store: Store, *, cool_down_seconds: float = 3600.0, probe_seconds: float = 60.0) -> SharedBreakers:
    policy = BreakerPolicy(attempts=6, min_attempts=3, max_failure_share=0.5, cool_down_seconds=cool_down_seconds)
    return SharedBreakers(store, policy, [RULE], longest_probe_seconds=probe_seconds)


def attempt(of: SharedBreakers | LocalBreakers, resource: str, failed: bool | None) -> bool:
    """One attempt with its result; whether it was admitted."""
    admission = of.admit(RULE, resource, 0.0)
    if isinstance(admission, BreakerOpen):
        return False
    of.record(admission, failed=failed, now=0.0)
    return True


def test_failures_of_several_replicas_count_together(replica: Replica) -> None:
    """Three resources that failed, each in another replica, stop the rule in all of them."""
    sharing = [breakers(replica()) for _ in range(3)]
    for number, each in enumerate(sharing):
        assert attempt(each, f"bucket-{number}", True)
    assert all(each.open_rules() == {RULE} for each in sharing)
    assert not attempt(sharing[0], "another", False)


@pytest.mark.parametrize("seed", range(20))
def test_it_decides_as_the_breaker_of_one_process_does(seed: int, replica: Replica) -> None:
    """Random results on few resources, until one of both opens: then so does the other."""
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    policy = BreakerPolicy(attempts=6, min_attempts=3, max_failure_share=0.5, cool_down_seconds=3600.0)
    local, shared = LocalBreakers(policy), breakers(replica())
    for _ in range(40):
        resource, failed = f"bucket-{dice.randrange(8)}", dice.choice([True, False, False, None])
        assert attempt(local, resource, failed) == attempt(shared, resource, failed)
        assert local.open_rules() == shared.open_rules()


def test_one_probe_for_all_replicas_closes_it(replica: Replica) -> None:
    """After the cool-down one attempt is let through; what it comes to holds for everybody."""
    one, other = (breakers(replica(), cool_down_seconds=0.05) for _ in range(2))
    for number in range(3):
        attempt(one, f"bucket-{number}", True)
    probe = one.admit(RULE, "fresh", 0.0)
    while isinstance(probe, BreakerOpen):
        probe = one.admit(RULE, "fresh", 0.0)
    assert probe.probe
    assert isinstance(other.admit(RULE, "another", 0.0), BreakerOpen)
    one.record(probe, failed=False, now=0.0)
    assert isinstance(other.admit(RULE, "another", 0.0), Admission)
    assert other.open_rules() == frozenset()


def test_a_probe_that_never_ends_is_forgotten(replica: Replica) -> None:
    """Its replica was killed: another one may probe after the longest time that a change can take."""
    one, other = (breakers(replica(), cool_down_seconds=0.05, probe_seconds=0.2) for _ in range(2))
    for number in range(3):
        attempt(one, f"bucket-{number}", True)
    while isinstance(one.admit(RULE, "fresh", 0.0), BreakerOpen):
        pass
    while isinstance(probe := other.admit(RULE, "another", 0.0), BreakerOpen):
        pass
    assert probe.probe


def test_a_clock_that_is_set_back_keeps_none_open_for_longer_than_its_cool_down(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the moment at which it opened nor a probe of the future is waited for."""
    shared = breakers(replica(), cool_down_seconds=0.05)
    with monkeypatch.context() as ahead:
        stepped(ahead, shared_breakers, 24)
        for number in range(3):
            attempt(shared, f"bucket-{number}", True)
        while isinstance(probe := shared.admit(RULE, "fresh", 0.0), BreakerOpen):
            pass
        assert probe.probe
    while isinstance(again := shared.admit(RULE, "another", 0.0), BreakerOpen):
        assert again.wait_seconds <= 0.05
    assert again.probe


def test_a_release_closes_it_for_everybody(replica: Replica) -> None:
    """A person says that the cause is gone."""
    one, other = breakers(replica()), breakers(replica())
    for number in range(3):
        attempt(one, f"bucket-{number}", True)
    other.release()
    assert one.open_rules() == frozenset()
    assert attempt(one, "bucket-0", True)


def test_a_store_that_is_down_admits_nothing_and_takes_no_result(server: RedisServer, replica: Replica) -> None:
    """Whether the rule is stopped cannot be told; a result that cannot be recorded says nothing."""
    shared = breakers(replica())
    admission = shared.admit(RULE, "one", 0.0)
    assert isinstance(admission, Admission)
    server.kill()
    shared.record(admission, failed=True, now=0.0)
    assert shared.open_rules() is None
    with pytest.raises(SharedUnreachable):
        shared.admit(RULE, "two", 0.0)
