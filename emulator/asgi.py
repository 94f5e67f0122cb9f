"""Puts an emulated service on an ASGI server: request in, faults around it, answer out.

It owns the order of things (delay, refuse, carry out, spoil the answer) and knows no service by name. Which
fault strikes is `emulator.faults`; what happens to the bytes is `emulator.connection`.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.types import Receive, Scope, Send

from emulator import answer
from emulator.connection import CONNECTION, Connection
from emulator.earlier_answers import EarlierAnswers
from emulator.faults import AFTERWARDS, BEFORE, INSTEAD, Fault, Kind
from emulator.http import Request, Response, Service, joined_headers
from emulator.world import World

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Larger requests are refused: everything stays in memory."""

_WEB_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><p>Welcome!</body></html>\n"

_log = logging.getLogger("emulator")


class ServiceApp:
    """One emulated service as an ASGI application; it has to be served through `ConnectionProtocol`."""

    def __init__(self, service: Service, world: World) -> None:
        self._service = service
        self._world = world
        self._earlier = EarlierAnswers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the ASGI signature
        """Serve one request; end quietly when its client leaves."""
        connection: Connection = scope["extensions"][CONNECTION]
        try:
            request, complete = await _read(scope, receive)
            if complete:
                if not await _body_ignored(request, receive):
                    connection.keep_alive = False
                await self._serve(request, connection)
            elif not connection.lost:
                connection.keep_alive = False
                await self._answer(request, self._too_large(request), connection)
        except asyncio.CancelledError:
            if not connection.lost:
                raise

    async def _serve(self, request: Request, connection: Connection) -> None:
        operation = self._service.operation(request)
        if delay := self._strike(request, operation, BEFORE):
            await self._world.clock.sleep(delay.seconds)
        if instead := self._strike(request, operation, INSTEAD):
            await self._refuse(instead, request, connection)
            return
        with connection.cancelling_when_lost():
            response = await self._carry_out(request)
        if stale := self._world.faults.on(self._service.name, Kind.STALE):
            self._earlier.keep(request, response, self._world.clock.now(), stale)
        if spoiling := self._strike(request, operation, AFTERWARDS):
            await self._spoil(spoiling, request, response, connection)
            return
        await self._answer(request, response, connection)

    def _strike(self, request: Request, operation: str, kinds: frozenset[Kind]) -> Fault | None:
        return self._world.faults.strike(self._service.name, operation, f"{request.host}{request.path}", kinds)

    async def _carry_out(self, request: Request) -> Response:
        try:
            return await self._service.handle(request)
        except Exception:  # noqa: BLE001 - a defect of the emulator has to reach the client as the service's 500
            _log.exception("%s failed on %s %s", self._service.name, request.method, request.target)
            return self._service.error(request, 500, "InternalError", "The emulator failed; see its log.")

    async def _refuse(self, fault: Fault, request: Request, connection: Connection) -> None:
        if fault.kind is Kind.RESET_BEFORE:
            connection.reset()
        elif fault.kind is Kind.REDIRECT:
            await self._answer(request, Response(302, [("Location", fault.location)]), connection)
        elif fault.kind is Kind.WEB_PAGE:
            await self._answer(request, _web_page(200), connection)
        else:
            await self._answer(request, self._refusal(fault, request), connection)

    def _refusal(self, fault: Fault, request: Request) -> Response:
        return self._service.error(request, fault.status, fault.code, fault.message)

    async def _spoil(self, fault: Fault, request: Request, response: Response, connection: Connection) -> None:
        match fault.kind:
            case Kind.RESET_AFTER:
                connection.reset()
            case Kind.LOST_REPLY:
                connection.close()
            case Kind.STALL:
                with connection.cancelling_when_lost():
                    await self._world.clock.sleep(fault.seconds)
                connection.close()
            case Kind.DRIP:
                await self._drip(self._encoded(request, response, connection), fault.seconds, connection)
            case Kind.TRUNCATED:
                await connection.write(self._half(request, response, connection))
                connection.close()
            case Kind.ERROR_AFTER:
                await self._answer(request, self._refusal(fault, request), connection)
            case Kind.NOT_XML:
                await self._answer(request, _web_page(response.status), connection)
            case Kind.DAMAGED_XML:
                response.body = response.body[: len(response.body) // 2]
                await self._answer(request, response, connection)
            case Kind.STALE:
                earlier = self._earlier.earliest(request, self._world.clock.now() - fault.seconds)
                await self._answer(request, earlier or response, connection)
            case _:  # the other kinds are in other groups
                raise AssertionError(fault.kind)

    async def _drip(self, data: bytes, seconds: float, connection: Connection) -> None:
        with connection.cancelling_when_lost():
            for position in range(len(data)):
                await connection.write(data[position : position + 1])
                await self._world.clock.sleep(seconds)
        connection.close()

    def _half(self, request: Request, response: Response, connection: Connection) -> bytes:
        whole = self._encoded(request, response, connection)
        body_bytes = len(answer.body(response, request.method))
        return whole[: len(whole) - body_bytes + body_bytes // 2] if body_bytes else whole[: len(whole) // 2]

    async def _answer(self, request: Request, response: Response, connection: Connection) -> None:
        await connection.answer(self._encoded(request, response, connection))

    def _encoded(self, request: Request, response: Response, connection: Connection) -> bytes:
        if answer.wants_close(response):
            connection.keep_alive = False
        now = self._world.clock.now()
        return answer.head(response, now=now, keep_alive=connection.keep_alive) + answer.body(response, request.method)

    def _too_large(self, request: Request) -> Response:
        return self._service.error(request, 400, "EntityTooLarge", "The request body is too large.")


def _web_page(status: int) -> Response:
    """What a proxy or a captive portal answers; 204 becomes 200 because it may not carry a page."""
    return Response(200 if status == 204 else status, [("Content-Type", "text/html")], _WEB_PAGE)


async def _read(scope: Scope, receive: Receive) -> tuple[Request, bool]:
    """The request, and whether its body came whole: false when the client left or sent too much."""
    request = Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=joined_headers(scope["headers"]),
        scheme=scope["scheme"],
    )
    if request.method in ("GET", "HEAD"):
        return request, True
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return request, False
        parts.append(message["body"])
        size_bytes += len(message["body"])
        if size_bytes > MAX_BODY_BYTES:
            return request, False
        if not message["more_body"]:
            request.body = b"".join(parts)
            return request, True


async def _body_ignored(request: Request, receive: Receive) -> bool:
    """Whether nothing of the request is still to come; false makes its connection unfit for another one.

    Both services ignore a body of GET and HEAD, and some clients announce one here and send none: waiting for it
    would hang them, and what came next on the connection would be taken for it.
    """
    if request.method not in ("GET", "HEAD"):
        return True
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return True
    try:
        async with asyncio.timeout(0):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        return False
    return True
