"""A kept connection serves the next request only while it is silent: what came unasked is never an answer."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from consumer.aliyun.http import Exchange
from tests.certificates import Authority
from tests.patience import PATIENCE_SECONDS

OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"

Accept = Callable[[], socket.socket]
"""Waits for the client's next connection and returns the server's end of it."""


@pytest.fixture(params=["plain", "tls"])
def certificate(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where the server's certificate and key are, or None for a connection without TLS."""
    if request.param == "plain":
        return None
    return Authority(tmp_path).issue("127.0.0.1")


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _trusting() -> ssl.SSLContext:
    """Of a client that takes any certificate: what it says is not the matter here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


Ask = Callable[[HTTPConnection, Exchange], bytes]
"""One exchange; returns the body of its reply."""


def _by_http_client(connection: HTTPConnection, bounded: Exchange) -> bytes:
    bounded.begin(PATIENCE_SECONDS)
    connection.request("GET", "/")
    return connection.getresponse().read()


def _by_ourselves(_connection: HTTPConnection, bounded: Exchange) -> bytes:
    return bounded.request("GET", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", PATIENCE_SECONDS).body


@pytest.fixture(params=[_by_http_client, _by_ourselves])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Both ways in which requests are sent here."""
    chosen: Ask = request.param
    return chosen


@contextmanager
def kept_connection(certificate: Path | None) -> Iterator[tuple[HTTPConnection, Exchange, Accept]]:
    """A bounded connection, and what accepts its next one on the server's side, step by step on threads of the test."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with ExitStack() as opened:
        opened.enter_context(listener).settimeout(PATIENCE_SECONDS)

        def accept() -> socket.socket:
            plain, _ = listener.accept()
            return opened.enter_context(
                _tls(certificate).wrap_socket(plain, server_side=True) if certificate else plain
            )

        http = (
            HTTPSConnection("127.0.0.1", port, context=_trusting())
            if certificate
            else HTTPConnection("127.0.0.1", port)
        )
        opened.callback(http.close)
        yield http, Exchange(http, 5.0), accept


def readable(connection: HTTPConnection) -> None:
    """Wait until something has arrived."""
    assert select.select([connection.sock], [], [], 30)[0]


@pytest.mark.parametrize(
    "late", [OK % (4, b"late"), b"\r\n", b"x", None], ids=["a reply", "a line", "a byte", "the end"]
)
def test_what_comes_late_is_never_taken_for_the_next_reply(
    late: bytes | None, certificate: Path | None, ask: Ask
) -> None:
    """A connection that spoke, or ended, between two requests is not used again; the next one goes over a new one."""
    with kept_connection(certificate) as (connection, bounded, accept), ThreadPoolExecutor() as threads:
        first = threads.submit(ask, connection, bounded)
        server = accept()
        server.recv(65_536)
        server.sendall(OK % (5, b"first"))
        assert first.result(30) == b"first"
        server.close() if late is None else server.sendall(late)
        readable(connection)
        second = threads.submit(ask, connection, bounded)
        server = accept()
        server.recv(65_536)
        server.sendall(OK % (6, b"second"))
        assert second.result(30) == b"second"


def test_a_silent_connection_is_used_again(certificate: Path | None, ask: Ask) -> None:
    """Over TLS too, where the session tickets of a new connection are bytes of their own."""
    with kept_connection(certificate) as (connection, bounded, accept), ThreadPoolExecutor() as threads:
        asked = threads.submit(ask, connection, bounded)
        server = accept()
        for body in (b"first", b"again", b"third"):
            server.recv(65_536)
            server.sendall(OK % (5, body))
            assert asked.result(30) == body
            asked = threads.submit(ask, connection, bounded)
        server.recv(65_536)
        server.sendall(OK % (4, b"last"))
        assert asked.result(30) == b"last"
