"""A Redis for each test, and replicas that share it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consumer.guards.shared.store import Store, StoreAddress
from tests.redis_server import RedisServer, redis_server
from tests.unit.fakes import Clock

Replica = Callable[[], Store]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Redis that keeps nothing over a restart."""
    with redis_server(tmp_path) as started:
        yield started


@pytest.fixture
def replica(server: RedisServer) -> Iterator[Replica]:
    """Makes the store of one more replica; its clock stands still, so that no pause after a failure ends by itself."""
    opened: list[Store] = []

    def make() -> Store:
        clock = Clock(0.0)

        def later() -> float:
            clock.now += 10.0  # every look at the clock is after any pause
            return clock.now

        store = Store(StoreAddress(server.url, "test", 2.0), monotonic=later)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()
