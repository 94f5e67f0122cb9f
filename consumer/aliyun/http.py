"""Bounds on one HTTP exchange that the SDKs do not set: a total deadline, a largest reply, no redirects.

The SDKs' timeouts are per read, so a server that sends one byte now and then holds a thread for ever, and over HTTPS
the MNS SDK sets none at all. `http.client` lets a connection choose its response class; `BoundedResponse` goes there,
and every read of a reply then has to fit into what is left of the deadline. Connecting is bounded in the same way,
names included, by `consumer.aliyun.name_lookup`. Nothing of an SDK is patched. How a reply is read is in
`consumer.aliyun.reply`.
"""

from __future__ import annotations

import functools
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection, IncompleteRead

from consumer.aliyun import name_lookup
from consumer.aliyun.reply import Headers, ReplyReader, UnexpectedReply
from consumer.aliyun.wire import Wire, is_silent

LARGEST_BATCH_BYTES = 8 << 20
"""Sixteen messages of 64 KiB, escaped to six times their size as XML entities at the very worst, and headers."""

LARGEST_DOCUMENT_BYTES = 1 << 20
"""Every other reply: the longest of them lists a bucket's referers."""

_MOST_TAGS = 20_000
"""In one document: a batch of sixteen messages has some 400, the longest list of a bucket's settings a few thousand.
Each is a hundred times as large once it is parsed, and a text holds no `<` of its own."""

_READ_BYTES = 64 << 10

_DECLARATIONS = tuple(
    text.encode(encoding) for text in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
"""What opens the way to entities, in every encoding that an XML parser finds out by itself."""


class DeadlineExceeded(TimeoutError):
    """The exchange as a whole took longer than it may."""


class ReplyTooLarge(UnexpectedReply):
    """The reply is larger than any the service gives."""


@dataclass(slots=True)
class Reply:
    """The last answer on a connection, as it came over the wire."""

    status: int = 0
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    complete: bool = False
    """Whether the body was read to its end."""


class Exchange:
    """What the next exchange on one connection may take, and what the last one brought.

    Owned by the thread that owns the connection; nothing here is shared.
    """

    def __init__(
        self,
        connection: HTTPConnection,
        connect_timeout_seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        connection.response_class = functools.partial(BoundedResponse, exchange=self)  # type: ignore[assignment]
        # `http.client` has no other place for it; tests go through every kind of connection.
        connection._create_connection = self._connect  # type: ignore[attr-defined]  # noqa: SLF001
        if not isinstance(connection, HTTPSConnection):
            # The MNS SDK's plain connection resolves names by itself, without a bound; http.client's asks us.
            connection.connect = functools.partial(HTTPConnection.connect, connection)  # type: ignore[method-assign]
        self._connection = connection
        self._connect_timeout_seconds = connect_timeout_seconds
        self._largest_bytes = 0
        self._monotonic = monotonic
        self._deadline = 0.0
        self._budget_bytes = 0
        self._wire: Wire | None = None
        """The connection's socket, as `request` uses it; None before it has been."""
        self.reply = Reply()

    def begin(self, seconds: float, largest_bytes: int = LARGEST_DOCUMENT_BYTES) -> None:
        """Start the clock of a new exchange, which may take so many seconds from the connect to the last byte.

        A kept connection that is not silent is closed: nothing that comes on it could be believed any more.
        """
        connect_seconds = self._start(seconds, largest_bytes)
        kept = self._connection.sock
        if kept is not None and not is_silent(kept):
            self._connection.close()  # the next request makes a new one
        elif kept is not None:
            kept.settimeout(connect_seconds)

    def request(self, method: str, data: bytes, seconds: float) -> Reply:
        """Send a whole request and read its reply, within so many seconds and past `http.client`'s own bookkeeping.

        A connection of its own: none on which somebody sends and receives in another way.

        Raises:
            OSError: it could not be sent, or not in time.
            As `BoundedResponse.begin`.
        """
        self._start(seconds, LARGEST_DOCUMENT_BYTES)
        connection, wire = self._connection, self._wire
        kept = wire is not None and connection.sock is wire.socket and wire.silent()
        if wire is None or not kept:
            connection.close()
            connection.connect()
            wire = self._wire = Wire(connection.sock)
        wire.send(data, self.remaining_seconds)
        if not self.read(method, functools.partial(wire.receive, self.remaining_seconds)).reusable:
            connection.close()
        return self.reply

    def read(self, method: str | None, receive: Callable[[], bytes]) -> ReplyReader:
        """Read a reply and keep it; `receive` brings its next bytes.

        Raises:
            As `BoundedResponse.begin`.
        """
        reader = ReplyReader(method)
        try:
            reader.read(lambda: self._counted(receive()))
        finally:
            reply = self.reply = Reply(reader.status, reader.headers)
        reply.complete = True
        if _declares(reader.body):
            raise UnexpectedReply("the reply declares a document type")
        if reader.body.count(b"<") > _MOST_TAGS:
            raise UnexpectedReply("the reply has more elements than any that the service gives")
        reply.body = reader.body
        return reader

    def remaining_seconds(self) -> float:
        """What is left of the deadline.

        Raises:
            DeadlineExceeded: nothing is.
        """
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise DeadlineExceeded("the request as a whole took too long")
        return left

    def _start(self, seconds: float, largest_bytes: int) -> float:
        """Start the clock; returns how long connecting may take."""
        self._deadline = self._monotonic() + seconds
        self._budget_bytes = self._largest_bytes = largest_bytes
        self.reply = Reply()
        connect_seconds = min(self._connect_timeout_seconds, seconds)
        self._connection.timeout = connect_seconds
        # The MNS SDK's plain connection keeps a timeout of its own under another name.
        self._connection.connection_timeout = connect_seconds  # type: ignore[attr-defined]
        return connect_seconds

    def _counted(self, received: bytes) -> bytes:
        self._budget_bytes -= len(received)
        if self._budget_bytes < 0:
            raise ReplyTooLarge(f"the reply is larger than {self._largest_bytes} bytes")
        return received

    def _connect(self, address: tuple[str, int], timeout: float, _source: object = None) -> socket.socket:
        """What `http.client` calls to connect: the name and every address together within the timeout."""
        return name_lookup.connect(*address, timeout)


class BoundedResponse:
    """What `http.client` and the SDKs ask of a response, read whole within its exchange's deadline and size."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,  # noqa: ARG002 - passed by http.client
        method: str | None = None,
        url: str | None = None,  # noqa: ARG002 - passed by http.client
        *,
        exchange: Exchange,
    ) -> None:
        self._sock = sock
        self._exchange = exchange
        self._method = method
        self._body = b""
        self.status = 0
        self.headers = Headers()
        self.will_close = True
        """Whether the connection serves no further request; read by `http.client`."""

    def begin(self) -> None:
        """Read the reply and keep it as the exchange's.

        A connection that ended before any status is reported as a reset: the SDK would answer `BadStatusLine` by
        sending the request again by itself, a second send or receive that nobody counts. A reply that declares a
        document type, which neither service does, wants the SDK's parser to expand entities.

        Raises:
            ConnectionError: no reply came.
            IncompleteRead: it ended too early.
            TimeoutError: it took too long.
            UnexpectedReply: the service would not send such a thing.
        """
        reader = self._exchange.read(self._method, self._receive)
        self.status, self.headers, self.will_close = reader.status, reader.headers, not reader.reusable
        self._body = reader.body

    def getheaders(self) -> list[tuple[str, str]]:
        """Every header with its lower-case name."""
        return list(self.headers.items())

    def read(self) -> bytes:
        """The body."""
        return self._body

    def isclosed(self) -> bool:
        """Always: nothing of the reply is left on the connection, so the next request may be sent."""
        return True

    def close(self) -> None:
        """Nothing is held."""

    def _receive(self) -> bytes:
        self._sock.settimeout(self._exchange.remaining_seconds())
        return self._sock.recv(_READ_BYTES)


def _declares(body: bytes) -> bool:
    if b"<!" not in body and b"<\0!" not in body:
        return False  # nearly always, and a third of the search
    return any(declaration in body for declaration in _DECLARATIONS)


def no_answer(host: str, error: BaseException | None) -> str:
    """Why no answer came and from where, for people."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return f"no answer from {host}: {why}"


def failure_code(error: BaseException | None) -> str:
    """One word for why no answer came, for metrics and logs."""
    match error:
        case TimeoutError():
            return "timeout"
        case UnexpectedReply():
            return "unexpected_reply"
        case ConnectionRefusedError():
            return "refused"
        case ssl.SSLError():
            return "tls"
        case socket.gaierror():
            return "name_not_found"
        case ConnectionError() | IncompleteRead():
            return "reset"
        case _:
            return "network"
