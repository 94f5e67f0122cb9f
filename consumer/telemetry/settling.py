"""Whether settlements work, for readiness: a worker that repairs and cannot settle soon stands still."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consumer.core.observers import Report, SettleError
from consumer.core.outcome import Disposition

_PROVES: Mapping[Disposition, frozenset[str]] = {
    Disposition.DELETED: frozenset({"delete"}),
    Disposition.HIDDEN: frozenset({"hide"}),
    Disposition.RELEASED: frozenset({"hide"}),
    Disposition.DEAD_LETTERED: frozenset({"dead_letter", "delete"}),
    Disposition.PARKED: frozenset({"delete"}),
}
"""Which action of the queue a settled delivery has shown to work."""

_EXPIRED = "MessageNotExist"
"""The answer to a handle that is no longer valid: the queue works, and the message is delivered again.
https://www.alibabacloud.com/help/en/mns/message-not-exist-appears-when-you-delete-a-message-in-mns
"""

_PARK = "park"
"""What cannot be parked is hidden: the worker settles all the same."""

LONG_SECONDS = 30.0
"""What fails for so long without one success is no passing trouble."""

_OLD_SECONDS = 300.0
"""A failure that nothing has followed for so long says nothing about now."""


@dataclass(frozen=True, slots=True)
class _Failing:
    code: str
    since: float
    last: float


class SettlementWatch:
    """Remembers for each action of the queue since when it has only failed."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failing: dict[str, _Failing] = {}
        self._lock = threading.Lock()

    def settle_error(self, error: SettleError) -> None:
        """A settlement failed."""
        if error.code == _EXPIRED or error.action == _PARK:
            return
        now = self._monotonic()
        with self._lock:
            known = self._failing.get(error.action)
            self._failing[error.action] = _Failing(error.code, known.since if known else now, now)

    def report(self, report: Report) -> None:
        """A delivery was settled, which shows what works."""
        proven = _PROVES.get(report.disposition, frozenset())
        if proven & self._failing.keys():
            with self._lock:
                for action in proven:
                    self._failing.pop(action, None)

    def reason(self) -> str:
        """Which action fails, with which code and for how long; empty while all work."""
        now = self._monotonic()
        with self._lock:
            failing = dict(self._failing)
        for action, found in sorted(failing.items()):
            if now - found.since >= LONG_SECONDS and now - found.last <= _OLD_SECONDS:
                return f"settlements fail: {action} for {now - found.since:.0f} s, last {found.code}"
        return ""
