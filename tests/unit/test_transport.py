"""The transport's bounds, over real sockets: a deadline for the whole exchange, a largest reply, no tricks inside.

Only kinds of errors are judged, never how long anything took: deadlines here are short, the servers endless.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, IncompleteRead

import pytest

from consumer.aliyun.http import DeadlineExceeded, Exchange, Reply, ReplyTooLarge, failure_code
from consumer.aliyun.reply import UnexpectedReply
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock

Answering = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nX-Mns-Request-Id: ID\r\nContent-Length: %d\r\n\r\n%s"


class Server:
    """Answers every connection as the test says, in threads that end with it."""

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self.over = threading.Event()
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.answering(connection)

    def close(self) -> None:
        """End every thread."""
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


@pytest.fixture
def serve() -> Iterator[Callable[[Answering], Server]]:
    """Starts servers and ends them after the test."""
    servers: list[Server] = []

    def start(answering: Answering) -> Server:
        servers.append(Server(answering))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@contextlib.contextmanager
def exchange(server: Server) -> Iterator[tuple[HTTPConnection, Exchange]]:
    """A bounded connection to a server."""
    connection = HTTPConnection("127.0.0.1", server.port)
    try:
        yield connection, Exchange(connection, 5.0)
    finally:
        connection.close()


def ask(connection: HTTPConnection, bounded: Exchange, seconds: float = 30.0, **limits: int) -> bytes:
    """One exchange."""
    bounded.begin(seconds, **limits)
    connection.request("GET", "/")
    response = connection.getresponse()
    try:
        return response.read()
    finally:
        response.close()


def plainly(payload: bytes, count: int = 1) -> Answering:
    """Answers so many requests with the same payload."""

    def answer(connection: socket.socket) -> None:
        for _ in range(count):
            if not connection.recv(65_536):
                return
            connection.sendall(payload)

    return answer


def dripping(head: bytes, drop: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """Sends a head and then a drop now and then: far beyond any deadline here, but not for ever."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(head)
        for _ in range(500):
            if over.wait(0.02):
                return
            connection.sendall(drop)

    return answer


def test_an_answer_comes_whole_and_is_kept_for_its_owner(serve: Callable[[Answering], Server]) -> None:
    """Status, lower-case headers and body of the last answer stay readable; the next exchange begins empty."""
    with exchange(serve(plainly(OK % (5, b"hello"), 2))) as (connection, bounded):
        for _ in range(2):
            assert ask(connection, bounded) == b"hello"
            reply = bounded.reply
            assert (reply.status, reply.headers["x-mns-request-id"], reply.body) == (200, "ID", b"hello")
            assert reply.complete
        bounded.begin(1.0)
        assert bounded.reply == Reply()


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status", "headers", "one header", "body", "chunks", "until close", "continue"],
)
def test_a_server_that_drips_is_noticed(serve: Callable[[Answering], Server], head: bytes, drop: bytes) -> None:
    """Every single read succeeds, but the exchange as a whole has its deadline."""
    over = threading.Event()
    server = serve(lambda connection: dripping(head, drop)(connection, over))
    try:
        with exchange(server) as (connection, bounded), pytest.raises(TimeoutError) as raised:
            ask(connection, bounded, 0.5)
        assert failure_code(raised.value) == "timeout"
        assert not bounded.reply.complete
    finally:
        over.set()


def test_a_server_that_says_nothing_is_noticed(serve: Callable[[Answering], Server]) -> None:
    """A half-open connection ends with the deadline."""
    over = threading.Event()
    with exchange(serve(lambda _connection: over.wait(PATIENCE_SECONDS) and None)) as (connection, bounded):
        with pytest.raises(TimeoutError) as raised:
            ask(connection, bounded, 0.2)
        over.set()
    assert failure_code(raised.value) == "timeout"


def test_an_exchange_whose_time_is_over_reads_nothing_more() -> None:
    """The deadline counts from the begin, by the clock that was passed in."""
    clock = Clock()
    bounded = Exchange(HTTPConnection("127.0.0.1", 9), 5.0, monotonic=clock)
    bounded.begin(10.0)
    clock.advance(9.0)
    assert bounded.remaining_seconds() == 1.0
    clock.advance(1.0)
    with pytest.raises(DeadlineExceeded):
        bounded.remaining_seconds()


@pytest.mark.parametrize("framing", [b"Content-Length: 5000\r\n", b"", b"Transfer-Encoding: chunked\r\n"])
def test_a_reply_that_is_too_large_is_refused(serve: Callable[[Answering], Server], framing: bytes) -> None:
    """However it is framed, nothing beyond the limit is read."""
    body = b"1388\r\n" + b"x" * 5_000 + b"\r\n0\r\n\r\n" if framing.startswith(b"Transfer") else b"x" * 5_000
    server = serve(plainly(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n" + body))
    with exchange(server) as (connection, bounded), pytest.raises(ReplyTooLarge) as raised:
        ask(connection, bounded, largest_bytes=1_000)
    assert failure_code(raised.value) == "unexpected_reply"


def test_the_size_is_counted_anew_for_each_exchange(serve: Callable[[Answering], Server]) -> None:
    """Many small replies on one connection are no large one."""
    with exchange(serve(plainly(OK % (500, b"x" * 500), 5))) as (connection, bounded):
        for _ in range(5):
            assert len(ask(connection, bounded, largest_bytes=1_000)) == 500


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declaration", ['<!DOCTYPE a [<!ENTITY b "c">]>', '<!ENTITY b "c">'])
def test_a_reply_that_declares_a_document_type_is_refused(
    serve: Callable[[Answering], Server], declaration: str, encoding: str
) -> None:
    """The SDK's parser would expand its entities, so it never gets to see it, in whatever encoding."""
    body = f'<?xml version="1.0"?>{declaration}<a/>'.encode(encoding)
    with exchange(serve(plainly(OK % (len(body), body)))) as (connection, bounded):
        with pytest.raises(UnexpectedReply):
            ask(connection, bounded)
        assert bounded.reply.body == b""


def test_a_connection_that_ends_without_an_answer_is_a_reset(serve: Callable[[Answering], Server]) -> None:
    """Not BadStatusLine, at which the SDK would silently send the request again."""
    server = serve(plainly(b""))
    with exchange(server) as (connection, bounded), pytest.raises(ConnectionResetError) as raised:
        ask(connection, bounded)
    assert type(raised.value) is ConnectionResetError
    assert failure_code(raised.value) == "reset"
    assert server.accepted == 1


def test_what_is_not_http_is_refused(serve: Callable[[Answering], Server]) -> None:
    """And no request is sent again for it."""
    server = serve(plainly(b"nonsense\r\n\r\n"))
    with exchange(server) as (connection, bounded), pytest.raises(UnexpectedReply):
        ask(connection, bounded)
    assert server.accepted == 1


def test_an_answer_that_is_cut_is_not_complete(serve: Callable[[Answering], Server]) -> None:
    """Half of the announced body is no answer."""
    with exchange(serve(plainly(OK % (50, b"half")))) as (connection, bounded):
        with pytest.raises(IncompleteRead) as raised:
            ask(connection, bounded)
        assert failure_code(raised.value) == "reset"
        assert not bounded.reply.complete


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError(), "timeout"),
        (DeadlineExceeded(), "timeout"),
        (ReplyTooLarge(), "unexpected_reply"),
        (ConnectionRefusedError(), "refused"),
        (ConnectionResetError(), "reset"),
        (BrokenPipeError(), "reset"),
        (ssl.SSLError(), "tls"),
        (ssl.SSLCertVerificationError(), "tls"),
        (socket.gaierror(), "name_not_found"),
        (OSError(), "network"),
        (None, "network"),
    ],
)
def test_every_failure_has_one_word(error: BaseException | None, code: str) -> None:
    """Metrics and logs name why no answer came."""
    assert failure_code(error) == code
