"""How an answer looks on the wire: status line, headers in the service's own case, body. Pure, no I/O."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from emulator.http import Response

_BODILESS = frozenset({204, 304})


@lru_cache(maxsize=128)
def _status_line(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}\r\n"


@lru_cache(maxsize=4)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def wants_close(response: Response) -> bool:
    """Whether the connection ends with this answer, by the service's own will."""
    return (response.header("Connection") or "").lower() == "close"


def head(response: Response, *, now: float, keep_alive: bool) -> bytes:
    """Status line and headers; `now` is emulated seconds since the epoch.

    `Date`, `Content-Length` and `Connection` are added where the service gave none of its own.

    Raises:
        ValueError: a header holds a line break, which would forge another one.
    """
    lines = [f"{name}: {value}\r\n" for name, value in response.headers]
    given = {name.lower() for name, _ in response.headers}
    if "date" not in given:
        lines.append(f"Date: {_date(int(now))}\r\n")
    if response.sized and "content-length" not in given:
        lines.append(f"Content-Length: {len(response.body)}\r\n")
    if "connection" not in given:
        lines.append("Connection: keep-alive\r\n" if keep_alive else "Connection: close\r\n")
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines):
        raise ValueError(f"line break inside a header: {response.headers!r}")
    return f"{_status_line(response.status)}{text}\r\n".encode("latin-1")


def body(response: Response, method: str) -> bytes:
    """The bytes that follow the head: none for HEAD and for statuses that forbid a body."""
    return b"" if method == "HEAD" or response.status in _BODILESS else response.body
