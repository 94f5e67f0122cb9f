"""Pushes published messages to HTTP endpoints, as the service does, but only to addresses of this machine.

Documented: a POST to the endpoint's own path or to `/notifications`; an answer of 200 to 299 within five seconds, or it
is tried again; the fields in the body, or with SIMPLIFIED the message alone and its id and tag in headers. The service
signs its requests with a certificate that it publishes; these requests are not signed, and carry no `Authorization` and
no `x-mns-signing-cert-url`.
Source: https://www.alibabacloud.com/help/en/mns/httpendpoint, …/terms-endpoint and
…/how-long-does-a-push-request-sent-from-a-topic-time-out-if-the-specified-http-endpoint-does-not-respond-to-the-request.

Whoever may subscribe names the host, and a test server must not become a way to everywhere: names are resolved once,
only loopback is connected to (and private addresses where the emulator was started so), and no redirect is followed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import re
import socket
from dataclasses import dataclass
from email.utils import formatdate

from emulator.mns.topic import ContentFormat, Publication

ANSWER_SECONDS = 5.0
"""Documented: after that without an answer the push has failed."""
_AT_ONCE = 32
_LONGEST_LINE_BYTES = 4 << 10
_URL = re.compile(
    r"http://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?(?P<path>/[!-~]*)?"
)
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r?\n")
_PRIVATE = tuple(
    ipaddress.ip_network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""RFC 1918 and RFC 4193; what Python calls private has documentation and metadata addresses among it, too."""
_VERSION = "2015-06-06"


class NotPushed(Exception):
    """The push has failed; the text says why."""


@dataclass(frozen=True, slots=True)
class HttpEndpoint:
    """Where an `http://` subscription leads."""

    host: str
    port: int
    path: str

    @classmethod
    def of(cls, text: str) -> HttpEndpoint | None:
        """The endpoint of a subscription; None for a queue, mail, SMS and https, to which nothing is pushed here."""
        found = _URL.fullmatch(text)
        if found is None or int(found["port"] or 80) > 65_535:
            return None
        return cls(found["host"].strip("[]"), int(found["port"] or 80), found["path"] or "/notifications")


def permitted(address: str, *, private: bool) -> bool:
    """Whether an address may be connected to: loopback, and private ones if that is on; never one of a link."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_loopback or (private and any(found in network for network in _PRIVATE))


class HttpPush:
    """Sends one request for each push; so many at once, the others wait."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def push(
        self, endpoint: HttpEndpoint, publication: Publication, form: ContentFormat, body: str, request_id: str
    ) -> int:
        """Push once; returns the status of the answer, which is 200 to 299.

        Raises:
            NotPushed: there was no such answer in time, or the host may not be connected to.
        """
        async with self._turns:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    status = await self._exchange(endpoint, _request(endpoint, publication, form, body, request_id))
            except TimeoutError:
                raise NotPushed(f"no answer within {ANSWER_SECONDS:g} s") from None
            except OSError as error:
                raise NotPushed(f"no connection: {error.strerror or error}") from None
        if not 200 <= status <= 299:
            raise NotPushed(f"answered {status}")
        return status

    async def _exchange(self, endpoint: HttpEndpoint, request: bytes) -> int:
        address = await self._resolved(endpoint)
        reader, writer = await asyncio.open_connection(address, endpoint.port, limit=_LONGEST_LINE_BYTES)
        try:
            writer.write(request)
            await writer.drain()
            try:
                line = await reader.readuntil(b"\n")
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                raise NotPushed("what answered speaks no HTTP") from None
        finally:
            writer.close()
        found = _STATUS.fullmatch(line)
        if found is None:
            raise NotPushed("what answered speaks no HTTP")
        return int(found[1])

    async def _resolved(self, endpoint: HttpEndpoint) -> str:
        """The address to connect to, so that what was checked is what is used."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(permitted(address, private=self._private) for address in addresses):
            where = "loopback or a private address" if self._private else "loopback"
            raise NotPushed(f"{endpoint.host} is not {where}, so nothing is sent there")
        return addresses[0]


def _request(
    endpoint: HttpEndpoint, publication: Publication, form: ContentFormat, body: str, request_id: str
) -> bytes:
    content = body.encode("utf-8", "backslashreplace")
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    headers = {
        "Host": f"{host}:{endpoint.port}",
        "User-Agent": "Aliyun Notification Service Agent",
        "Date": formatdate(usegmt=True),
        "Content-Type": "text/xml;charset=utf-8" if form is ContentFormat.XML else "text/plain;charset=utf-8",
        "Content-Length": str(len(content)),
        "Content-MD5": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
        "x-mns-request-id": request_id,
        "x-mns-version": _VERSION,
        "Connection": "close",
    }
    if form is ContentFormat.SIMPLIFIED:
        headers["x-mns-message-id"] = publication.message_id
        if publication.tag.isascii() and publication.tag.isprintable() and publication.tag:
            headers["x-mns-message-tag"] = publication.tag
    lines = [f"POST {endpoint.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + content
