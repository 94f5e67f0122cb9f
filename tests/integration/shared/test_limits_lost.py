"""A store that forgets, is new or was restarted: it counts as full until what replicas know is in it again."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from consumer.core.errors import SharedUnreachable
from consumer.guards.limits import Limit, LimitReached
from consumer.guards.shared.limits import SharedLimits
from consumer.guards.shared.store import RECOVERY_SECONDS, Store, StoreAddress
from tests.integration.shared.conftest import Replica, past_every_pause
from tests.integration.shared.places import RULE, a_minute_passes, limits, places
from tests.patience import in_some_window
from tests.redis_server import RedisServer, redis_server
from tests.unit.fakes import Clock


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


@pytest.mark.parametrize("lost_by", ["restart", "FLUSHALL"])
@pytest.mark.parametrize("heard_by", ["a change", "a scrape"])
def test_a_new_replica_that_meets_a_store_without_memory_first_permits_nothing(
    server: RedisServer, replica: Replica, lost_by: str, heard_by: str
) -> None:
    """A rollout, say: an older replica has used up the limit, and says so within the minute."""
    older = limits(replica())
    assert places(older, 30) == 20
    if lost_by == "restart":
        server.kill()
        server.start()
    else:
        server.command(lost_by)
    newer = limits(replica())
    assert places(newer, 30) == 0
    if heard_by == "a change":
        assert places(older, 30) == 0
    else:
        older.taken(0.0)
    a_minute_passes(newer)
    full = newer.reserve(RULE, 0.0)
    assert isinstance(full, LimitReached)
    assert 3_500 < full.wait_seconds <= 3_660, "a window, and what may have been under way"
    assert full.text.endswith(", of which the shared store does not know what was changed before,")


def test_a_replica_that_has_changed_nothing_yet_waits_after_a_loss_too(server: RedisServer, replica: Replica) -> None:
    """It met the store with its memory, so no new process answers; the next use finds none and waits."""
    older, idle = limits(replica()), limits(replica())
    assert places(older, 30) == 20
    idle.taken(0.0)
    server.command("FLUSHALL")
    assert places(idle, 30) == 0


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_a_store_that_nobody_has_used_before_is_full_for_a_minute(
    server: RedisServer, replica: Replica, replicas: int
) -> None:
    """It looks the same as one that has forgotten; when nobody knows better for a minute, it is new."""
    server.command("FLUSHALL")
    sharing = [limits(replica()) for _ in range(replicas)]
    full = sharing[0].reserve(RULE, 0.0)
    assert isinstance(full, LimitReached)
    assert 0 < full.wait_seconds <= RECOVERY_SECONDS
    assert full.text.endswith(", of which the shared store does not know what was changed before,")
    assert sum(places(each, 30) for each in sharing) == 0
    a_minute_passes(sharing[0])
    assert sum(places(each, 30) for each in sharing) == 20


def test_nobody_waits_where_a_person_says_that_the_store_is_new(server: RedisServer, replica: Replica) -> None:
    """At any time, also while it counts as full for a window; said once, it is not said for ever."""
    shared = limits(replica())
    assert places(shared, 30) == 20
    for _ in range(2):
        server.command("FLUSHALL")
        assert places(shared, 30) == 0
    server.is_new("test")
    assert places(shared, 30) == 20
    server.command("FLUSHALL")
    a_minute_passes(shared)
    assert places(shared, 30) == 0


def test_a_replica_that_starts_after_a_failover_waits_for_what_the_others_add(
    server: RedisServer, replica: Replica
) -> None:
    """The data name the process that wrote them: it is another one, which may lack what was changed last."""
    one = limits(replica())
    assert places(one, 5) == 5
    one._store._client.hset(one._store.key("epoch"), "process", "the one before")  # what a replica of it would say
    found = limits(replica()).reserve(RULE, 0.0)
    assert isinstance(found, LimitReached)
    assert found.wait_seconds <= RECOVERY_SECONDS


def test_older_data_than_those_known_here_are_full_for_a_window(replica: Replica) -> None:
    """A failover to what is left of long ago: its epoch is another one, and began before this replica's last use."""
    one, other = limits(replica()), limits(replica())
    assert places(one, 20) == 20
    one._store._client.hset(one._store.key("epoch"), mapping={"id": "of long ago", "begun": 1})
    one._store._client.delete(one._store.key("limit", RULE))
    assert places(one, 30) + places(other, 30) == 0
    a_minute_passes(one)
    assert places(one, 30) + places(other, 30) == 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("keep", [True, False], ids=["kept", "empty"])
def test_a_store_that_is_restarted_in_the_middle_permits_no_change_more(tmp_path: Path, seed: int, keep: bool) -> None:
    """Two replicas, and a new one each time; with its data and after its minute exactly the limit, else no more."""
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    with redis_server(tmp_path, keep=keep) as server, ExitStack() as opened:
        server.is_new("test")
        made = 0

        def started() -> SharedLimits:
            store = Store(StoreAddress(server.url, "test", 20.0), monotonic=past_every_pause())
            opened.callback(store.close)
            return limits(store)

        def attempt(of: SharedLimits) -> int:
            try:
                return places(of, 1)
            except SharedUnreachable:
                return 0

        sharing = [started() for _ in range(2)]
        with ThreadPoolExecutor(4) as pool:
            made += sum(pool.map(attempt, [dice.choice(sharing) for _ in range(5)]))
            for _ in range(4):
                attempts = [pool.submit(attempt, dice.choice(sharing)) for _ in range(dice.randrange(1, 12))]
                server.kill()
                server.start()
                made += sum(each.result() for each in attempts)
                sharing.append(started())
                if keep:  # their minute has passed, in which all of them add their own
                    for each in sharing:
                        made += attempt(each)
                    sharing[0]._store._client.delete(sharing[0]._store.key("recovering"))
            made += sum(pool.map(attempt, [dice.choice(sharing) for _ in range(100)]))
    assert made == 20 if keep else made <= 20


def test_two_threads_that_meet_a_restarted_store_at_once_both_wait(tmp_path: Path) -> None:
    """What one of them has not added yet is nothing that the other one may take a place for."""
    with redis_server(tmp_path, keep=True) as server:
        server.is_new("test")
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
    """And for as long as a change may take; then all that can have been changed before is out of the window."""

    def trial(window_seconds: float) -> None:
        rule = f"within-{window_seconds:g}"
        shared = SharedLimits(replica(), None, {rule: Limit(2, window_seconds)}, longest_change_seconds=window_seconds)
        server.is_new("test")
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
        server.is_new("test")
        address = StoreAddress(server.url, "test", 20.0)
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
