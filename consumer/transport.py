"""Bounds on one HTTP exchange that the SDKs do not set: a total deadline, a largest reply, no redirects.

The SDKs' timeouts are per read, so a server that sends one byte now and then holds a thread for ever, and over HTTPS
the MNS SDK sets none at all. `http.client` lets a connection choose its response class; `BoundedResponse` goes there,
and every read of a reply then has to fit into what is left of the deadline. Nothing of an SDK is patched.
"""

from __future__ import annotations

import functools
import io
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import BadStatusLine, HTTPConnection, HTTPResponse, IncompleteRead

MAX_REPLY_BYTES = 8 << 20
"""Sixteen messages of 64 KiB, escaped to six times their size as XML entities at the very worst, and headers."""


_DECLARATIONS = tuple(
    text.encode(encoding) for text in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
"""What opens the way to entities, in every encoding that an XML parser finds out by itself."""


class DeadlineExceeded(TimeoutError):
    """The exchange as a whole took longer than it may."""


class UnexpectedReply(OSError):
    """The reply is nothing that the service would send."""


class ReplyTooLarge(UnexpectedReply):
    """The reply is larger than any the service gives."""


@dataclass(slots=True)
class Reply:
    """The last answer on a connection, as it came over the wire."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    """By lower-case name."""
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
        max_reply_bytes: int = MAX_REPLY_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        connection.response_class = functools.partial(BoundedResponse, exchange=self)  # type: ignore[assignment]
        self._connection = connection
        self._connect_timeout_seconds = connect_timeout_seconds
        self._max_reply_bytes = max_reply_bytes
        self._monotonic = monotonic
        self._deadline = 0.0
        self._budget_bytes = 0
        self.reply = Reply()

    def begin(self, seconds: float) -> None:
        """Start the clock of a new exchange, which may take so many seconds from the connect to the last byte."""
        self._deadline = self._monotonic() + seconds
        self._budget_bytes = self._max_reply_bytes
        self.reply = Reply()
        connect_seconds = min(self._connect_timeout_seconds, seconds)
        self._connection.timeout = connect_seconds
        # The MNS SDK's plain connection keeps a timeout of its own under another name.
        self._connection.connection_timeout = connect_seconds  # type: ignore[attr-defined]
        if self._connection.sock is not None:
            self._connection.sock.settimeout(connect_seconds)

    def remaining_seconds(self) -> float:
        """What is left of the deadline.

        Raises:
            DeadlineExceeded: nothing is.
        """
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise DeadlineExceeded("the request as a whole took too long")
        return left

    def spend(self, count: int) -> None:
        """Count bytes that arrived.

        Raises:
            ReplyTooLarge: they are more than a reply may have.
        """
        self._budget_bytes -= count
        if self._budget_bytes < 0:
            raise ReplyTooLarge(f"the reply is larger than {self._max_reply_bytes} bytes")


class _BoundedReader(io.RawIOBase):
    """A socket's bytes, each read within the deadline and the size of the exchange."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._sock.settimeout(self._exchange.remaining_seconds())
        count = self._raw.readinto(buffer)
        if count:
            self._exchange.spend(count)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class BoundedResponse(HTTPResponse):
    """A response that ends with its exchange's deadline and keeps what it read for its owner."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
        *,
        exchange: Exchange,
    ) -> None:
        super().__init__(sock, debuglevel=debuglevel, method=method, url=url)
        self.fp.close()
        self.fp = io.BufferedReader(_BoundedReader(sock, exchange), 16384)
        self._exchange = exchange

    def begin(self) -> None:
        """Read status and headers.

        A connection that ended before any status is reported as a reset: the SDK would answer `BadStatusLine` by
        sending the request again by itself, a second send or receive that nobody counts.
        """
        try:
            super().begin()
        except BadStatusLine as error:
            raise ConnectionResetError(f"the connection ended without an answer: {error}") from None
        headers = {name.lower(): value for name, value in self.getheaders()}
        self._exchange.reply = Reply(self.status, headers)

    def read(self, amt: int | None = None) -> bytes:
        """Read the body, keeping it as the reply's.

        Neither service declares a document type; one that does wants the SDK's parser to expand entities.
        """
        data = super().read(amt)
        reply = self._exchange.reply
        reply.body += data
        reply.complete = self.isclosed()
        if any(declaration in reply.body for declaration in _DECLARATIONS):
            reply.body = b""
            raise UnexpectedReply("the reply declares a document type")
        return data


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
