"""A store whose clock leaps or is set back: no place more, and none that is taken for ever."""

from __future__ import annotations

import time

import pytest

from consumer.guards.limits import LimitReached
from consumer.guards.shared import limits as shared_limits
from consumer.guards.shared.limits import Used
from consumer.guards.shared.store import RECOVERY_SECONDS
from tests.integration.shared.conftest import Replica, stepped
from tests.integration.shared.places import RULE, a_minute_passes, limits, places


def test_a_clock_that_leaps_ahead_makes_no_place(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """All places would be free at once; whoever has used the store before notices, and then it counts as full."""
    one, other = limits(replica()), limits(replica())
    assert places(one, 10) + places(other, 10) == 20
    stepped(monkeypatch, shared_limits, 2)
    assert places(one, 30) + places(other, 30) + places(limits(replica()), 30) == 0
    assert one.taken(0.0) == {RULE: 0, "": 0}, "no place is kept for what was not changed"
    a_minute_passes(one)
    assert places(one, 30) + places(other, 30) == 0


def test_a_leap_is_noticed_by_every_replica_and_counts_once(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window begins when the first one notices, and not again with each."""
    one, other = limits(replica()), limits(replica())
    assert places(one, 1) + places(other, 1) == 2
    stepped(monkeypatch, shared_limits, 2)
    assert places(one, 1) == 0
    epoch = one._store._client.hget(one._store.key("epoch"), "begun")
    while (now := one._store._client.time())[0] * 1000 + now[1] // 1000 + 2 * 3_600_000 <= int(epoch):
        pass
    assert places(other, 1) == 0
    assert one._store._client.hget(one._store.key("epoch"), "begun") == epoch


@pytest.mark.parametrize("hours", [1, 2, 24 * 365])
def test_a_clock_that_is_set_back_makes_no_place_and_keeps_none_for_ever(
    replica: Replica, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """What was changed counts until a window from now at most, and not until the time comes that it was then."""
    one, other = limits(replica()), limits(replica())
    with monkeypatch.context() as ahead:
        stepped(ahead, shared_limits, hours)
        assert places(one, 30) == 20
        one._store._client.set(one._store.key("recovering"), 1, px=hours * 3_600_000)
    recovering = other.reserve(RULE, 0.0)
    assert isinstance(recovering, LimitReached)
    assert recovering.wait_seconds <= RECOVERY_SECONDS
    assert one._store._client.pttl(one._store.key("recovering")) <= RECOVERY_SECONDS * 1000
    one._store._client.delete(one._store.key("recovering"))  # its minute has passed
    assert places(one, 30) + places(other, 30) == 0
    latest = one._store._client.zrange(one._store.key("limit", RULE), -1, -1, withscores=True)[0][1]
    assert latest / 1000 <= time.time() + 2 * (3_600 + 60)


def test_an_epoch_of_the_future_is_full_for_a_window(replica: Replica) -> None:
    """A clock that is set back behind the moment from which the store knows: not until that comes again."""
    shared = limits(replica())
    assert places(shared, 1) == 1
    shared._store._client.hset(shared._store.key("epoch"), "begun", round(time.time() * 1000) + 10**10)
    full = shared.reserve(RULE, 0.0)
    assert isinstance(full, LimitReached)
    assert 3_600 < full.wait_seconds <= 3_660


def test_time_that_a_replica_does_nothing_is_no_leap() -> None:
    """Two clocks that nobody has set differ a little: a thousandth, and a few seconds."""
    used = Used(at=100.0, store_ms=1_000)
    assert not Used().leapt(10**12, 0.0)
    assert not used.leapt(1_000 + 86_400_000, 100.0 + 86_400.0)
    assert not used.leapt(1_000 + 5_000, 100.0)
    assert used.leapt(1_000 + 5_001, 100.0)
    assert not used.leapt(1_000 + 1_005_900, 1_100.0)
    assert used.leapt(1_000 + 1_006_100, 1_100.0)
    assert not used.leapt(0, 200.0)
