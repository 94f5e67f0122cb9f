"""A small HTTPS server for tests, which says of each connection what the client offered and sent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_SECONDS

_PRE_SHARED_KEY, _SESSION_TICKET = 41, 35
"""Extensions that hold a session to resume: RFC 8446 section 4.2.11, RFC 5077 section 3.2."""


@dataclass(slots=True)
class Seen:
    """One connection, in the order of their acceptance."""

    offered: bool
    """Whether the client offered a session."""
    name: str = ""
    """The server name that the client wants."""
    resumed: bool = False
    version: str | None = None
    received: bytes = b""
    """Of requests; nothing of the handshake."""


class TlsServer:
    """Answers every request, one connection after the other or several at once, until it is closed."""

    def __init__(self, certificate: Path, configure: Callable[[ssl.SSLContext], None] = lambda _context: None) -> None:
        self.seen: list[Seen] = []
        self.status: Callable[[Seen], int] = lambda _seen: 200
        """Of each reply; 0 ends the connection instead."""
        self.breaks_resumption = False
        self.forgets = False
        """Whether tickets are good for nothing: each connection gets a context, and with it ticket keys, of its own."""
        self._configure = configure
        self._certificate = certificate
        self._context = self._new_context()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def show(self, certificate: Path) -> None:
        """From now on show another certificate, and resume no session of the former one."""
        self._certificate = certificate
        self._context = self._new_context()

    def close(self) -> None:
        """End every thread."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.end_connections()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()

    def end_connections(self) -> None:
        """End those that are open."""
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _new_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        self._configure(context)
        return context

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            seen = Seen(offered=False)
            self.seen.append(seen)
            thread = threading.Thread(target=self._serve, args=(connection, seen), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket, seen: Seen) -> None:
        self._open.add(plain)
        with plain, contextlib.suppress(OSError):
            plain.settimeout(PATIENCE_SECONDS)
            seen.offered, seen.name = _client_hello(_peeked(plain))
            if seen.offered and self.breaks_resumption:
                return
            context = self._new_context() if self.forgets else self._context
            with context.wrap_socket(plain, server_side=True) as secured:
                self._open.add(secured)
                seen.resumed, seen.version = bool(secured.session_reused), secured.version()
                while data := secured.recv(65_536):
                    seen.received += data
                    if not seen.received.endswith(b"\r\n\r\n"):
                        continue
                    if not self.status(seen):
                        break
                    secured.sendall(_reply(self.status(seen)))
                self._open.discard(secured)
        self._open.discard(plain)


def _reply(status: int) -> bytes:
    body = (
        b"<AccessControlPolicy><Owner><ID>1</ID><DisplayName>1</DisplayName></Owner><AccessControlList>"
        b"<Grant>private</Grant></AccessControlList></AccessControlPolicy>"
    )
    head = f"HTTP/1.1 {status} X\r\nx-oss-request-id: ID\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _peeked(plain: socket.socket) -> bytes:
    """The first record, left where it is: a client sends its hello in one."""
    head = plain.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)
    return plain.recv(5 + int.from_bytes(head[3:5], "big"), socket.MSG_PEEK | socket.MSG_WAITALL)


def _client_hello(record: bytes) -> tuple[bool, str]:
    """Whether it offers a session, and the server name it wants: RFC 8446 section 4.1.2."""
    rest: Any = memoryview(record)[5 + 4 + 2 + 32 :]
    for length_bytes in (1, 2, 1):  # session id, cipher suites, compression methods
        rest = rest[length_bytes + int.from_bytes(rest[:length_bytes], "big") :]
    rest, found = rest[2:], {}
    while rest:
        kind, length = int.from_bytes(rest[:2], "big"), int.from_bytes(rest[2:4], "big")
        found[kind], rest = bytes(rest[4 : 4 + length]), rest[4 + length :]
    return _PRE_SHARED_KEY in found or bool(found.get(_SESSION_TICKET)), found.get(0, b"")[5:].decode()
