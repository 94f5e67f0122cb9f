"""Assembles the emulator (world, services, four ports) and runs it in this process or in a thread of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.types import ASGIApp

from emulator.asgi import ServiceApp
from emulator.background import in_thread
from emulator.control.app import control_app
from emulator.emulation import Emulation
from emulator.http import Service
from emulator.identity import AccessKey
from emulator.listening import Listener, bound, serving
from emulator.settings import Endpoints, Settings
from emulator.world import World


def create_world(settings: Settings) -> World:
    """A fresh world with the settings' account and key."""
    key = AccessKey(settings.access_key_id, settings.access_key_secret, settings.account_id)
    world = World.create(account_id=settings.account_id, region=settings.region, key=key, seed=settings.seed)
    world.journal.reads = settings.journal_reads
    world.options["block_public_access_by_default"] = settings.block_public_access_by_default
    world.push_to_private_addresses = settings.push_to_private_addresses
    return world


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Endpoints]:
    """The emulator on its four ports, in the running event loop.

    Raises:
        OSError: a port is in use or the host is not an address of this machine.
    """
    world = create_world(settings)
    emulation = Emulation.create(world)
    apps: dict[str, ASGIApp] = {
        "mns": ServiceApp(emulation.mns, world),
        "oss": ServiceApp(emulation.oss, world),
        "ecs": ServiceApp(emulation.ecs, world),
        "control": control_app(emulation),
    }
    async with _on_ports(settings, world, apps) as endpoints:
        yield endpoints


@asynccontextmanager
async def started_services(settings: Settings, world: World, services: list[Service]) -> AsyncIterator[Endpoints]:
    """Only the given services, without control: for testing one of them by itself."""
    apps: dict[str, ASGIApp] = {service.name: ServiceApp(service, world) for service in services}
    async with _on_ports(settings, world, apps) as endpoints:
        yield endpoints


@asynccontextmanager
async def _on_ports(settings: Settings, world: World, apps: dict[str, ASGIApp]) -> AsyncIterator[Endpoints]:
    ports = {
        "mns": settings.mns_port,
        "oss": settings.oss_port,
        "ecs": settings.ecs_port,
        "control": settings.control_port,
    }
    listeners = {
        name: Listener(app, bound(settings.host, ports[name]), settings.tls if name != "control" else None)
        for name, app in apps.items()
    }
    urls = {name: listener.url for name, listener in listeners.items()}
    world.mns_url = urls.get("mns", "")
    world.oss_url = urls.get("oss", "")
    world.ecs_url = urls.get("ecs", "")
    world.control_url = urls.get("control", "")
    async with serving(list(listeners.values())):
        yield Endpoints(
            mns=world.mns_url,
            oss=world.oss_url,
            control=world.control_url,
            account_id=settings.account_id,
            region=settings.region,
            access_key_id=settings.access_key_id,
            access_key_secret=settings.access_key_secret,
            ecs=world.ecs_url,
        )


async def run(settings: Settings, stop: asyncio.Event, ready: Callable[[Endpoints], None]) -> None:
    """Serve until `stop` is set; `ready` is called once, when all four ports accept."""
    async with started(settings) as endpoints:
        ready(endpoints)
        await stop.wait()


@contextmanager
def running(settings: Settings | None = None) -> Iterator[Endpoints]:
    """The emulator in a background thread of this process, for tests and scripts."""
    with in_thread(lambda: started(settings or Settings())) as endpoints:
        yield endpoints


@contextmanager
def running_services(
    settings: Settings, make: Callable[[World], list[Service]], world: World | None = None
) -> Iterator[Endpoints]:
    """Only the services that `make` builds, in a background thread: for testing one of them by itself."""
    used = world or create_world(settings)
    with in_thread(lambda: started_services(settings, used, make(used))) as endpoints:
        yield endpoints
