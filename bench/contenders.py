"""Who is measured: how each is started, where its work comes from, and what this machine lacks for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from bench.peers import product
from bench.settings import THREE_CALLS, Settings

_INSTALL_PACKAGES = "pip install -r requirements/bench.txt"
_INSTALL_REDIS = "apt-get install redis-server"


class Feed(StrEnum):
    """Where the work comes from, and with it what counts as settled."""

    MNS = "MNS"
    """The canned queue: a message is settled when it is deleted."""
    REDIS = "Redis"
    """A bucket is settled when its change has been read back: the acknowledgement after it is not waited for."""


class Transport(StrEnum):
    """How MNS and OSS are reached."""

    HTTP = "HTTP"
    """One host for all buckets, so that connections are reused."""
    TLS = "TLS"
    """A host of its own for every bucket, certificates verified; MNS over TLS as well."""
    TLS_WITHOUT_TICKETS = "TLS, no tickets"
    """The same with a server that gives no session to resume."""


Command = Callable[[Settings, Path, Path], list[str]]
"""From the settings, their file, and a folder for its files: the module to run and its arguments."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One program under measurement."""

    name: str
    command: Command
    feed: Feed = Feed.MNS
    calls: tuple[str, ...] = THREE_CALLS
    app: str = ""
    """Of a Redis peer: the module of `bench.peers` that enqueues for it."""
    workers: int = 16
    shipped: bool = False
    """Of the worker: see `Settings.shipped`."""
    journal: bool = False
    slots: int = 0
    replicas: int = 1
    transport: Transport | None = None
    """Instead of its row's: what that costs is measured beside it, in the same rounds."""

    @property
    def missing(self) -> str:
        """What to type so that it can be measured here; empty when it can be."""
        if self.feed is Feed.MNS:
            return ""
        if find_spec(self.app.removesuffix("_app")) is None:
            return _INSTALL_PACKAGES
        return "" if shutil.which("redis-server") else _INSTALL_REDIS


def _peer(module: str) -> Command:
    return lambda _settings, file, _folder: [f"bench.peers.{module}", str(file)]


def _worker(settings: Settings, _file: Path, folder: Path) -> list[str]:
    journal = str(folder / "journal.jsonl") if settings.journal else ""
    configuration = folder / "config.toml"
    configuration.write_text(product.configuration(settings, journal), encoding="utf-8")
    return ["consumer", "run", "--config", str(configuration)]


def _dramatiq(settings: Settings, _file: Path, _folder: Path) -> list[str]:
    return ["dramatiq", "bench.peers.dramatiq_app", "--processes", "1", "--threads", str(settings.workers)]


def _celery(pool: str) -> Command:
    def command(settings: Settings, _file: Path, _folder: Path) -> list[str]:
        worker = ["celery", "-A", "bench.peers.celery_app", "worker", "--loglevel", "WARNING"]
        return [*worker, "--pool", pool, "--concurrency", str(settings.workers)]

    return command


def worker(
    workers: int | None = 16,
    *,
    journal: bool = False,
    slots: int = 0,
    replicas: int = 1,
    transport: Transport | None = None,
    name: str = "",
) -> Contender:
    """The real worker with three calls; None for its own defaults, with which it looks for other paths too."""
    label = f"product, {workers} workers" if workers else "product as shipped"
    if replicas > 1:
        label += f" x {replicas}"
    if journal:
        label += ", with journal"
    if transport is not None:
        label += f", {transport}"
    return Contender(
        name or label,
        _worker,
        workers=workers or 0,
        shipped=workers is None,
        journal=journal,
        slots=slots,
        replicas=replicas,
        transport=transport,
    )


DOCUMENTED = Contender("documented loop, put only", _peer("documented"), calls=("PutBucketAcl",), workers=1)
DOCUMENTED_VERIFIED = Contender("documented loop, get/put/get", _peer("documented"), workers=1)
STOCK = Contender("stock SDKs, 16 threads", _peer("stock"))
FLOOR = Contender("floor: urllib3, 16 threads", _peer("floor"))
DRAMATIQ = Contender("dramatiq, 16 threads", _dramatiq, Feed.REDIS, app="dramatiq_app")
CELERY_THREADS = Contender("celery, 16 threads", _celery("threads"), Feed.REDIS, app="celery_app")
CELERY_PREFORK = Contender("celery, 16 processes", _celery("prefork"), Feed.REDIS, app="celery_app")
CALLS = Contender("the worker's calls alone, one thread", _peer("calls"), workers=1)
"""Its calls are those that the worker is seen to make: see `bench.windows.observed_calls`."""
