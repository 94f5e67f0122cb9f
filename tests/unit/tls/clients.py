"""Clients of a TLS server that share sessions, and what it has seen of them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from consumer.aliyun.http import Exchange
from consumer.aliyun.oss.bucket_connection import BucketConnection
from consumer.aliyun.oss.session import request_bytes
from consumer.aliyun.oss.tls_sessions import (
    TlsSessions,
)
from tests.certificates import Authority
from tests.patience import PATIENCE_SECONDS
from tests.tls_server import Seen, TlsServer

NAMES = ("oss.test", "*.oss.test")
Serve = Callable[..., TlsServer]


class Client:
    """Connections of their own for each host, and the sessions that they share."""

    def __init__(self, port: int, sessions: TlsSessions, *, monotonic: Callable[[], float] | None = None) -> None:
        self.sessions = sessions
        self._port = port
        self._more: dict[str, Any] = {} if monotonic is None else {"monotonic": monotonic}

    @property
    def endpoint(self) -> str:
        """Whose sessions these are."""
        return f"oss.test:{self._port}"

    @contextmanager
    def connected(self, host: str) -> Iterator[BucketConnection]:
        """A connection of its own, on which one request was answered; its session is not kept yet."""
        http = BucketConnection(host, self._port, self.sessions, **self._more)
        try:
            request = request_bytes("GET", "/?acl", {"Host": host}, None)
            assert Exchange(http, PATIENCE_SECONDS).request("GET", request, PATIENCE_SECONDS).status == 200
            yield http
        finally:
            http.close()

    def ask(self, host: str) -> None:
        """One request over a connection of its own, whose session is kept."""
        with self.connected(host) as http:
            http.answered()

    def kept(self) -> int:
        """How many sessions of the endpoint are there; they are not, after that."""
        return sum(1 for _ in iter(lambda: self.sessions.take(self.endpoint), None))


def client(server: TlsServer, authority: Authority, **clocks: Callable[[], float]) -> Client:
    return Client(server.port, TlsSessions(authority.trusted(), **clocks))


def summary(seen: list[Seen]) -> list[tuple[str, bool, bool]]:
    """Of each connection: its name, whether a session was offered, and whether it was resumed."""
    return [(each.name, each.offered, each.resumed) for each in seen]


def without_tickets(context: ssl.SSLContext) -> None:
    context.num_tickets = 0


def at_most_tls_1_2(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
