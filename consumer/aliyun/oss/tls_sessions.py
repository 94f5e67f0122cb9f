"""TLS sessions that the buckets of one OSS endpoint share: each bucket is a host of its own, all show one certificate.

A resumed handshake proves that the other end is who showed a certificate earlier. It does not show the certificate
again, and OpenSSL does not look whether that certificate is good for the name that is wanted now. So a session is kept
only of a verified certificate for every name directly below its endpoint, and offered to nobody else;
`consumer.aliyun.oss.bucket_connection` then compares the certificate with the name before it sends anything.

Other names: RFC 8446 section 4.6.1. TLS 1.2 is left out, for its servers must not resume under another name (RFC 6066
section 3). Tickets are used once: RFC 8446 appendix C.4.
"""

from __future__ import annotations

import math
import ssl
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from urllib3.util.ssl_match_hostname import match_hostname

MOST_SESSIONS = 64
"""Per endpoint: one for each of as many workers as one core can use."""

MOST_ENDPOINTS = 16
"""A replica works in a few regions; the one unused longest makes room."""

LONGEST_SECONDS = 3_600.0
"""After its certificate was last shown and verified, however often it was resumed since."""

PAUSE_SECONDS = 60.0
"""How long an endpoint is left alone that does not resume: keeping and offering what is ignored takes time, too."""

_MISSES = 3
"""In a row, until then: behind one address some servers may know each other's tickets, and others not."""

_Trust = tuple[int, ...]


def loses_sessions(version: tuple[int, int, int]) -> bool:
    """Whether CPython of that version loses 6 kB at each look at `SSLSocket.session`: one look for every bucket.

    Mended in 3.12.8 and 3.13.1, and not in 3.11: https://github.com/python/cpython/issues/116810
    """
    return version < (3, 12, 8) or version == (3, 13, 0)


KEEPS_SESSIONS = not loses_sessions(sys.version_info[:3])
"""Where it does lose them every handshake is a full one, which costs little more."""


@dataclass(frozen=True, slots=True)
class KeptSession:
    """One session, which is offered once."""

    session: ssl.SSLSession
    verified_at: float
    """The monotonic moment from which its certificate counts as verified: that of its first, full handshake."""
    trust: _Trust
    """What it was verified against."""


@dataclass(slots=True)
class _EndpointSessions:
    certificate: bytes = b""
    """The one shown latest; it ends what was kept of another."""
    sessions: list[KeptSession] = field(default_factory=list)
    misses: int = 0
    paused_until: float = -math.inf


class TlsSessions:
    """The sessions of one TLS context, for every thread; another context may trust others, so it has its own."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.context = context
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()  # never held while anything is sent or received
        self._endpoints: OrderedDict[str, _EndpointSessions] = OrderedDict()

    def take(self, endpoint: str) -> KeptSession | None:
        """A session to offer to a host directly below the endpoint; it is given to nobody else after that."""
        trust, now = self._trust(), self._monotonic()
        with self._lock:
            known = self._endpoints.get(endpoint)
            while known is not None and known.sessions:
                kept = known.sessions.pop()
                if kept.trust == trust and now - kept.verified_at < LONGEST_SECONDS:
                    return kept
        return None

    def good_for(self, certificate: Mapping[str, Any] | None, host: str) -> bool:
        """Whether a verified certificate, as `getpeercert` returns it, is one for that host now.

        None, and an empty one, is good for no host.
        """
        try:
            match_hostname(certificate, host)  # type: ignore[arg-type] # it raises ValueError for none
            since, until = certificate["notBefore"], certificate["notAfter"]  # type: ignore[index]
            return _seconds(since) <= self._wall() < _seconds(until)
        except (ValueError, KeyError, TypeError):
            return False

    def keep(self, endpoint: str, host: str, connection: ssl.SSLSocket, resumed_from: KeptSession | None) -> None:
        """Keep the session of a connection to a host directly below the endpoint, once a reply has come on it.

        A server sends its tickets after the handshake, so they are only known with the first reply.
        """
        if not KEEPS_SESSIONS:
            return
        trust, now = self._trust(), self._monotonic()
        if not trust or self._paused(endpoint) or connection.version() != "TLSv1.3":
            return
        certificate = connection.getpeercert(binary_form=True) or b""
        if not self._is_shown(endpoint, certificate):
            if resumed_from is not None or not self._for_every_name_below(connection.getpeercert(), host):
                return  # by now the endpoint shows another one; or nobody else could use it
            self._show(endpoint, certificate)
        session = connection.session  # decodes the certificate anew, a tenth of a handshake
        if session is None or not session.has_ticket:
            self.missed(endpoint)
            return
        before = resumed_from or KeptSession(session, now, trust)
        with self._lock:
            known = self._known(endpoint)
            if known.certificate == certificate and len(known.sessions) < MOST_SESSIONS:
                known.sessions.append(replace(before, session=session))

    def resumed(self, endpoint: str) -> None:
        """A session was offered and taken."""
        with self._lock:
            self._known(endpoint).misses = 0

    def missed(self, endpoint: str) -> None:
        """A session was offered and ignored, or a connection brought none; a few of these in a row are a pause."""
        with self._lock:
            known = self._known(endpoint)
            known.misses += 1
            missed = known.misses >= _MISSES
        if missed:
            self.pause(endpoint)

    def pause(self, endpoint: str) -> None:
        """Forget the endpoint's sessions, and keep none for a while."""
        with self._lock:
            known = self._known(endpoint)
            known.certificate, known.misses = b"", 0
            known.sessions.clear()
            known.paused_until = self._monotonic() + PAUSE_SECONDS

    def _is_shown(self, endpoint: str, certificate: bytes) -> bool:
        with self._lock:
            known = self._endpoints.get(endpoint)
            return known is not None and known.certificate == certificate

    def _show(self, endpoint: str, certificate: bytes) -> None:
        with self._lock:
            known = self._known(endpoint)
            known.certificate = certificate
            known.sessions.clear()

    def _paused(self, endpoint: str) -> bool:
        with self._lock:
            known = self._endpoints.get(endpoint)
            return known is not None and self._monotonic() < known.paused_until

    def _known(self, endpoint: str) -> _EndpointSessions:
        """For whoever holds the lock."""
        known = self._endpoints.setdefault(endpoint, _EndpointSessions())
        self._endpoints.move_to_end(endpoint)
        if len(self._endpoints) > MOST_ENDPOINTS:
            self._endpoints.popitem(last=False)
        return known

    def _trust(self) -> _Trust:
        """What decides whom the context believes, or nothing if it believes everybody."""
        context = self.context
        if context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
            return ()
        stored = context.cert_store_stats()
        return int(context.verify_flags), stored["x509"], stored["crl"]

    def _for_every_name_below(self, certificate: Mapping[str, Any] | None, host: str) -> bool:
        """Whether another host beside this one could use its session; if not, keeping it would be in vain."""
        wildcard = ("dns", f"*.{host.partition('.')[2]}".lower())
        names = (certificate or {}).get("subjectAltName", ())
        return any((kind.lower(), name.lower()) == wildcard for kind, name in names) and self.good_for(
            certificate, host
        )


@lru_cache(maxsize=64)
def _seconds(moment: str) -> int:
    return ssl.cert_time_to_seconds(moment)
