"""Requests and responses of our own HTTP endpoint: short ones, one on each connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

import httptools

LARGEST_REQUEST_BYTES = 8 << 10


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request; a body is never read."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By lower-case name; of one that is sent twice, the last."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a request is answered with."""

    status: HTTPStatus
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()

    def head(self) -> bytes:
        """Status line and headers as they go over the wire."""
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}", *(f"{n}: {v}" for n, v in self.headers)]
        lines += [f"Content-Length: {len(self.body)}", f"Date: {formatdate(usegmt=True)}", "Connection: close"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def text_response(status: HTTPStatus, text: str, *headers: tuple[str, str]) -> Response:
    """A response of plain text."""
    body = text.encode("utf-8", "backslashreplace")
    kind = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
    return Response(status, body, (*kind, *headers))


SendResponse = Callable[[Response], None]
"""Answers one request: once, from any thread, at once or later; for a client that has gone it does nothing."""

Respond = Callable[[Request, SendResponse], None]
"""Called on the server's thread, so it must neither wait nor raise."""


class RequestReader:
    """Reads one request's head, in whatever pieces it arrives."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._size = 0
        self._url = b""
        self._headers: dict[str, str] = {}
        self._complete = False

    def feed(self, data: bytes) -> Request | Response | None:
        """The request once it is there as a whole, or what to answer instead of it; None while more has to come."""
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # a whole request; what it would like to be upgraded to, nobody here speaks
        except httptools.HttpParserError:
            return text_response(HTTPStatus.BAD_REQUEST, "not an HTTP request")
        if self._complete:
            return self._request()
        if self._size > LARGEST_REQUEST_BYTES:
            return text_response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too large")
        return None

    def _request(self) -> Request | Response:
        try:
            url = httptools.parse_url(self._url)
        except httptools.HttpParserInvalidURLError:
            return text_response(HTTPStatus.BAD_REQUEST, "not a URL")
        path, query = ((part or b"").decode("latin-1") for part in (url.path, url.query))
        return Request(self._parser.get_method().decode("ascii"), path, query, self._headers)

    def on_url(self, url: bytes) -> None:
        """For the parser: a piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """For the parser: one header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """For the parser: the head is over."""
        self._complete = True
