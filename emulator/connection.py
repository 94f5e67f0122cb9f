"""One client connection beyond what ASGI can say: exact bytes, a quiet close, a TCP reset, who waits on it.

Faults need all four, and an answer needs its header names in the service's own case, which uvicorn would
lower. This is the only module that reaches into uvicorn's request cycle; it knows no service and no fault.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

CONNECTION = "emulator.connection"
"""The key under which a scope's extensions hold its `Connection`."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """The connection of the one request that is being served on it."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._task: asyncio.Task[object] | None = None
        self.lost = False
        """Whether the client is gone."""

    @property
    def keep_alive(self) -> bool:
        """Whether the connection takes another request after this answer."""
        return self._cycle.keep_alive

    @keep_alive.setter
    def keep_alive(self, value: bool) -> None:
        self._cycle.keep_alive = value

    async def answer(self, data: bytes) -> None:
        """Send one whole answer, then take the next request or close."""
        await self.write(data)
        self._cycle.response_started = True
        self._cycle.chunked_encoding = False
        await self._cycle.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def write(self, data: bytes) -> None:
        """Send bytes as they are, waiting while the client does not read."""
        if self._cycle.flow.write_paused and not self.lost:
            await self._cycle.flow.drain()
        if not self.lost:
            self._cycle.transport.write(data)

    def close(self) -> None:
        """Close quietly (FIN) after what has been written."""
        self._abandon()
        self._cycle.transport.close()

    def reset(self) -> None:
        """Reset (RST): the client sees its connection break, whatever it was waiting for."""
        self._abandon()
        peer = self._cycle.transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._cycle.transport.abort()

    @contextmanager
    def cancelling_when_lost(self) -> Iterator[None]:
        """Cancel the running task when the client leaves, so that no long poll is held for nobody.

        When the client left before, the cancellation strikes at the first moment the block really waits: what
        can be carried out at once still is, as a server does that learns too late that its client is gone.
        """
        self._task = asyncio.current_task()
        if self.lost and self._task is not None:
            self._task.cancel()
        try:
            yield
        finally:
            self._task = None

    def client_left(self) -> None:
        """Told by the protocol when the transport is gone."""
        self.lost = True
        if self._task is not None:
            self._task.cancel()

    def _abandon(self) -> None:
        # Otherwise uvicorn would answer 500 for an application that ended without an answer.
        self._cycle.response_started = True
        self._cycle.response_complete = True


class ConnectionProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, handing each request its `Connection` through the scope's extensions."""

    _serving: Connection | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Wrap the application for the lifetime of this connection."""
        super().connection_made(transport)
        self.app = partial(self._serve, cast("ASGIApp", self.app))

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever still works for this client."""
        super().connection_lost(exc)
        if self._serving is not None:
            self._serving.client_left()

    async def _serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        # uvicorn passes bound methods of the cycle; with pipelining `self.cycle` may already be a later one.
        cycle = cast("RequestResponseCycle", send.__self__)  # type: ignore[attr-defined]
        connection = Connection(cycle)
        self._serving = connection
        scope["extensions"] = {CONNECTION: connection}
        await app(scope, receive, send)
