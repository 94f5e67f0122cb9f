"""A store that answers and is of no use all the same: its replies cannot be read, or it takes no changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from consumer.core.errors import SharedUnreachable
from consumer.guards.shared.store import Store, StoreAddress
from consumer.operator.catch_up.shared_sent import SharedSent
from tests.integration.shared.conftest import Replica, past_every_pause
from tests.integration.shared.places import RULE, limits, places
from tests.integration.shared.test_breakers import breakers
from tests.integration.shared.test_contest import PHOTOS, contest
from tests.integration.shared.test_failover import Address, address
from tests.redis_server import RedisServer

WANTED: dict[str, Callable[[Store], object]] = {
    "reserve": lambda store: limits(store).reserve(RULE, 0.0),
    "admit": lambda store: breakers(store).admit(RULE, "a", 0.0),
    "contest": lambda store: contest(store).found_broken(RULE, PHOTOS, 0.0),
    "sent": lambda store: SharedSent(store, keep_seconds=60).known(["a", "b", "c"]),
    "check": lambda store: store.ping(),
}
"""What has to fail as a store that is out of reach does."""

LETTERS = bytes.maketrans(b"abcdef", b"\xff" * 6)
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no text": lambda data: data.translate(LETTERS),
    "another type": lambda data: data.translate(bytes.maketrans(b"*$=", b":::")),
    "no length": lambda data: data.replace(b"*", b"*x").replace(b"$", b"$x").replace(b"=", b"=x"),
    "an unknown type": lambda data: data.translate(bytes.maketrans(b":*$=", b"xxxx")),
    "no number": lambda data: data.replace(b":", b":x"),
}
"""Byte by byte, so that it does not matter how a reply is divided."""


@pytest.fixture
def between(server: RedisServer) -> Iterator[Address]:
    with address(server.port) as found:
        yield found


@pytest.fixture
def store(between: Address) -> Iterator[Store]:
    """One that has been used, through what will damage its replies."""
    found = Store(StoreAddress(between.url, "test", 20.0), monotonic=past_every_pause())
    assert places(limits(found), 1) == 1
    yield found
    found.close()


@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_replies_that_cannot_be_read_are_no_store(
    damage: Callable[[bytes], bytes], wanted: Callable[[Store], object], store: Store, between: Address
) -> None:
    """Held as while it is out of reach, whatever is wanted on a new connection; it goes on by itself.

    As any other error it failed each event as a fault of the worker's own, up to its dead letter.
    """
    between.damage = damage
    store._client.connection_pool.disconnect()
    for _ in range(2):
        with pytest.raises(SharedUnreachable):
            wanted(store)
        assert store.problem
    between.damage = bytes
    wanted(store)
    wanted(store)  # `check` alone is no use of it
    limits(store).taken(0.0)
    assert store.problem == ""


@pytest.mark.parametrize(
    ("wanted", "damage"),
    [*(("reserve", name) for name in DAMAGES), ("admit", "no length"), ("contest", "no number"), ("sent", "no length")],
)
def test_a_reply_that_cannot_be_read_on_an_open_connection_is_no_store(
    wanted: str, damage: str, store: Store, between: Address
) -> None:
    """What is damaged is the reply of the script itself."""
    WANTED[wanted](store)
    between.damage = DAMAGES[damage]
    with pytest.raises(SharedUnreachable):
        WANTED[wanted](store)


@pytest.mark.parametrize(("wanted", "elements"), [("reserve", b"5"), ("admit", b"3"), ("sent", b"3")])
def test_a_reply_with_too_few_elements_is_no_store(
    wanted: str, elements: bytes, store: Store, between: Address
) -> None:
    """Whatever can be read of it decides nothing."""
    WANTED[wanted](store)
    between.damage = lambda data: data.replace(elements, b"2")
    with pytest.raises(SharedUnreachable, match="a reply that cannot be read, ValueError"):
        WANTED[wanted](store)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_shown_and_recorded_survives_replies_that_cannot_be_read(
    damage: Callable[[bytes], bytes], store: Store, between: Address
) -> None:
    """A scrape shows what it can, and that the store cannot be used."""
    between.damage = damage
    store._client.connection_pool.disconnect()
    assert limits(store).taken(0.0) == {}
    assert contest(store).contested(0.0) == {}
    assert breakers(store).open_rules() is None
    contest(store).fixed(RULE, PHOTOS, 0.0)
    contest(store).release()
    breakers(store).release()
    assert store.problem
    assert store.errors()["count"] == 3


REFUSALS = {
    "replica": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "full": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "alone": (("CONFIG", "SET", "min-replicas-to-write", "1"), ("CONFIG", "SET", "min-replicas-to-write", "0")),
}


@pytest.mark.parametrize(("refuse", "accept"), REFUSALS.values(), ids=REFUSALS)
def test_a_store_that_only_answers_is_out_of_reach_to_a_scrape_too(
    refuse: tuple[str, ...], accept: tuple[str, ...], server: RedisServer, replica: Replica
) -> None:
    """Without work the scrape notices, and neither it nor a guard that only reads calls the store well.

    Every change was held, while metric, alert and readiness said that all was well after each scrape.
    """
    store = replica()
    shared = limits(store)
    assert places(shared, 1) == 1
    server.command(*refuse)
    assert shared.taken(0.0) == {}
    assert store.problem
    with pytest.raises(SharedUnreachable):
        shared.reserve(RULE, 0.0)
    with pytest.raises(SharedUnreachable):
        breakers(store).admit(RULE, "a", 0.0)
    assert contest(store).contested(0.0) == {}
    assert breakers(store).open_rules() is None
    assert store.problem
    server.command(*accept)
    assert shared.taken(0.0) == {RULE: 1, "": 1}
    assert store.problem == ""
