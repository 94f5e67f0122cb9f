"""Credentials that are kept while they last, and renewed long before they end by whoever has time for that.

Who signs a request never waits for their source while there are valid ones: a source that hangs or refuses costs
nothing until the very end. Failures are remembered, so that not every thread queries a source in trouble at once.
Nothing here holds a lock that a reader needs while the source is queried over the network.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from consumer.aliyun.credentials import Credentials, CredentialsProvider
from consumer.core.errors import CredentialsUnavailable, NotAuthenticated

RENEWED_BEFORE_SECONDS = 900.0
"""How long before their end credentials are renewed; those that live shorter than half an hour, at half their life."""

_ASKED_AGAIN_SECONDS = 60.0
"""How often a source is queried whose temporary credentials come without an expiry."""

_LONGEST_PAUSE_SECONDS = 60.0
_REFUSED_AGAIN_SECONDS = 5.0
"""How often, at most, a refusal of what is kept sends somebody to its source."""

_WAIT_SECONDS = 10.0
"""How long somebody waits for the answer to somebody else's query."""


@dataclass(frozen=True, slots=True)
class _State:
    """What is known; replaced as a whole, so that it is read without a lock."""

    kept: Credentials | None = None
    renew_at: float = 0.0
    """By the wall clock, as ends are."""
    failure: NotAuthenticated | None = None
    """Why the last query was not answered; None after one that was."""
    failures: int = 0
    query_at: float = 0.0
    """The monotonic moment before which the source is left alone."""


class KeptCredentials:
    """What a source gave last, for every thread."""

    def __init__(
        self,
        source: CredentialsProvider,
        *,
        fetches: bool = True,
        only_if_used: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Keep what `source` gives; it is not queried yet.

        With `fetches`, a thread that needs credentials while there are none queries the source itself, one at a time;
        without it only `renew` does. With `only_if_used`, those that nobody has used since they were renewed are not
        renewed again.
        """
        self._source = source
        self._fetches = fetches
        self._only_if_used = only_if_used
        self._monotonic = monotonic
        self._wall = wall
        self._jitter = jitter
        self._state = _State()
        self._used = False
        self._refused_at = monotonic() - _REFUSED_AGAIN_SECONDS
        self._fetching = threading.Lock()  # held during a query of the source; every wait for it is bounded

    @property
    def expires_at(self) -> float | None:
        """Seconds since the epoch; None of credentials that do not end, and of those that nobody needs any more."""
        state = self._state
        if state.kept is None:
            return None
        unused = self._only_if_used and not self._used and self._wall() >= state.renew_at
        return None if unused and state.failure is None else state.kept.expires_at

    def get_credentials(self) -> Credentials:
        """Credentials that are valid now; at once, while there are any.

        Raises:
            NotAuthenticated: there are none; why, by the source's latest answer.
        """
        self._used = True
        valid = self._valid()
        if valid is None and self._fetches:
            self._fetch(_WAIT_SECONDS)
            valid = self._valid()
        if valid is None:
            raise self._refusal()
        return valid

    def renewal_due(self) -> bool:
        """Whether the source is due for a query."""
        state = self._state
        if self._monotonic() < state.query_at or (self._only_if_used and not self._used):
            return False
        return state.kept is None or self._wall() >= state.renew_at

    def refused(self) -> None:
        """A service refused what is kept, which may have been revoked before its end: its source is due for a query."""
        now = self._monotonic()
        if now >= self._refused_at + _REFUSED_AGAIN_SECONDS:
            self._refused_at = now
            self._state = replace(self._state, renew_at=0.0)

    def renew(self) -> None:
        """Query the source, unless somebody does already; takes as long as the source takes.

        What is kept stays when that fails.
        """
        if self._fetching.acquire(blocking=False):
            try:
                self._renew()
            finally:
                self._fetching.release()

    def checked(self) -> Credentials:
        """Credentials that are valid now, after a query of the source if it is due for one; for a start.

        Raises:
            NotAuthenticated: there are none.
        """
        if self._valid() is None or self.renewal_due():
            self.renew()
        found = self._valid()
        if found is None:
            raise self._refusal()
        return found

    def _valid(self) -> Credentials | None:
        kept = self._state.kept
        if kept is None or (kept.expires_at is not None and self._wall() >= kept.expires_at):
            return None
        return kept

    def _fetch(self, wait_seconds: float) -> None:
        if not self._fetching.acquire(timeout=wait_seconds):
            return
        try:
            if self._valid() is None and self._monotonic() >= self._state.query_at:
                self._renew()
        finally:
            self._fetching.release()

    def _renew(self) -> None:
        state = self._state
        try:
            found = self._source.get_credentials()
            now = self._wall()
            if found.expires_at is not None and found.expires_at <= now:
                text = "the source gives credentials that have ended already; compare this machine's clock"
                raise NotAuthenticated("credentials", "GetCredentials", "expired", text)
        except NotAuthenticated as error:
            pause = min(2.0 ** min(state.failures, 10), _LONGEST_PAUSE_SECONDS)
            self._state = replace(
                state,
                failure=error,
                failures=state.failures + 1,
                query_at=self._monotonic() + self._jitter(pause / 2, pause),
            )
        else:
            self._used = False
            self._state = _State(found, _renewal(found, now))

    def _refusal(self) -> NotAuthenticated:
        """An error of the caller's own: gateways write into it which operation failed."""
        failure = self._state.failure
        if failure is None:
            text = "no credentials yet: their source is being queried"
            return CredentialsUnavailable("credentials", "GetCredentials", "no_credentials", text)
        return type(failure)(failure.service, failure.operation, failure.code, str(failure.args[0]))


def _renewal(found: Credentials, now: float) -> float:
    """When to query the source again, by the wall clock."""
    if found.expires_at is None:
        return now + _ASKED_AGAIN_SECONDS if found.token else float("inf")
    life = found.expires_at - now
    return now + max(life - RENEWED_BEFORE_SECONDS, life / 2)
