"""Limits that all replicas keep together, in a real Redis: never one change more, whatever becomes of the store."""

from __future__ import annotations

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from consumer.core.errors import SharedUnreachable
from consumer.guards.limits import Limit, LimitReached, Reservation
from consumer.guards.shared import limits as shared_limits
from consumer.guards.shared.limits import SharedLimits, Used
from consumer.guards.shared.store import NEW_STORE, RECOVERY_SECONDS, Store, StoreAddress
from tests.integration.shared.conftest import Replica, past_every_pause, stepped
from tests.patience import in_some_window
from tests.redis_server import RedisServer, redis_server
from tests.unit.fakes import Clock

RULE = "public-read"


def limits(store: Store, most: int = 20, window_seconds: float = 3600.0, rule: str = RULE) -> SharedLimits:
    """A limit on one rule, under a wide one on everything."""
    rules = {rule: Limit(most, window_seconds)}
    return SharedLimits(store, Limit(1000, 3600), rules, longest_change_seconds=60.0)


def places(of: SharedLimits, count: int, rule: str = RULE) -> int:
    """How many of so many changes find a place and are made."""
    found = 0
    for _ in range(count):
        reserved = of.reserve(rule, 0.0)
        if isinstance(reserved, Reservation):
            of.conclude(reserved, time.monotonic())
            found += 1
    return found


def a_minute_passes(shared: SharedLimits) -> None:
    """In the store: what it has to wait for is over, and what has begun began earlier."""
    client, epoch = shared._store._client, shared._store.key("epoch")
    client.delete(shared._store.key("recovering"))
    if client.hexists(epoch, "begun"):
        client.hincrby(epoch, "begun", -1000 * RECOVERY_SECONDS)


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


def test_a_try_whose_reply_was_lost_keeps_no_place(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is sent once more, to a store that was restarted with it: nothing is changed, so nothing counts."""
    shared = limits(replica())
    monkeypatch.setattr(shared_limits, "new_id", lambda: "the same entry")
    assert isinstance(shared.reserve(RULE, 0.0), Reservation)
    shared._store._client.set(shared._store.key("recovering"), 1, px=60_000)
    assert isinstance(shared.reserve(RULE, 0.0), LimitReached)
    assert shared.taken(0.0) == {RULE: 0, "": 0}


def test_older_data_than_those_known_here_are_full_for_a_window(replica: Replica) -> None:
    """A failover to what is left of long ago: its epoch is another one, and began before this replica's last use."""
    one, other = limits(replica()), limits(replica())
    assert places(one, 20) == 20
    one._store._client.hset(one._store.key("epoch"), mapping={"id": "of long ago", "begun": 1})
    one._store._client.delete(one._store.key("limit", RULE))
    assert places(one, 30) + places(other, 30) == 0
    a_minute_passes(one)
    assert places(one, 30) + places(other, 30) == 0


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
