"""The request and the response as every emulated service sees them: bytes and text, no framework.

Signatures cover the path and the query exactly as they were sent, so both stay raw here. Nothing in this
module knows a service; `emulator.asgi` translates to and from the ASGI server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote


@dataclass(slots=True)
class Request:
    """One HTTP request with its body read whole."""

    method: str
    path: str
    """The path as sent, still percent-encoded, beginning with a slash."""
    query: str
    """The query as sent, without the question mark; empty when there was none."""
    headers: dict[str, str]
    """Header values by lower-case name; a repeated header is joined with commas."""
    body: bytes = b""
    scheme: str = "http"

    @property
    def host(self) -> str:
        """The Host header with its port, or an empty string."""
        return self.headers.get("host", "")

    @property
    def target(self) -> str:
        """Path and query exactly as on the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def query_items(self) -> list[tuple[str, str]]:
        """The query's names and values, percent-decoded; a plus sign stays a plus sign.

        Receipt handles are put into MNS queries unencoded and may contain `+`, `/` and `=`, so only the first
        equals sign of a pair separates the name from its value.
        """
        pairs = (pair.partition("=") for pair in self.query.split("&") if pair)
        return [(unquote(name), unquote(value)) for name, _, value in pairs]


@dataclass(slots=True)
class Response:
    """One HTTP answer. `Content-Length` and `Date` are added on the way out."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    sized: bool = True
    """Whether it says how long its body is; only a status without a body may leave that out."""

    def header(self, name: str) -> str | None:
        """The first value of a header by name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Service(Protocol):
    """What the ASGI adapter asks of an emulated service."""

    name: str
    """`mns`, `oss` or `ecs`: the first half of what faults and the journal call an operation."""

    def operation(self, request: Request) -> str:
        """The service's own name for the operation (`BatchReceiveMessage`, `PutBucketAcl`), or `Unknown`.

        Decided from the request line and headers alone and never raising: faults are chosen by it before the
        request is authenticated.
        """
        ...

    async def handle(self, request: Request) -> Response:
        """Authenticate, carry out and answer one request; a refusal is a response, not an exception."""
        ...

    def error(self, request: Request, status: int, code: str, message: str) -> Response:
        """An error in the service's own form and headers, for faults that imitate a refusal."""
        ...


def joined_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower-case header names with their values, repeated ones joined with commas, as signatures see them."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers
