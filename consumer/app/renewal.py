"""The thread that renews credentials beside the work, so that no thread with a duty waits for their source."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from consumer.aliyun.kept_credentials import KeptCredentials
from consumer.engine.heartbeat import Pulse

LONGEST_QUESTION_SECONDS = 60.0
"""What one source may take: the transport bounds each request, an external command of a profile ends after a minute."""

_LOOK_SECONDS = 1.0


class Renewal:
    """Asks one source after the other whose credentials are due; the worker's own first."""

    def __init__(self, kept: Mapping[str, KeptCredentials], stopping: threading.Event, pulse: Pulse) -> None:
        """`kept` is by account, in the order of importance."""
        self._kept = kept
        self._stopping = stopping
        self._pulse = pulse

    def run(self) -> None:
        """Renew what is due until the process stops."""
        while not self._stopping.is_set():
            self._pulse.rest()
            if not self.step():
                self._stopping.wait(_LOOK_SECONDS)

    def step(self) -> bool:
        """Renew the most important credentials that are due; whether there were any."""
        for account, kept in self._kept.items():
            if kept.renewal_due():
                self._pulse.beat(f"asking for the credentials of account {account}")
                kept.renew()
                return True
        return False
