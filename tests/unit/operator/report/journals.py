"""Journals for reports: lines as a worker writes them, sealed, at moments of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consumer.core.outcome import SETTLED_BY, Outcome, Settlement
from consumer.journal.format import ChainHead, sealed

ACCOUNT = "1234567890123456"
WORKER = "remediator-0:1129"
PERSON = "anna@laptop:77"
NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
DAY = 86_400_000
SINCE, UNTIL = NOON - DAY, NOON + DAY


DISPOSITIONS = {
    Settlement.DELETE: "deleted",
    Settlement.HOLD: "hidden",
    Settlement.BACK_OFF: "hidden",
    Settlement.DEAD_LETTER: "dead_lettered",
    Settlement.NOTHING: "lease_lost",
}


class Book:
    """One journal that is being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head = ChainHead()
        self._messages = 0
        path.write_bytes(b"")

    def line(self, step: str, at_ms: int = NOON, who: str = WORKER, **fields: Any) -> str:
        """One line; returns its hash."""
        text, self.head = sealed(self.head, {"at_ms": at_ms, "who": who, "step": step, **fields})
        with self.path.open("ab") as file:
            file.write(text)
        return self.head.digest

    def ended(
        self,
        outcome: str,
        resource: str = "photos",
        at_ms: int = NOON,
        *,
        rule: str = "public-read",
        exposed_ms: int = 1_000,
        before: str = "public-read",
        after: str = "private",
        who: str = WORKER,
        **ending: Any,
    ) -> str:
        """One whole delivery; returns the hash of the line with its ending."""
        self._messages += 1
        message = {"message_id": f"{self._messages:032X}", "dequeue_count": 1}
        event = {
            "resource": resource,
            "region": "cn-hangzhou",
            "account": ACCOUNT,
            "config_rule_id": "cr-read",
            "evaluated_at_ms": at_ms - exposed_ms,
        }
        work = {**message, "rule": rule, "remediation": "oss.bucket-acl", "mode": "enforce", **event}
        states = {"before": before, "after": after}
        self.line("received", at_ms, who, **message)
        if outcome == "fixed":
            self.line("before", at_ms, who, **work, **states)
            self.line("changed", at_ms, who, **work, **states)
        step = "verified" if outcome == "fixed" else "decided"
        digest = self.line(
            step, at_ms, who, **work, **{"outcome": outcome, "reason": "", "detail": "", **ending, **states}
        )
        self.line(
            "settled",
            at_ms,
            who,
            **message,
            rule=rule,
            **event,
            outcome=outcome,
            disposition=DISPOSITIONS[SETTLED_BY[Outcome(outcome)]],
        )
        return digest
