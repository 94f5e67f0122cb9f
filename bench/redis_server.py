"""Redis for the peers that need one: started on loopback, nothing persisted, on the server's core.

A backlog is enqueued once per peer into a database of its own and copied from there for each run: enqueueing ten
thousand tasks through a library takes longer than measuring them.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from bench.machine import Core, pin
from emulator.interruption import held

_PATIENCE_SECONDS = 10.0
_DATABASES = 64


class Redis:
    """One running Redis."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = count(1)
        self._backlogs: dict[str, int] = {}

    def new_database(self) -> int:
        """The number of a database that nobody has used yet."""
        return next(self._numbers)

    def url(self, database: int) -> str:
        """How a peer is told of a database."""
        return f"redis://127.0.0.1:{self._port}/{database}"

    def backlog(self, app: str) -> int | None:
        """The database that holds a peer's backlog, if it was made."""
        return self._backlogs.get(app)

    def keep_backlog(self, app: str, database: int) -> None:
        """Remember where a peer's backlog is."""
        self._backlogs[app] = database

    def copy(self, source: int, target: int) -> None:
        """Make one database hold what another holds."""
        self._client(target).flushdb()
        origin = self._client(source)
        for key in origin.scan_iter():
            origin.copy(key, key, destination_db=target)

    def held(self, database: int) -> int:
        """How many tasks a peer's database still holds, whether waiting or handed out."""
        client = self._client(database)
        # Dramatiq keeps every task in one hash until it is acknowledged; celery in a list, and in a hash from then on.
        return int(client.hlen("dramatiq:default.msgs") + client.llen("celery") + client.hlen("unacked"))

    def ready(self) -> bool:
        """Whether it answers."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def _client(self, database: int) -> Any:
        import redis  # only there where the peers are

        return redis.Redis(port=self._port, db=database)


@contextmanager
def running(core: Core | None, folder: Path) -> Iterator[Redis | None]:
    """Redis for the block's time, or None where it is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with ExitStack() as stack:
        with held():
            process = subprocess.Popen(  # noqa: S603 - found on the path
                [program, *options, "--databases", str(_DATABASES)], stdout=subprocess.DEVNULL, process_group=0
            )
            stack.callback(_end, process)
        redis, end = Redis(port), time.monotonic() + _PATIENCE_SECONDS
        while not redis.ready():
            if time.monotonic() > end or process.poll() is not None:
                raise RuntimeError(f"{program} did not start")
            time.sleep(0.02)
        pin(core, process.pid)
        yield redis


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(_PATIENCE_SECONDS)
