"""Requests that are sent past `http.client`: whole, in time, and read whole, over plain sockets and over TLS.

Only kinds of errors are judged, never how long anything took.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPSConnection, IncompleteRead
from pathlib import Path

import pytest

from consumer.aliyun.http import LARGEST_DOCUMENT_BYTES, DeadlineExceeded, Exchange, ReplyTooLarge
from consumer.aliyun.reply import UnexpectedReply
from tests.certificates import Authority
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock

REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
SHORT_SECONDS = 0.2

Answering = Callable[[socket.socket], None]
Serve = Callable[[Answering], Exchange]


@pytest.fixture(params=["plain", "tls"])
def certificate(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where the server's certificate and key are, or None for a connection without TLS."""
    return None if request.param == "plain" else Authority(tmp_path).issue("127.0.0.1")


@pytest.fixture
def over() -> threading.Event:
    """Set once the test has ended, for servers that wait."""
    return threading.Event()


@pytest.fixture
def serve(certificate: Path | None, over: threading.Event) -> Iterator[Serve]:
    """Starts a server that answers one connection as the test says; returns an exchange with it."""
    with ExitStack() as ended:

        def start(answering: Answering) -> Exchange:
            listener = ended.enter_context(socket.create_server(("127.0.0.1", 0)))
            listener.settimeout(PATIENCE_SECONDS)
            thread = threading.Thread(target=_answer, args=(listener, certificate, answering), daemon=True)
            thread.start()
            ended.callback(thread.join, PATIENCE_SECONDS)
            ended.callback(over.set)
            exchange = _connection(listener.getsockname()[1], certificate)
            ended.callback(exchange.close)
            return Exchange(exchange, PATIENCE_SECONDS)

        yield start


def _answer(listener: socket.socket, certificate: Path | None, answering: Answering) -> None:
    with suppress(OSError):
        accepted, _ = listener.accept()
        with accepted:
            if certificate is None:
                answering(accepted)
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            with context.wrap_socket(accepted, server_side=True) as secured:
                answering(secured)


def _connection(port: int, certificate: Path | None) -> HTTPConnection:
    if certificate is None:
        return HTTPConnection("127.0.0.1", port)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return HTTPSConnection("127.0.0.1", port, context=context)


def test_a_request_larger_than_every_buffer_arrives_whole(serve: Serve) -> None:
    """It is sent in pieces, as the server takes them, and nothing of it twice."""
    body = bytes(range(256)) * (16 << 10)
    received = bytearray()

    def answering(connection: socket.socket) -> None:
        while len(received) < len(body) + len(REQUEST):
            received.extend(connection.recv(9_000))
        connection.sendall(OK % (4, b"done"))

    assert serve(answering).request("GET", REQUEST + body, PATIENCE_SECONDS).body == b"done"
    assert bytes(received) == REQUEST + body


def test_a_server_that_takes_nothing_is_noticed(serve: Serve, over: threading.Event) -> None:
    """Sending ends with the deadline, too."""
    exchange = serve(lambda _connection: over.wait(PATIENCE_SECONDS) and None)
    with pytest.raises(TimeoutError):
        exchange.request("GET", REQUEST + b"x" * (16 << 20), SHORT_SECONDS)
    assert not exchange.reply.complete


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"], ids=["nothing", "a half"])
def test_a_server_that_falls_silent_is_noticed(serve: Serve, over: threading.Event, head: bytes) -> None:
    """However much it had sent."""

    def answering(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(head)
        over.wait(PATIENCE_SECONDS)

    exchange = serve(answering)
    with pytest.raises(TimeoutError):
        exchange.request("GET", REQUEST, SHORT_SECONDS)
    assert not exchange.reply.complete


def test_a_server_that_drips_is_noticed(serve: Serve, over: threading.Event) -> None:
    """Every single read succeeds, but the exchange as a whole has its deadline."""

    def answering(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not over.wait(0.02):
            connection.sendall(b"x")

    with pytest.raises(TimeoutError):
        serve(answering).request("GET", REQUEST, 2 * SHORT_SECONDS)


def test_a_reply_in_many_pieces_is_read_whole(serve: Serve) -> None:
    """Over TLS each piece is a record of its own."""
    reply = OK % (300, bytes(range(100)) * 3)

    def answering(connection: socket.socket) -> None:
        connection.recv(65_536)
        for start in range(0, len(reply), 7):
            connection.sendall(reply[start : start + 7])

    exchange = serve(answering)
    assert exchange.request("GET", REQUEST, PATIENCE_SECONDS).body == bytes(range(100)) * 3
    assert exchange.reply.complete


def test_a_reply_of_many_records_is_read_whole(serve: Serve) -> None:
    """More than is read at once, and more than TLS decrypts at once."""
    body = bytes(range(256)) * 2_000

    def answering(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(OK % (len(body), body))

    assert serve(answering).request("GET", REQUEST, PATIENCE_SECONDS).body == body


def test_a_reply_that_is_too_large_is_refused(serve: Serve, over: threading.Event) -> None:
    """Nothing beyond the limit is read."""

    def answering(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(OK % (2 * LARGEST_DOCUMENT_BYTES, b"x" * 2 * LARGEST_DOCUMENT_BYTES))
        over.wait(PATIENCE_SECONDS)

    with pytest.raises(ReplyTooLarge):
        serve(answering).request("GET", REQUEST, PATIENCE_SECONDS)


def test_a_connection_that_ends_without_an_answer_is_a_reset(serve: Serve) -> None:
    """And one that ends early is cut."""
    with pytest.raises(ConnectionResetError):
        serve(lambda connection: connection.recv(65_536) and None).request("GET", REQUEST, PATIENCE_SECONDS)


def test_an_answer_that_is_cut_is_not_complete(serve: Serve) -> None:
    """Half of the announced body is no answer."""

    def answering(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(OK % (50, b"half"))

    exchange = serve(answering)
    with pytest.raises(IncompleteRead):
        exchange.request("GET", REQUEST, PATIENCE_SECONDS)
    assert not exchange.reply.complete


def test_a_reply_that_declares_a_document_type_is_refused(serve: Serve) -> None:
    """On this way, too."""

    def answering(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(OK % (28, b"<!DOCTYPE a [<!ENTITY b ''>]>"[:28]))

    exchange = serve(answering)
    with pytest.raises(UnexpectedReply):
        exchange.request("GET", REQUEST, PATIENCE_SECONDS)
    assert exchange.reply.body == b""


def test_a_connection_that_serves_no_other_request_is_closed(serve: Serve) -> None:
    """The next request makes a new one, instead of finding this one at its end."""

    def answering(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    exchange = serve(answering)
    assert exchange.request("GET", REQUEST, PATIENCE_SECONDS).status == 200
    assert exchange._connection.sock is None


def test_what_is_left_counts_from_the_beginning_of_the_exchange(serve: Serve, over: threading.Event) -> None:
    """By the clock that was passed in: once it is over nothing more is waited for."""
    clock = Clock()

    def answering(connection: socket.socket) -> None:
        connection.recv(65_536)
        clock.advance(11.0)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        over.wait(PATIENCE_SECONDS)

    exchange = serve(answering)
    exchange._monotonic = clock
    with pytest.raises(DeadlineExceeded):
        exchange.request("GET", REQUEST, 10.0)
