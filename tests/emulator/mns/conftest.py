"""Fixtures of the MNS tests: the service behind the real SDK over HTTP, and alone with a clock to move."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from mns.queue import Queue, QueueMeta

from emulator.http import Service
from emulator.mns import MnsService
from emulator.server import create_world, running_services
from emulator.settings import Settings
from emulator.world import World
from tests.emulator.mns.alone import Alone
from tests.emulator.mns.running import Running


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """The service over HTTP; use `mns`, which empties it after each test."""
    settings = Settings()
    world = create_world(settings)
    loops: list[asyncio.AbstractEventLoop] = []
    service = MnsService(world)

    def make(_: World) -> list[Service]:
        loops.append(asyncio.get_running_loop())
        return [service]

    with running_services(settings, make, world) as endpoints:
        yield Running(service, world, loops[0], endpoints)


@pytest.fixture
def mns(server: Running) -> Iterator[Running]:
    """The service over HTTP, empty; nothing a test switched on outlives it."""
    yield server
    server.hang_up()
    server.inside(server.service.reset)
    server.inside(server.world.faults.clear)
    server.inside(server.world.journal.clear)


@pytest.fixture
def account(mns: Running) -> Any:
    """An SDK client with the right key."""
    return mns.account()


@pytest.fixture
def queue(account: Any) -> Queue:
    """A fresh queue `q` whose bodies go over the wire as they are."""
    created = account.get_queue("q")
    created.create(QueueMeta())
    created.set_encoding(False)
    return created


@pytest.fixture
def alone() -> Alone:
    """The service without HTTP."""
    return Alone()
