"""The thread that renews credentials beside the work, so that no thread with a duty waits for their source.

It looks every second what is due, and so it also notices a pause by a file where nothing else does: without messages,
probes and scrapes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping

from consumer.aliyun.kept_credentials import KeptCredentials
from consumer.core.observers import ApiCall, LeaseRenewal, Report, Retry, SettleError
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.loop import PacedLoop

LONGEST_QUESTION_SECONDS = 60.0
"""What one source may take: the transport bounds each request, an external command of a profile ends after a minute."""

_LOOK_SECONDS = 1.0

_REFUSED = frozenset(
    {"AccessKeyIdAndSecurityTokenNotMatch", "InvalidAccessKeyId", "InvalidSecurityToken", "SecurityTokenExpired"}
)
"""Codes with which services refuse a key or a token itself, and not a signature or a right."""


class CredentialRenewal(PacedLoop):
    """Renews the credentials that are due, one after the other; the worker's own first."""

    def __init__(
        self,
        kept: Mapping[str, KeptCredentials],
        stopping: threading.Event,
        heartbeat: Heartbeat,
        *,
        held_by: Callable[[], object] = lambda: "",
    ) -> None:
        """`kept` is by account, in the order of importance; `held_by` looks whether changes are paused."""
        super().__init__(heartbeat, stopping)
        self._kept = kept
        self._held_by = held_by

    def step(self) -> float:
        """Look for a pause, and renew the most important credentials that are due; no pause while others may be."""
        self._heartbeat.beat("looking whether changes are paused")  # no disk is sure to answer
        self._held_by()
        for account, kept in self._kept.items():
            if kept.renewal_due():
                self._heartbeat.beat(f"renewing the credentials of account {account}")
                kept.renew()
                return 0.0
        return _LOOK_SECONDS


class RefusedKeys:
    """Makes credentials due for renewal when a service refuses them before they expire."""

    def __init__(self, kept: Collection[KeptCredentials]) -> None:
        self._kept = kept

    def api_call(self, call: ApiCall) -> None:
        """The refusal does not name the account, so all are due; each queries its source at its own pace."""
        if call.code in _REFUSED:
            for kept in self._kept:
                kept.refused()

    def retry(self, retry: Retry) -> None:
        """Not of interest here."""

    def renewal(self, renewal: LeaseRenewal) -> None:
        """Not of interest here."""

    def settle_error(self, error: SettleError) -> None:
        """Not of interest here."""

    def report(self, report: Report) -> None:
        """Not of interest here."""
