"""One HTTP/1.1 reply, read whole from a socket: its head taken apart, its body put together.

`http.client` builds an e-mail message out of every head, which costs more than all the rest of a request here. This
reader knows what two services send and refuses what they never would; whoever calls it bounds its time and its size.

Message syntax: RFC 9112.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import IncompleteRead

LARGEST_HEAD_BYTES = 64 << 10
"""Status line and headers together; both services' heads are below one kilobyte."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_END_OF_LINE = re.compile(rb"\r?\n")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?", re.DOTALL)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,18}")
_NO_BODY = (204, 304)


class UnexpectedReply(OSError):
    """The reply is nothing that the service would send."""


class Headers(Mapping[str, str]):
    """Headers, found under a name in any case."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str] | None = None) -> None:
        """Headers by lower-case name."""
        self._values = values or {}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of one reply."""

    status: int
    headers: Headers
    keeps_alive: bool
    """Whether the connection may serve another request, as far as the head tells."""


def parse_head(head: bytes) -> Head:
    """Take a head apart; it comes without the empty line that ends it.

    Raises:
        ConnectionResetError: it does not begin as HTTP does, so nothing can be said about what was answered.
        UnexpectedReply: a header is malformed.
    """
    status_line, *lines = head.decode("latin-1").replace("\r\n", "\n").split("\n")
    found = _STATUS_LINE.fullmatch(status_line)
    if found is None:
        raise ConnectionResetError("the connection ended without an answer in HTTP")
    values: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise UnexpectedReply("a header of the reply is malformed")
        name, value = name.lower(), value.strip(" \t")
        # Repeated headers are one list; two lengths are then no number any more, and refused as such.
        values[name] = f"{values[name]}, {value}" if name in values else value
    connection = values.get("connection", "").lower()
    keeps_alive = "close" not in connection if found[1] == "1" else "keep-alive" in connection
    return Head(int(found[2]), Headers(values), keeps_alive)


class ReplyReader:
    """Reads replies to one request; `receive` brings the next bytes, and none at the end of the connection."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._buffer = b""

    def head(self) -> Head:
        """The final head; interim ones (1xx) are passed over.

        Raises:
            ConnectionResetError: the connection ended without an answer.
            UnexpectedReply: what came is not well-formed.
        """
        try:
            while (head := parse_head(self._until(_END_OF_HEAD))).status < 200:
                pass
        except IncompleteRead:
            raise ConnectionResetError("the connection ended without an answer") from None
        return head

    def body(self, head: Head, method: str | None) -> tuple[bytes, bool]:
        """The whole body, and whether the connection may be used again.

        Raises:
            IncompleteRead: the connection ended before the body did.
            UnexpectedReply: its framing is not well-formed.
        """
        encoding, length = head.headers.get("transfer-encoding", "").lower(), head.headers.get("content-length")
        if method == "HEAD" or head.status in _NO_BODY:
            body, delimited = b"", True
        elif encoding:
            if encoding != "chunked":
                raise UnexpectedReply("the reply has a transfer encoding that nobody asked for")
            body, delimited = b"".join(self._chunks()), not length  # both lengths at once are a smuggler's
        elif length:
            if not _LENGTH.fullmatch(length):
                raise UnexpectedReply("the length of the reply is no number, or there are two")
            body, delimited = self._exactly(int(length)), True
        else:
            body, delimited = self._rest(), False
        # Bytes that nobody asked for would be taken for the next request's answer.
        return body, head.keeps_alive and delimited and not self._buffer

    def _chunks(self) -> Iterator[bytes]:
        while True:
            found = _CHUNK_SIZE.fullmatch(self._line())
            if found is None:
                raise UnexpectedReply("a chunk of the reply has no size")
            size = int(found[1], 16)
            if not size:
                break
            yield self._exactly(size)
            if self._line():
                raise UnexpectedReply("a chunk of the reply is longer than it says")
        while self._line():
            pass  # trailers tell nothing that anybody here reads

    def _line(self) -> bytes:
        return self._until(_END_OF_LINE)

    def _until(self, end: re.Pattern[bytes]) -> bytes:
        """What comes before the next match of `end`, which is passed over."""
        while (found := end.search(self._buffer)) is None:
            if len(self._buffer) > LARGEST_HEAD_BYTES:
                raise UnexpectedReply("the head of the reply is too long")
            if not (more := self._receive()):
                raise IncompleteRead(self._buffer)
            self._buffer += more
        before, self._buffer = self._buffer[: found.start()], self._buffer[found.end() :]
        return before

    def _exactly(self, size: int) -> bytes:
        """So many bytes."""
        parts, missing = [self._buffer], size - len(self._buffer)
        while missing > 0:
            if not (more := self._receive()):
                raise IncompleteRead(b"".join(parts), missing)
            parts.append(more)
            missing -= len(more)
        whole = b"".join(parts)
        self._buffer = whole[size:]
        return whole[:size]

    def _rest(self) -> bytes:
        parts = [self._buffer]
        while more := self._receive():
            parts.append(more)
        self._buffer = b""
        return b"".join(parts)
