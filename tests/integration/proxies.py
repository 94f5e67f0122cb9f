"""A proxy that writes down what it is asked for, and the variables that lead to it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from tests.patience import PATIENCE_SECONDS

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


class Proxy:
    """Refuses everything, after it has read the first line of it."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def environment(self) -> dict[str, str]:
        """Every variable that anything reads, in both spellings; NO_PROXY names a host that nobody asks."""
        return {**dict.fromkeys(VARIABLES, self.url), "NO_PROXY": "example.com", "no_proxy": "example.com"}

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE_SECONDS)
                self.seen.append(connection.recv(65_536).decode("latin-1").partition("\r\n")[0])
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE_SECONDS)


@contextlib.contextmanager
def proxy() -> Iterator[Proxy]:
    """A proxy for the time of a block."""
    started = Proxy()
    try:
        yield started
    finally:
        started.close()
