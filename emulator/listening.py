"""Several ASGI applications in one event loop, each on its own port, started and ended together.

It owns sockets and the order of starting and stopping; it does not know what it serves.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from emulator.connection import ConnectionProtocol

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open; SDKs keep theirs for about a minute."""
DRAIN_SECONDS = 0.5
"""How long requests in flight may go on when the servers end; long polls are cut then."""


@dataclass(frozen=True, slots=True)
class Tls:
    """A server certificate with its key, both PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Listener:
    """An application and the socket it is going to be served on."""

    app: ASGIApp
    socket: socket.socket
    tls: Tls | None = None

    @property
    def url(self) -> str:
        """Where a client on this machine reaches it; a wildcard address is named by loopback."""
        host, port = self.socket.getsockname()[:2]
        named = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - compared, not bound
        return f"{'https' if self.tls else 'http'}://{named}:{port}"


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        OSError: the address is in use or not ours.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=1024)


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it is part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(listener: Listener) -> _Server:
    return _Server(
        uvicorn.Config(
            listener.app,
            http=ConnectionProtocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
            ssl_certfile=listener.tls.certificate if listener.tls else None,
            ssl_keyfile=listener.tls.key if listener.tls else None,
        )
    )


@asynccontextmanager
async def serving(listeners: list[Listener]) -> AsyncIterator[None]:
    """Serve all of them inside the block; on the way out requests in flight get `DRAIN_SECONDS`."""
    servers = [_server(listener) for listener in listeners]
    tasks = [
        asyncio.create_task(server.serve(sockets=[listener.socket]))
        for server, listener in zip(servers, listeners, strict=True)
    ]
    try:
        await _all_started(servers, tasks)
        yield
    finally:
        for server in servers:
            server.should_exit = True
        await _drain(servers)
        await asyncio.gather(*tasks)


async def _all_started(servers: list[_Server], tasks: list[asyncio.Task[None]]) -> None:
    while not all(server.started for server in servers):
        for task in tasks:
            if task.done():
                task.result()
        await asyncio.sleep(0.001)


async def _drain(servers: list[_Server]) -> None:
    in_hand = [task for server in servers for task in server.server_state.tasks]
    if in_hand:
        await asyncio.wait(in_hand, timeout=DRAIN_SECONDS)
    for server in servers:
        for connection in list(server.server_state.connections):
            connection.transport.abort()
