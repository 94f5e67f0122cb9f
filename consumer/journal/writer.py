"""Writes the steps of every delivery into the journal; a `consumer.core.observers.StepListener`.

Every line is on the disk before the step's thread goes on, so that what is about to be changed, and how a message is
going to end, is known even if the process ends the next moment. A line that cannot be written is counted with the
other failures of listeners; it never keeps a message from being settled.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from consumer import __version__
from consumer.core.event import Event
from consumer.core.message import Received
from consumer.core.observers import Report, Step, StepName
from consumer.journal.file import JournalFile
from consumer.journal.format import Fields


def actor() -> str:
    """Who writes: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


class JournalWriter:
    """One process's part of the journal."""

    def __init__(
        self,
        file: JournalFile,
        *,
        who: str = "",
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._file = file
        self._who = who or actor()
        self._wall_ms = wall_ms

    @classmethod
    def at(cls, path: Path) -> JournalWriter:
        """The journal at a path.

        Raises:
            ConfigurationError: it cannot be written.
        """
        return cls(JournalFile(path))

    def opened(self, access_key_id: str) -> None:
        """Write who works here from now on.

        Raises:
            OSError: it could not be written.
        """
        self.write([{"step": StepName.OPENED.value, "version": __version__, "access_key_id": access_key_id}])

    def write(self, entries: Sequence[Fields]) -> str:
        """Add lines with the time and who wrote them; returns the last one's hash.

        Raises:
            OSError: they could not be written.
        """
        stamped = [{"at_ms": self._wall_ms(), "who": self._who, **entry} for entry in entries]
        return self._file.append(stamped).digest

    def received(self, messages: Sequence[Received]) -> None:
        """What one receive brought."""
        self.write([{"step": StepName.RECEIVED.value, **_message(message)} for message in messages])

    def step(self, step: Step) -> None:
        """One step of a delivery's way."""
        fields: dict[str, Any] = {"step": step.name.value, **_message(step.message)}
        fields |= {"rule": step.rule, "remediation": step.remediation, "mode": step.mode, **_event(step.event)}
        if step.ending is not None:
            ending = step.ending
            fields |= {"outcome": ending.outcome.value, "reason": ending.reason, "detail": ending.detail}
        self.write([{**fields, "before": step.before, "after": step.after}])

    def report(self, report: Report) -> None:
        """What became of the message on the queue."""
        self.write(
            [
                {
                    "step": StepName.SETTLED.value,
                    **_message(report.message),
                    "rule": report.rule,
                    **_event(report.event),
                    "outcome": report.outcome.value if report.outcome else "",
                    "disposition": report.disposition.value,
                    "hidden_seconds": report.hidden_seconds,
                }
            ]
        )

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return self._file.size_bytes

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _message(message: Received) -> dict[str, Any]:
    return {"message_id": message.message_id, "dequeue_count": message.dequeue_count}


def _event(event: Event | None) -> dict[str, Any]:
    if event is None:
        return {}
    return {
        "resource": event.resource_id,
        "region": event.region,
        "account": event.account_id,
        "config_rule_id": event.config_rule_id,
        "evaluated_at_ms": event.evaluated_at_ms,
    }
