"""A client that sees what SDKs hide: the exact bytes, and how the connection ended."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from tests.patience import PATIENCE_SECONDS


class End(Enum):
    """How the server left the connection."""

    CLOSED = "closed"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that arrived until the end."""

    data: bytes
    end: End


def connect(url: str) -> socket.socket:
    """A plain connection to the server at this URL."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_SECONDS)


def request(target: str = "/ask", *, method: str = "GET", body: bytes = b"", headers: str = "") -> bytes:
    """One request as bytes; `headers` are further lines, each with its line end."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {target} HTTP/1.1\r\nHost: test\r\n{length}{headers}\r\n".encode() + body


def until_end(connection: socket.socket) -> Seen:
    """Read until the server closes or resets."""
    data = b""
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            return Seen(data, End.RESET)
        if not part:
            return Seen(data, End.CLOSED)
        data += part


def until(connection: socket.socket, mark: bytes) -> bytes:
    """Read until these bytes have arrived."""
    data = b""
    while mark not in data:
        part = connection.recv(65536)
        assert part, data
        data += part
    return data


def ask(url: str, sent: bytes) -> Seen:
    """Send bytes on a new connection and read until the server ends it."""
    with connect(url) as connection:
        connection.sendall(sent)
        return until_end(connection)
