"""A Redis for each test, and replicas that share it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from consumer.guards.shared.store import _HEAD, Script, Store, StoreAddress
from tests.redis_server import RedisServer, redis_server
from tests.unit.fakes import Clock

Replica = Callable[[], Store]


def past_every_pause() -> Callable[[], float]:
    """A clock that every look at it finds so much later that a pause after a failure is over."""
    clock = Clock(0.0)

    def later() -> float:
        clock.advance(10.0)
        return clock.now

    return later


def stepped(monkeypatch: pytest.MonkeyPatch, module: ModuleType, hours: int) -> None:
    """Let the store's clock be so many hours ahead of what it is, for every script of this module."""
    for name, script in vars(module).items():
        if isinstance(script, Script):
            text = script._text.removeprefix(_HEAD)
            monkeypatch.setattr(module, name, Script(f"now = now + {hours * 3_600_000}\n{text}"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Redis that keeps nothing over a restart, and that nobody has used before."""
    with redis_server(tmp_path) as started:
        started.is_new("test")
        yield started


@pytest.fixture
def replica(server: RedisServer) -> Iterator[Replica]:
    """Makes the store of one more replica; no pause after a failure makes a test wait."""
    opened: list[Store] = []

    def make() -> Store:
        store = Store(StoreAddress(server.url, "test", 20.0), monotonic=past_every_pause())
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()
