"""Fixtures of the OSS tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from emulator.http import Service
from emulator.oss import OssService
from emulator.server import create_world, running_services
from emulator.settings import Settings
from emulator.world import World
from tests.emulator.oss.running import STRANGER, Running


@pytest.fixture(scope="session")
def oss_server() -> Iterator[Running]:
    """The service over HTTP; use `oss`, which empties it after each test."""
    settings = Settings()
    world = create_world(settings)
    world.identities.add(STRANGER)
    service = OssService(world)
    loops: list[asyncio.AbstractEventLoop] = []

    def make(_: World) -> list[Service]:
        loops.append(asyncio.get_running_loop())
        return [service]

    with running_services(settings, make, world) as endpoints:
        yield Running(service, world, loops[0], endpoints)


@pytest.fixture
def oss(oss_server: Running) -> Iterator[Running]:
    """The service over HTTP, empty, its clock showing real time."""
    options = dict(oss_server.world.options)
    yield oss_server
    oss_server.advance(-oss_server.world.clock._offset_seconds)
    oss_server.inside(oss_server.service.reset)
    oss_server.inside(oss_server.world.journal.clear)
    oss_server.world.journal.reads = False
    oss_server.world.options.clear()
    oss_server.world.options.update(options)
