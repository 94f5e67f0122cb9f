"""Answers `/metrics`, `/livez` and `/readyz` over HTTP, on threads that cannot hold up the service.

What alive and ready mean is decided by the callables passed in; this module only tells. Every connection carries one
request, has a deadline for it as a whole, and is one of a few, so that no scraper can hold threads or memory.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from consumer.core.errors import ConfigurationError
from consumer.telemetry.log import get_logger
from consumer.telemetry.redaction import redactor

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

CONNECTION_SECONDS = 5.0
"""For reading a request; as long again for sending its answer."""

_CONNECTIONS_AT_MOST = 16
_LONGEST_REASON = 500
_LOOK_SECONDS = 0.5
"""How often the server looks whether it is to end; requests do not wait for that."""
_TEXT = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]

Check = Callable[[], str]
"""Nothing while all is well, else the reason why not."""


class HealthServer:
    """One listening socket; bound when made, served from `start` to `close`."""

    def __init__(
        self,
        host: str,
        port: int,
        registry: CollectorRegistry,
        *,
        live: Check,
        ready: Check,
        connection_seconds: float = CONNECTION_SECONDS,
    ) -> None:
        """Bind the socket; port 0 takes any free one, which `port` then names.

        Raises:
            ConfigurationError: the address cannot be listened on.
        """
        try:
            self._server = _Server(host, port, connection_seconds)
        except (OSError, OverflowError) as error:
            raise ConfigurationError(f"http.port = {port}: cannot listen on {host}: {error}") from error
        self._server.set_app(_application(registry, live, ready))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_SECONDS,), name="health", daemon=True
        )
        self.port: int = self._server.server_port

    def start(self) -> None:
        """Answer from now on, on threads of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def _application(registry: CollectorRegistry, live: Check, ready: Check) -> WSGIApplication:
    metrics = make_wsgi_app(registry)
    checks = {"/livez": live, "/readyz": ready}

    def respond(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path != "/metrics" and path not in checks:
            return _text(start_response, "404 Not Found", "there is /metrics, /livez and /readyz")
        if method not in ("GET", "HEAD"):
            return _text(start_response, "405 Method Not Allowed", "GET or HEAD", [("Allow", "GET, HEAD")])
        if path == "/metrics":
            scraped: Iterable[bytes] = metrics({**environ, "REQUEST_METHOD": "GET"}, start_response)
            return scraped
        reason = checks[path]()
        if reason:
            return _text(start_response, "503 Service Unavailable", redactor.clean(reason)[:_LONGEST_REASON])
        return _text(start_response, "200 OK", "ok")

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            body = b"".join(respond(environ, start_response))
        except Exception as error:  # noqa: BLE001 - a fault in a check is an answer too, and never a traceback
            get_logger("consumer.health").error("health.failed", error=f"{type(error).__name__}: {error}")
            body = b"".join(_text(start_response, "500 Internal Server Error", "the check itself failed"))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return application


def _text(
    start_response: StartResponse, status: str, text: str, headers: list[tuple[str, str]] | None = None
) -> Iterable[bytes]:
    body = text.encode("utf-8", "backslashreplace")
    start_response(status, [*_TEXT, *(headers or []), ("Content-Length", str(len(body)))])
    return [body]


class _Server(ThreadingMixIn, WSGIServer):
    """A thread per connection, a bounded number of them."""

    daemon_threads = True
    request_queue_size = 32  # the default of 5 makes the sixth of a burst wait for a retransmission
    allow_reuse_port = False  # two workers on one port would each be scraped half of the time

    def __init__(self, host: str, port: int, connection_seconds: float) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.connection_seconds = connection_seconds
        self._free = threading.BoundedSemaphore(_CONNECTIONS_AT_MOST)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking DNS for our own name, which may take minutes where there is none."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection on a thread, or close it at once when there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection and make room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as the base class calls it
        """A client that went away or was too slow is its own concern, not a traceback on our output."""
        get_logger("consumer.health").debug("health.disconnected", client=str(client_address[0]))


class _DeadlineReader(io.RawIOBase):
    """A socket's bytes until a deadline; a timeout per read alone would let one byte at a time hold a thread."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request did not arrive in time")
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(self._seconds)  # for what is sent


class _Handler(WSGIRequestHandler):
    """One request; quiet."""

    server: _Server

    def setup(self) -> None:
        """Read the request within the deadline."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_DeadlineReader(self.connection, self.server.connection_seconds))

    def log_message(self, *_: object) -> None:
        """Scrapes are not news."""
