"""Limits that all replicas keep together, in a real Redis: never one change more, also while it does not answer."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from consumer.core.errors import SharedUnreachable
from consumer.guards.limits import LimitReached, Reservation
from consumer.guards.shared import limits as shared_limits
from consumer.guards.shared.store import NEW_STORE, Store, StoreAddress
from tests.emulation import eventually
from tests.integration.shared.conftest import Replica, past_every_pause
from tests.integration.shared.places import RULE, limits, places
from tests.patience import in_some_window
from tests.redis_server import RedisServer, redis_server


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
    shared.conclude(reserved, time.monotonic())
    assert shared.taken(0.0) == {}


def test_a_store_that_is_silent_gives_no_place(server: RedisServer) -> None:
    """A bound in time instead of a wait for ever."""
    store = Store(StoreAddress(server.url, "test", 0.2), monotonic=past_every_pause())
    shared = limits(store)

    def in_use() -> bool:
        try:
            return places(shared, 1) == 1
        except SharedUnreachable:
            return False

    eventually(in_use)  # a busy machine may need longer than such a timeout now and then
    server.signal(signal.SIGSTOP)
    try:
        with pytest.raises(SharedUnreachable):
            shared.reserve(RULE, 0.0)
    finally:
        server.signal(signal.SIGCONT)
        store.close()


def test_a_try_whose_reply_was_lost_keeps_no_place(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is sent once more, to a store that was restarted with it: nothing is changed, so nothing counts."""
    shared = limits(replica())
    monkeypatch.setattr(shared_limits, "new_id", lambda: "the same entry")
    assert isinstance(shared.reserve(RULE, 0.0), Reservation)
    shared._store._client.set(shared._store.key("recovering"), 1, px=60_000)
    assert isinstance(shared.reserve(RULE, 0.0), LimitReached)
    assert shared.taken(0.0) == {RULE: 0, "": 0}


def test_a_password_is_used_and_never_shown(tmp_path: Path) -> None:
    """Neither an error nor a representation has it."""
    with redis_server(tmp_path, password="right-one") as server:
        address = StoreAddress(server.url, "test", 20.0, "right-one")
        right, wrong = Store(address), Store(StoreAddress(server.url, "test", 20.0, "wrong-one"))
        right._client.set(right.key(NEW_STORE), 1)
        assert places(limits(right), 1) == 1
        with pytest.raises(SharedUnreachable) as refused:
            limits(wrong).reserve(RULE, 0.0)
        shown = str(refused.value) + repr(address) + wrong.problem
        assert "WRONGPASS" in shown or "invalid" in shown
        assert "right-one" not in shown
        assert "wrong-one" not in shown
        for store in (right, wrong):
            store.close()
