"""Asks a service's host whether it answers, over TLS, as itself, and what time it is there; unsigned.

Apart from the SDKs, so that an unreachable host, a certificate and a clock are not mistaken for a wrong key.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from consumer.aliyun.http import Exchange, failure_code
from consumer.aliyun.reply import UnexpectedReply


class NoAnswer(Exception):
    """Nothing came from the host; `code` is one word for why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a host answered."""

    from_service: bool
    """Whether the answer carries the service's request id: a proxy's or a web page's does not."""
    skew_seconds: float | None
    """How far the local clock is ahead of the service's, by its Date header; None without one."""


def probe(
    url: str, connect_timeout_seconds: float, total_seconds: float, *, wall: Callable[[], float] = time.time
) -> ProbeResult:
    """One request to the root of a service.

    Raises:
        NoAnswer: none came.
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port)
    exchange = Exchange(connection, connect_timeout_seconds)
    before = wall()
    try:
        exchange.begin(total_seconds)
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
    except UnexpectedReply:
        return ProbeResult(from_service=False, skew_seconds=None)
    except (OSError, HTTPException) as error:
        raise NoAnswer(failure_code(error), str(error)) from None
    finally:
        connection.close()
    headers = exchange.reply.headers
    known = any(headers.get(name) for name in ("x-mns-request-id", "x-oss-request-id"))
    return ProbeResult(known, _skew(headers.get("date", ""), (before + wall()) / 2))


def _skew(date: str, now: float) -> float | None:
    try:
        # The header has whole seconds, so the service's clock is half a second further on average.
        return now - (parsedate_to_datetime(date).timestamp() + 0.5)
    except ValueError:
        return None
