"""One HTTP/1.1 reply, read whole from a socket by llhttp, which is strict and written for hostile bytes.

`http.client` builds an e-mail message out of every head, which costs more than all the rest of a request here. What is
ours is what a parser of messages cannot know: that one request has one reply, which framings two services use, and
when a connection may serve another request. Whoever calls it bounds its time and its size.

Message syntax: RFC 9112.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from http.client import IncompleteRead

import httptools

LARGEST_HEAD_BYTES = 16 << 10
"""Status line and headers together, and whatever else brings no body; both services' heads are below one kilobyte."""


class UnexpectedReply(OSError):
    """The reply is nothing that the service would send."""


class Headers(Mapping[str, str]):
    """Headers, found under a name in any case."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str] | None = None) -> None:
        """Headers by lower-case name."""
        self._values = values or {}

    @classmethod
    def of(cls, pairs: list[tuple[bytes, bytes]]) -> Headers:
        """As they came; one that is repeated is a list."""
        text = [(_name(name), value.decode("latin-1").strip(" \t")) for name, value in pairs]
        values = dict(text)
        if len(values) < len(text):
            lists: dict[str, list[str]] = {}
            for name, value in text:
                lists.setdefault(name, []).append(value)
            values = {name: ", ".join(each) for name, each in lists.items()}
        return cls(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@lru_cache(maxsize=128)
def _name(name: bytes) -> str:
    """A header's name in lower case; those of two services come again and again."""
    return name.decode("latin-1").lower()


class ReplyReader:
    """Reads the reply to one request; what has been read is here also when `read` raises."""

    def __init__(self, method: str | None) -> None:
        self.status = 0
        """0 until the final head is there; interim ones (1xx) are passed over."""
        self.headers = Headers()
        self.body = b""
        self.reusable = False
        """Whether the connection may serve another request."""
        self._method = method
        self._pairs: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._interim = False
        self._complete = False
        self._surplus = False
        self._fault = ""
        self._without_body = 0
        self._parser: httptools.HttpResponseParser

    def read(self, receive: Callable[[], bytes]) -> None:
        """Read the whole reply; `receive` brings the next bytes, and none at the end of the connection.

        Raises:
            ConnectionResetError: the connection ended without an answer.
            IncompleteRead: it ended before the body did.
            UnexpectedReply: what came is not well-formed, or is more than one reply.
        """
        self._parser = httptools.HttpResponseParser(self)
        try:
            while not self._complete:
                if data := receive():
                    self._feed(data)
                else:
                    self._end()
        finally:
            del self._parser  # it refers to us, and a cycle would wait for the garbage collector
        self.body = b"".join(self._parts)

    def _feed(self, data: bytes) -> None:
        if not self._without_body and not self.status and not data.startswith(b"H"):
            raise UnexpectedReply("the reply is not HTTP")  # the parser also speaks RTSP and ICE
        self._without_body += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise UnexpectedReply("the reply switches to another protocol, which was not requested") from None
        except httptools.HttpParserError as error:
            if not self._complete:
                raise UnexpectedReply(f"the reply is not well-formed: {error}") from None
            self._surplus = True
        if self._fault:
            raise UnexpectedReply(self._fault)
        if self._surplus:
            # One of the two answers something else, and it cannot be known which.
            raise UnexpectedReply("more came on the connection than one reply")
        if self._without_body > LARGEST_HEAD_BYTES:
            raise UnexpectedReply("the head of the reply is too long")

    def _end(self) -> None:
        """The connection has ended: that ends a body without any framing, and cuts every other."""
        if not self.status:
            raise ConnectionResetError("the connection ended without an answer")
        if "content-length" in self.headers or "transfer-encoding" in self.headers:
            raise IncompleteRead(b"".join(self._parts))
        self._complete, self.reusable = True, False

    def on_message_begin(self) -> None:
        """For the parser: something that begins as a reply."""
        self._surplus = self._complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """For the parser: a header, or a trailer, of which nobody here reads any."""
        if not self.status:
            self._pairs.append((name, value))

    def on_headers_complete(self) -> None:
        """For the parser: the end of a head."""
        status, version = self._parser.get_status_code(), self._parser.get_http_version()
        headers, self._pairs = Headers.of(self._pairs), []
        self._interim = 100 <= status < 200
        if version not in ("1.0", "1.1") or status < 100:
            self._fault = "the reply has a version or a status that does not exist"
        if self._interim:
            return
        self.status, self.headers, self._without_body = status, headers, 0
        coding, connection = headers.get("transfer-encoding"), headers.get("connection", "").lower()
        if coding is not None and (coding.lower() != "chunked" or version == "1.0"):
            self._fault = "the reply has a transfer encoding that was not requested"
        self.reusable = "close" not in connection if version == "1.1" else "keep-alive" in connection
        if self._method == "HEAD":
            # Its length is that of another reply's body; the parser cannot know that, and is of no use after it.
            self._complete, self.reusable = True, False

    def on_body(self, data: bytes) -> None:
        """For the parser: a piece of the body."""
        if not self._complete:
            self._without_body = 0
            self._parts.append(data)

    def on_message_complete(self) -> None:
        """For the parser: the end of a reply."""
        self._complete = self._complete or not self._interim
