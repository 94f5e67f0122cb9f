"""HTTP/1.1 on one connection: bytes in, requests out, answers back. Knows no service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol, cast

import httptools

_WANTED = frozenset({b"host", b"x-oss-acl"})
"""The request headers that any service here looks at; the others are not even kept."""

_STATUS_LINES = {
    status: f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n" for status in (200, 201, 204, 400, 404, 501)
}


@dataclass(slots=True)
class Request:
    """One whole request, and where its answer goes."""

    transport: asyncio.Transport
    method: str = ""
    path: str = ""
    query: str = ""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    """Only those of `_WANTED`, by lower-case name."""
    body: bytes = b""

    @property
    def left(self) -> bool:
        """Whether its client is gone."""
        return self.transport.is_closing()

    def answer(self, data: bytes) -> None:
        """Send a whole answer; nothing happens if the client is gone."""
        if not self.transport.is_closing():
            self.transport.write(data)


class Service(Protocol):
    """What answers requests, at once or later."""

    def serve(self, request: Request) -> None: ...


class Connection(asyncio.Protocol):
    """One client's connection; clients here do not pipeline."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client is there."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's inherits from none of asyncio's

    def data_received(self, data: bytes) -> None:
        """Bytes arrived."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            assert self._transport is not None
            self._transport.abort()

    def on_message_begin(self) -> None:
        """The parser's word for a new request."""
        self._target, self._headers, self._body = b"", {}, b""

    def on_url(self, url: bytes) -> None:
        """The parser's word for the request's target, or a part of it."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser's word for one header."""
        name = name.lower()
        if name in _WANTED:
            self._headers[name] = value

    def on_body(self, body: bytes) -> None:
        """The parser's word for a part of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """The parser's word for a whole request."""
        assert self._transport is not None
        path, _, query = self._target.decode("latin-1").partition("?")
        method = self._parser.get_method().decode("latin-1")
        self._service.serve(Request(self._transport, method, path, query, self._headers, self._body))


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def answer(status: int, headers: str, body: bytes, now_seconds: float) -> bytes:
    """A whole answer; `headers` are lines that each end with CRLF, `now_seconds` is the time since the epoch."""
    length = "" if status == 204 else f"Content-Length: {len(body)}\r\n"
    head = f"{_STATUS_LINES[status]}{headers}Date: {_date(int(now_seconds))}\r\n{length}Connection: keep-alive\r\n\r\n"
    return head.encode("latin-1") + body


def listening(service: Service) -> Callable[[], Connection]:
    """What makes the connections of one service."""
    return lambda: Connection(service)
