"""A TLS connection to one bucket's host, resumed from another bucket's of the same endpoint where that is safe."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection

from consumer.aliyun.oss.tls_sessions import KeptSession, TlsSessions


class BucketConnection(HTTPSConnection):
    """Connects as `http.client` does, with the same checks, but for a handshake that may be a short one.

    For hosts directly below an endpoint of OSS and for nothing else. Owned by one thread.
    """

    def __init__(
        self,
        host: str,
        port: int | None,
        sessions: TlsSessions,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(host, port, context=sessions.context)
        self._sessions = sessions
        self._endpoint = f"{host.partition('.')[2]}:{self.port}"
        self._monotonic = monotonic
        self._resumed_from: KeptSession | None = None
        self._answered = True

    def connect(self) -> None:
        """Connect within `timeout`, both attempts together if it takes a second one.

        Raises:
            TimeoutError: the time is over.
            ssl.SSLError: no handshake succeeds, or the certificate is not one for the host.
            OSError: no address takes a connection.
        """
        until = self._monotonic() + (self.timeout or 0.0)
        kept = self._sessions.take(self._endpoint)
        if kept is None or not self._resume(kept):
            self.timeout = until - self._monotonic()  # connecting itself refuses to begin without time
            super().connect()
        self._answered = False

    @property
    def doubtful(self) -> bool:
        """Whether it was resumed and no reply has come on it yet: a failure may be that of resuming."""
        return self._resumed_from is not None and not self._answered

    def close(self) -> None:
        """Close it; the next request makes a new one, and not by resuming if that may be what failed."""
        if self.doubtful:
            self._sessions.pause(self._endpoint)
        self._resumed_from = None
        super().close()

    def answered(self) -> None:
        """A reply has come: keep the session of a new connection for the next bucket."""
        if not self._answered and self.sock is not None:
            self._sessions.keep(self._endpoint, self.host, self.sock, self._resumed_from)
        self._answered = True

    def distrust(self) -> bool:
        """Whether the connection is a resumed one; then it is closed, and the endpoint's sessions are given up."""
        if self._resumed_from is None:
            return False
        self.close()
        self._sessions.pause(self._endpoint)
        return True

    def _resume(self, kept: KeptSession) -> bool:
        """Whether the connection is there, by a resumed handshake or by a full one; if not, nothing is left of it."""
        HTTPConnection.connect(self)
        try:
            secured = self._sessions.context.wrap_socket(self.sock, server_hostname=self.host, session=kept.session)
        except (ssl.SSLCertVerificationError, TimeoutError):
            self.close()
            raise  # a full handshake, with the usual result; or there is no time left for another one
        except OSError:
            self.close()
            self._sessions.pause(self._endpoint)
            return False
        self.sock = secured
        if not secured.session_reused:
            self._sessions.missed(self._endpoint)
            return True
        # Nobody has compared the name yet, and nothing of a request has been sent.
        if not self._sessions.good_for(secured.getpeercert(), self.host):
            self.close()
            self._sessions.pause(self._endpoint)
            return False
        self._sessions.resumed(self._endpoint)
        self._resumed_from = kept
        return True
