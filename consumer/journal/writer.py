"""Writes the steps of every delivery into the journal; a `consumer.core.observers.StepListener`.

Every line is on the disk before the step's thread goes on, so that what is about to be changed, and how a message is
going to end, is known even if the process ends the next moment. A line that cannot be written never keeps a message
from being settled. How many were lost is written as soon as lines can be written again, counted, and logged;
whether a change is made without its line is the policy `journal.required`, which the pipeline keeps.
"""

from __future__ import annotations

import getpass
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consumer import __version__
from consumer.core.errors import ConfigurationError
from consumer.core.event import Event
from consumer.core.message import Received
from consumer.core.observers import Report, Step, StepName
from consumer.core.printable import printable
from consumer.journal.file import JournalFile
from consumer.journal.format import Fields

_MOST_REQUESTS = 64
"""Ids of requests in one line; work that takes more is tried again and again, and its first ones say why."""


_LONGEST_NAME = 128


def user() -> str:
    """Who is logged in; by number where the system has no name, as in a container.

    The name may come from a variable of the environment, so it is made printable and cut to size.
    """
    try:
        return printable(getpass.getuser())[:_LONGEST_NAME]
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def actor() -> str:
    """Who writes: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class _Gap:
    """Lines that could not be written, one after the other."""

    since_ms: int
    lost_lines: int
    reason: str

    def fields(self) -> Fields:
        """The line that says so."""
        return {
            "step": StepName.GAP.value,
            "lost_lines": self.lost_lines,
            "since_ms": self.since_ms,
            "reason": self.reason,
        }


class JournalWriter:
    """One process's part of the journal."""

    def __init__(
        self,
        file: JournalFile,
        *,
        who: str = "",
        say: Callable[..., None] = lambda _event, **_fields: None,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._file = file
        self._who = who or actor()
        self._say = say
        self._wall_ms = wall_ms
        self.last = ""
        """The hash of the last line that this process has written; with several threads, of any of them."""
        self._gap: _Gap | None = None
        self._gaps = 0
        self._reporting = False
        """Whether a thread is about to write what is missing."""
        self._lock = threading.Lock()
        """Over the gap and the count; never held while the file is written."""

    @classmethod
    def at(cls, path: Path, say: Callable[..., None]) -> JournalWriter:
        """The journal at a path, with what says in the log that lines are missing.

        Raises:
            ConfigurationError: it cannot be written.
        """
        return cls(JournalFile(path), say=say)

    def opened(self, access_key_id: str) -> None:
        """Write who works here from now on.

        Raises:
            ConfigurationError: it could not be written: the disk is full, or somebody else keeps the lock.
        """
        try:
            self.write([{"step": StepName.OPENED.value, "version": __version__, "access_key_id": access_key_id}])
        except OSError as error:
            raise ConfigurationError(f"journal.path: the journal cannot be written: {error.strerror}") from None

    def write(self, entries: Sequence[Fields]) -> str:
        """Add lines with the time and who wrote them; returns the last one's hash.

        Raises:
            OSError: they could not be written.
        """
        gap = self._gap_to_report()
        lines = [gap.fields(), *entries] if gap else entries
        stamped = [{"at_ms": self._wall_ms(), "who": self._who, **line} for line in lines]
        try:
            digest = self._file.append(stamped).digest
        except OSError as error:
            self._lost(len(entries), error.strerror or str(error), reporting=gap is not None)
            raise
        if gap:
            self._reported(gap)
        self.last = digest
        return digest

    @property
    def trouble(self) -> str:
        """Why lines cannot be written at the moment, or nothing."""
        gap = self._gap
        return f"the journal cannot be written: {gap.reason}" if gap else ""

    @property
    def gaps(self) -> int:
        """How often lines were lost: rows of lines that could not be written, and journals that were deleted."""
        return self._gaps + self._file.deleted

    def _gap_to_report(self) -> _Gap | None:
        """The gap that is yet to be written, for one thread at a time."""
        with self._lock:
            if self._gap is None or self._reporting:
                return None
            self._reporting = True
            return self._gap

    def _lost(self, lines: int, reason: str, *, reporting: bool) -> None:
        with self._lock:
            known = self._gap
            since, before = (known.since_ms, known.lost_lines) if known else (self._wall_ms(), 0)
            self._gap = _Gap(since, before + lines, reason)
            self._gaps += known is None
            self._reporting = self._reporting and not reporting
        if known is None:
            self._say("journal.cannot_be_written", reason=reason)

    def _reported(self, gap: _Gap) -> None:
        with self._lock:
            left = self._gap.lost_lines - gap.lost_lines if self._gap else 0
            self._gap = replace(self._gap, lost_lines=left) if self._gap and left else None
            self._reporting = False
        self._say("journal.goes_on", lost_lines=gap.lost_lines)

    def received(self, messages: Sequence[Received]) -> None:
        """What one receive brought."""
        self.write([{"step": StepName.RECEIVED.value, **_message(message), **_origin(message)} for message in messages])

    def step(self, step: Step) -> None:
        """One step of a delivery's way."""
        fields: dict[str, Any] = {"step": step.name.value, **_message(step.message)}
        fields |= {"rule": step.rule, "remediation": step.remediation, "mode": step.mode, **_event(step.event)}
        if step.ending is not None:
            ending = step.ending
            fields |= {"outcome": ending.outcome.value, "reason": ending.reason, "detail": ending.detail}
            if step.request_ids:
                fields["request_ids"] = list(step.request_ids[:_MOST_REQUESTS])
        if step.incarnation:
            fields["incarnation"] = step.incarnation
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
                    **({"parked_as": report.parked_as} if report.parked_as else {}),
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


def _origin(message: Received) -> dict[str, Any]:
    """Of a parked copy, the message that it was made from, as it claims itself."""
    return {"copy_of": message.origin_id} if message.origin_id != message.message_id else {}


def _event(event: Event | None) -> dict[str, Any]:
    if event is None:
        return {}
    return {
        "resource_type": event.resource_type,
        "resource": event.resource_id,
        "region": event.region,
        "account": event.account_id,
        "config_rule_id": event.config_rule_id,
        "evaluated_at_ms": event.evaluated_at_ms,
    }
