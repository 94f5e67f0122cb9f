"""Limits that all replicas keep together, in a real Redis: never one change more, whatever becomes of the store."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from consumer.core.errors import SharedUnreachable
from consumer.guards.limits import Limit, LimitReached, Reservation
from consumer.guards.shared.limits import SharedLimits
from consumer.guards.shared.store import RECOVERY_SECONDS, Store, StoreAddress
from tests.integration.shared.conftest import Replica
from tests.patience import in_some_window
from tests.redis_server import RedisServer, redis_server
from tests.unit.fakes import Clock

RULE = "public-read"


def limits(store: Store, most: int = 20, window_seconds: float = 3600.0, rule: str = RULE) -> SharedLimits:
    """A limit on one rule, under a wide one on everything; of a replica whose clock stands at 0."""
    rules = {rule: Limit(most, window_seconds)}
    return SharedLimits(store, Limit(1000, 3600), rules, longest_change_seconds=60.0, monotonic=lambda: 0.0)


def places(of: SharedLimits, count: int, rule: str = RULE) -> int:
    """How many of so many changes find a place and are made."""
    found = 0
    for _ in range(count):
        reserved = of.reserve(rule, 0.0)
        if isinstance(reserved, Reservation):
            of.conclude(reserved, 0.0)
            found += 1
    return found


@pytest.mark.parametrize("replicas", [2, 4])
def test_replicas_together_find_exactly_as_many_places_as_there_are(replicas: int, replica: Replica) -> None:
    """500 changes, asked for by eight threads in each of several replicas at once, under a limit of 20."""
    sharing = [limits(replica()) for _ in range(replicas)]
    with ThreadPoolExecutor(8 * replicas) as pool:
        found = pool.map(lambda number: places(sharing[number % replicas], 1), range(500))
    assert sum(found) == 20
    assert sharing[0].taken(0.0) == {RULE: 20, "": 20}


def test_a_change_that_was_not_made_gives_its_place_back(replica: Replica) -> None:
    """To every replica."""
    one, other = limits(replica(), most=1), limits(replica(), most=1)
    reserved = one.reserve(RULE, 0.0)
    assert isinstance(reserved, Reservation)
    assert isinstance(other.reserve(RULE, 0.0), LimitReached)
    one.conclude(reserved, None)
    assert isinstance(other.reserve(RULE, 0.0), Reservation)


def test_a_place_is_free_a_window_after_its_change(replica: Replica) -> None:
    """By the store's own clock, so a short window is waited for."""

    def trial(window_seconds: float) -> None:
        rule = f"within-{window_seconds:g}"
        shared = limits(replica(), most=1, window_seconds=window_seconds, rule=rule)
        assert places(shared, 1, rule) == 1
        full = shared.reserve(rule, 0.0)
        assert isinstance(full, LimitReached)
        assert full.text == f"the rule's limit of 1 changes in {window_seconds:g} s"
        assert 0 < full.wait_seconds <= window_seconds
        while isinstance(shared.reserve(rule, 0.0), LimitReached):
            pass

    in_some_window(trial)


def test_what_waits_is_given_a_turn_of_its_own(replica: Replica) -> None:
    """Two places an hour: the third and fourth that wait come back an hour after the first and second."""
    shared = limits(replica(), most=2)
    assert places(shared, 2) == 2
    waits = [full.wait_seconds for _ in range(4) if isinstance(full := shared.reserve(RULE, 0.0), LimitReached)]
    assert [round(wait / 3600) for wait in waits] == [1, 1, 2, 2]


def test_a_replica_that_dies_in_the_middle_keeps_its_place(replica: Replica) -> None:
    """Nobody knows whether its change was made."""
    dead = limits(replica(), most=1)
    assert isinstance(dead.reserve(RULE, 0.0), Reservation)
    assert isinstance(limits(replica(), most=1).reserve(RULE, 0.0), LimitReached)


def test_a_store_that_is_down_gives_no_place(server: RedisServer, replica: Replica) -> None:
    """Never a change without it; its result is no error either."""
    shared = limits(replica())
    reserved = shared.reserve(RULE, 0.0)
    assert isinstance(reserved, Reservation)
    server.kill()
    with pytest.raises(SharedUnreachable):
        shared.reserve(RULE, 0.0)
    shared.conclude(reserved, 0.0)
    assert shared.taken(0.0) == {}


def test_a_store_that_is_silent_gives_no_place(server: RedisServer) -> None:
    """A bound in time instead of a wait for ever."""
    store = Store(StoreAddress(server.url, "test", 0.2))
    shared = limits(store)
    assert places(shared, 1) == 1
    server.signal(signal.SIGSTOP)
    try:
        with pytest.raises(SharedUnreachable):
            shared.reserve(RULE, 0.0)
    finally:
        server.signal(signal.SIGCONT)
        store.close()


def test_a_store_that_forgot_everything_counts_as_full(server: RedisServer, replica: Replica) -> None:
    """Killed and started empty: what was changed before is not known, so nothing is for a window."""
    one, other = limits(replica()), limits(replica())
    assert places(one, 5) + places(other, 5) == 10
    server.kill()
    server.start()
    assert places(one, 50) + places(other, 50) + places(limits(replica()), 50) == 0


def test_a_replica_that_only_knows_the_store_as_down_permits_nothing_at_once(
    server: RedisServer, replica: Replica
) -> None:
    """It cannot know what the others had changed before the store came back empty, and waits until they have said."""
    one, other = limits(replica()), limits(replica())
    assert places(one, 20) == 20
    server.kill()
    with pytest.raises(SharedUnreachable):
        other.reserve(RULE, 0.0)
    server.start()
    assert places(other, 50) == 0
    assert one.taken(0.0)[RULE] == 20, "the others add what they have changed"
    other._store._client.delete(other._store.key("recovering"))  # its minute has passed
    assert places(other, 50) == 0


def test_two_threads_that_meet_a_restarted_store_at_once_both_wait(tmp_path: Path) -> None:
    """What one of them has not added yet is nothing that the other one may take a place for."""
    with redis_server(tmp_path, keep=True) as server:
        store = Store(StoreAddress(server.url, "test", 20.0), monotonic=Clock(0.0))
        shared = limits(store)
        assert places(shared, 20) == 20
        store._client.delete(store.key("limit", RULE))  # what a crash may cost: entries that were not written yet
        server.kill()
        server.start()
        info, found = store._client.info, []

        def meanwhile(section: str) -> object:
            store._client.info = info
            with ThreadPoolExecutor(1) as pool:
                found.append(pool.submit(shared.reserve, RULE, 0.0).result())
            return info(section)

        store._client.info = meanwhile
        found.append(shared.reserve(RULE, 0.0))
        assert [type(each) for each in found] == [LimitReached, LimitReached]
        store.close()


def test_a_store_that_forgot_is_full_for_a_window_only(server: RedisServer, replica: Replica) -> None:
    """Then all that can have been changed before is out of the window."""

    def trial(window_seconds: float) -> None:
        rule = f"within-{window_seconds:g}"
        shared = SharedLimits(replica(), None, {rule: Limit(2, window_seconds)}, longest_change_seconds=60.0)
        assert places(shared, 5, rule) == 2
        server.kill()
        server.start()
        assert places(shared, 5, rule) == 0
        shared._store._client.delete(shared._store.key("recovering"))  # its minute has passed
        while places(shared, 1, rule) == 0:
            pass
        assert places(shared, 5, rule) == 1

    in_some_window(trial)


def test_a_store_that_kept_its_data_waits_for_what_replicas_add(tmp_path: Path) -> None:
    """Restarted with what it had written: replicas add their own changes again before anybody makes new ones."""
    with redis_server(tmp_path, keep=True) as server:
        address = StoreAddress(server.url, "test", 2.0)
        one, other = Store(address), Store(address)
        first, second = limits(one, most=20), limits(other, most=20)
        assert places(first, 5) + places(second, 5) == 10
        one._client.delete(one.key("limit", RULE))  # what a crash may cost: entries that were not written yet
        server.kill()
        server.start()
        for shared in (first, second):
            found = shared.reserve(RULE, 0.0)
            assert isinstance(found, LimitReached)
            assert found.wait_seconds <= RECOVERY_SECONDS
        assert first.taken(0.0)[RULE] == 10
        one._client.delete(one.key("recovering"))  # its minute has passed
        assert places(first, 50) + places(second, 50) == 10
        for store in (one, other):
            store.close()


def test_a_password_is_used_and_never_shown(tmp_path: Path) -> None:
    """Neither an error nor a representation has it."""
    with redis_server(tmp_path, password="right-one") as server:
        address = StoreAddress(server.url, "test", 2.0, "right-one")
        right, wrong = Store(address), Store(StoreAddress(server.url, "test", 2.0, "wrong-one"))
        assert places(limits(right), 1) == 1
        with pytest.raises(SharedUnreachable) as refused:
            limits(wrong).reserve(RULE, 0.0)
        shown = str(refused.value) + repr(address) + wrong.problem
        assert "WRONGPASS" in shown or "invalid" in shown
        assert "right-one" not in shown
        assert "wrong-one" not in shown
        for store in (right, wrong):
            store.close()
