"""The HTTP session that oss2 sends its requests through: bounded, without redirects, and to known hosts only.

oss2 takes any object with `do_request`. The stock one reads the environment's proxies and ~/.netrc on every request,
follows redirects with the old signature, and loads the CA bundle anew for every connection, which means for every
bucket, because a bucket is its own host name. This one keeps a few connections per thread over `http.client`, one TLS
context for all of them, and TLS sessions that the buckets of an endpoint share.
"""

from __future__ import annotations

import io
import ssl
import threading
import time
from collections import OrderedDict
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from consumer.aliyun.http import Exchange, failure_code, no_answer
from consumer.aliyun.oss.bucket_connection import BucketConnection
from consumer.aliyun.oss.endpoints import Endpoints
from consumer.aliyun.oss.signer import encoded
from consumer.aliyun.oss.tls_sessions import TlsSessions
from consumer.aliyun.reply import Headers, UnexpectedReply
from consumer.aliyun.tls import trusting
from consumer.core.errors import DamagedReply, PermanentError, Unanswered

CONNECTIONS_PER_THREAD = 2
"""Every bucket is a host of its own, so a connection serves one repair: one at the event's region, and one at the
bucket's own where that is another. Each takes 45 kB over TLS."""

_REQUEST_ID = "x-oss-request-id"

_MISDIRECTED = 421
"""The host is not served over this connection, but may be over another one: RFC 9110 section 15.5.20."""


class OssResponse:
    """A response in the form that oss2 reads; the body is in memory, for it is bounded."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.request_id = headers.get(_REQUEST_ID, "")
        self._body = io.BytesIO(body)

    def read(self, amt: int | None = None) -> bytes:
        """The rest of the body, or up to `amt` bytes of it."""
        return self._body.read(amt)


class _KeptConnection:
    """One kept connection and its bounds; owned by one thread."""

    def __init__(self, connection: HTTPConnection, connect_timeout_seconds: float) -> None:
        self.http = connection
        self.exchange = Exchange(connection, connect_timeout_seconds)

    def send(self, method: str, request: bytes, seconds: float) -> OssResponse:
        # `http.client` connects; its request builder and its e-mail parser are most of what a request would cost.
        reply = self.exchange.request(method, request, seconds)
        if isinstance(self.http, BucketConnection):
            self.http.answered()
        return OssResponse(reply.status, reply.headers, reply.body)

    def was_resumed(self) -> bool:
        """Whether the connection was a resumed one; then it is closed, and the next one is not."""
        return isinstance(self.http, BucketConnection) and self.http.distrust()

    def is_doubtful(self) -> bool:
        """Whether what failed on it may be the resuming."""
        return isinstance(self.http, BucketConnection) and self.http.doubtful


def written(req: Any, url: SplitResult) -> bytes:
    """One request of oss2's as it goes over the wire to its address.

    Raises:
        As `request_bytes`.
    """
    # A query of our own making only: oss2 signs parameters, so they are encoded exactly once, here.
    query = "&".join([f"{encoded(k)}={encoded(v)}" for k, v in req.params.items() if v is not None])
    target = f"{url.path or '/'}?{query}" if query else url.path or "/"
    headers = {"Host": url.netloc, **{name: value for name, value in req.headers.items() if value is not None}}
    return request_bytes(req.method, target, headers, req.data or None)


def request_bytes(method: str, target: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """One request as it goes over the wire.

    Raises:
        ValueError: something in its head would end a line, or is not Latin-1.
    """
    if body or method in ("PUT", "POST"):
        headers["Content-Length"] = str(len(body or b""))
    lines = "\n".join((f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())))
    if lines.count("\n") != len(headers) or "\r" in lines or "\0" in lines:
        raise ValueError("a header of the request would end its line")
    return lines.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + (body or b"")


class OssSession:
    """Sends requests for every thread, each over its own connections.

    Proxies from the environment are not used, as the MNS SDK does not use them either: one of two services behind a
    proxy would be worse than none.
    """

    def __init__(
        self,
        *,
        endpoints: Endpoints,
        connect_timeout_seconds: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._connect_timeout_seconds = connect_timeout_seconds
        self._tls = tls or trusting()
        self._sessions = TlsSessions(self._tls)
        self._local = threading.local()

    def do_request(self, req: Any, timeout: float) -> OssResponse:
        """Send one request that oss2 has signed; `timeout` is what the whole exchange may take, in seconds.

        Raises:
            Unanswered: no whole answer came; the request may have taken effect.
            DamagedReply: the answer does not come from OSS.
            PermanentError: the URL leads to a host that no configuration names.
        """
        url = urlsplit(req.url)
        connection = self._connection(url, req.method)
        try:
            request = written(req, url)
        except ValueError as error:
            raise Unanswered("oss", req.method, failure_code(error), str(error)) from None
        answer = self._send(connection, url.netloc, req.method, request, timeout)
        if not answer.request_id:
            text = f"HTTP {answer.status} is not an answer of the service"
            raise DamagedReply("oss", req.method, "damaged_reply", text, status=answer.status)
        return answer

    def sent_twice(self) -> bool:
        """Whether the calling thread's last request had no answer on a kept connection and was sent on a new one."""
        return bool(getattr(self._local, "sent_twice", False))

    def close(self) -> None:
        """Close the calling thread's connections."""
        for connection in self._connections().values():
            connection.http.close()
        self._connections().clear()

    def _send(self, connection: _KeptConnection, host: str, method: str, request: bytes, seconds: float) -> OssResponse:
        self._local.sent_twice = False
        reused = connection.http.sock is not None
        deadline = time.monotonic() + seconds
        try:
            try:
                answer = connection.send(method, request, seconds)
                left = deadline - time.monotonic()
                if answer.status == _MISDIRECTED and left > 0 and connection.was_resumed():
                    return connection.send(method, request, left)
                return answer
            except (ConnectionError, ssl.SSLError):
                # A kept connection may have been closed by the server in the meantime, and a resumed one be refused
                # only now: in TLS 1.3 the client is through first. All requests that a remediation makes are
                # idempotent, so asking once more on a new one is safe.
                again = reused or connection.is_doubtful()
                connection.http.close()
                left = deadline - time.monotonic()
                if not again or left <= 0:
                    raise
                self._local.sent_twice = True
                return connection.send(method, request, left)
        except UnexpectedReply as error:
            connection.http.close()
            raise DamagedReply("oss", method, failure_code(error), str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever it was, no answer came and the connection is unusable
            connection.http.close()
            raise Unanswered("oss", method, failure_code(error), no_answer(host, error)) from None

    def _connections(self) -> OrderedDict[tuple[str, str], _KeptConnection]:
        if not hasattr(self._local, "connections"):
            self._local.connections = OrderedDict()
        kept: OrderedDict[tuple[str, str], _KeptConnection] = self._local.connections
        return kept

    def _connection(self, url: SplitResult, method: str) -> _KeptConnection:
        kept = self._connections()
        key = (url.scheme, url.netloc)
        connection = kept.get(key)
        if connection is None:
            if not self._endpoints.serves(url.netloc) and not self._endpoints.is_above(url.netloc):
                text = "the request would leave the configured hosts"
                raise PermanentError("oss", method, "host_not_allowed", text)
            if len(kept) >= CONNECTIONS_PER_THREAD:
                kept.popitem(last=False)[1].http.close()
            connection = kept[key] = _KeptConnection(self._new_connection(url), self._connect_timeout_seconds)
        kept.move_to_end(key)
        return connection

    def _new_connection(self, url: SplitResult) -> HTTPConnection:
        host = url.hostname or ""
        if url.scheme == "https" and self._endpoints.is_above(url.netloc):
            return BucketConnection(host, url.port, self._sessions)
        if url.scheme == "https":
            return HTTPSConnection(host, url.port, context=self._tls)
        return HTTPConnection(host, url.port)
