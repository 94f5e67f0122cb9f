"""Writes the steps of every delivery into the journal; a `consumer.core.observers.StepListener`.

No step is taken before the line that announces it is on the disk: no delivery is worked on before `received`, nothing
is changed before `before`, nothing is done to a message on the queue before its ending. So what is about to be changed,
and how a message is going to end, is known even if the process ends the next moment. What announces nothing goes to the
disk with the next line that does, at the latest when a settler syncs: before each of its requests, and after it.

A line that cannot be written never keeps a message from being settled. How many were lost is written as soon as lines
can be written again, counted, and logged; whether a change is made without its line is the policy `journal.required`,
which the pipeline keeps.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consumer import __version__
from consumer.core.errors import ConfigurationError
from consumer.core.event import Event
from consumer.core.message import Received
from consumer.core.observers import Report, Step, StepName
from consumer.core.outcome import Outcome
from consumer.core.printable import printable
from consumer.core.sent import SentRequest, SentRequests
from consumer.journal.commit import GroupCommit
from consumer.journal.file import JournalFile
from consumer.journal.format import Fields, encoded

_MOST_REQUESTS = 64
"""Ids of requests in one line; work that takes more repeats itself, and the first ones show why."""

_LONGEST_ANSWER = 128
"""Characters of an operation, an error code and a request's id, which a service's answer may make very long."""

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
    """The writing process, as host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class _Gap:
    """Lines that could not be written, one after the other."""

    since_ms: int
    lost_lines: int
    reason: str

    def fields(self) -> Fields:
        """The line about it."""
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
        log_event: Callable[..., None] = lambda _event, **_fields: None,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._file = file
        self._who = who or actor()
        self._log_event = log_event
        self._wall_ms = wall_ms
        self.last = ""
        """The hash of the last line that this process has written; with several threads, of any of them."""
        self._gap: _Gap | None = None
        self._gaps = 0
        self._commits = GroupCommit(self._append)

    @classmethod
    def at(cls, path: Path, log_event: Callable[..., None]) -> JournalWriter:
        """The journal at a path; `log_event` reports lines that are missing.

        Raises:
            ConfigurationError: it cannot be written.
        """
        return cls(JournalFile(path), log_event=log_event)

    def opened(self, access_key_id: str) -> None:
        """Write which process works here from now on.

        Raises:
            ConfigurationError: it could not be written: the disk is full, or somebody else keeps the lock.
        """
        try:
            self.write([{"step": StepName.OPENED.value, "version": __version__, "access_key_id": access_key_id}])
        except OSError as error:
            raise ConfigurationError(f"journal.path: the journal cannot be written: {error.strerror}") from None

    def write(self, entries: Sequence[Fields]) -> None:
        """Add lines with the time and who wrote them, and return when they are on the disk.

        Raises:
            OSError: they could not be written.
        """
        self._commits.commit(self._encoded(entries))

    def sync(self) -> None:
        """Return when every line so far is on the disk.

        Raises:
            OSError: the last ones could not be written.
        """
        self._commits.commit()

    def _add(self, entry: Fields) -> None:
        """Add a line that goes to the disk with the next ones."""
        self._commits.add(self._encoded([entry]))

    def _encoded(self, entries: Sequence[Fields]) -> list[bytes]:
        stamp = self._stamp()
        return [encoded({**stamp, **entry}) for entry in entries]

    def _stamp(self) -> Fields:
        return {"at_ms": self._wall_ms(), "who": self._who}

    def _append(self, lines: Sequence[bytes]) -> None:
        """Write the lines of any number of threads, after one that says what is missing; one thread at a time."""
        gap, stamp = self._gap, self._stamp()
        missing = [encoded({**stamp, **gap.fields()})] if gap else []
        try:
            self.last = self._file.append([*missing, *lines], stamp).digest
        except Exception as error:  # whatever it is, these lines are missing
            self._lost(len(lines), getattr(error, "strerror", None) or str(error))
            raise
        if gap:
            self._gap = None
            self._log_event("journal.goes_on", lost_lines=gap.lost_lines)

    @property
    def trouble(self) -> str:
        """Why lines cannot be written at the moment, or nothing."""
        gap = self._gap
        return f"the journal cannot be written: {gap.reason}" if gap else ""

    @property
    def gaps(self) -> int:
        """How often lines were lost: rows of lines that could not be written, and journals that were deleted."""
        return self._gaps + self._file.deleted

    def _lost(self, lines: int, reason: str) -> None:
        known = self._gap
        since, before = (known.since_ms, known.lost_lines) if known else (self._wall_ms(), 0)
        self._gap = _Gap(since, before + lines, reason)
        if known is None:
            self._gaps += 1
            self._log_event("journal.cannot_be_written", reason=reason)

    def received(self, messages: Sequence[Received]) -> None:
        """Write a line for each message of a receive."""
        self.write([{"step": StepName.RECEIVED.value, **_message(message), **_origin(message)} for message in messages])

    def step(self, step: Step) -> None:
        """Write one step of a delivery's way."""
        fields: dict[str, Any] = {"step": step.name.value, **_message(step.message)}
        fields |= {"rule": step.rule, "remediation": step.remediation, "mode": step.mode, **_event(step.event)}
        if step.ending is not None:
            ending = step.ending
            fields |= {"outcome": ending.outcome.value, "reason": ending.reason, "detail": ending.detail}
            if ending.attempt is not None and ending.attempt.in_part:
                fields["in_part"] = True  # alone lets a change be undone that did not come to its end
            if ending.outcome is Outcome.WOULD_FIX:
                fields["observed"] = step.observed  # alone allows this ending's message to be deleted
            if step.request_ids:
                fields["request_ids"] = list(step.request_ids[:_MOST_REQUESTS])
            fields |= _requests(step.requests)
        if step.incarnation:
            fields["incarnation"] = step.incarnation
        line = {**fields, "before": step.before, "after": step.after}
        if step.name is StepName.BEFORE:
            self.write([line])
        else:
            self._add(line)

    def report(self, report: Report) -> None:
        """Write how the message was settled."""
        line = {
            "step": StepName.SETTLED.value,
            **_message(report.message),
            "rule": report.rule,
            **_event(report.event),
            "outcome": report.outcome.value if report.outcome else "",
            "disposition": report.disposition.value,
            "hidden_seconds": report.hidden_seconds,
            **_copy(report),
        }
        self._add(line)

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return self._file.size_bytes

    def close(self) -> None:
        """Write what is left, as far as that can be done, and close the file."""
        with suppress(OSError):
            self.sync()
        self._file.close()


def _message(message: Received) -> dict[str, Any]:
    return {"message_id": message.message_id, "dequeue_count": message.dequeue_count}


def _origin(message: Received) -> dict[str, Any]:
    """Of a parked copy, the message that it was made from, as it claims itself."""
    return {"copy_of": message.origin_id} if message.origin_id != message.message_id else {}


def _copy(report: Report) -> dict[str, Any]:
    """Of a parked message, its copy, and for how long nobody can receive that."""
    return {"parked_as": report.parked_as, "parked_seconds": report.parked_seconds} if report.parked_as else {}


def _requests(sent: SentRequests) -> dict[str, Any]:
    """Which requests the work has sent and how each was answered; an empty list says that none was."""
    found: dict[str, Any] = {"requests": [_request(each) for each in sent.kept]}
    return found | ({"requests_left_out": sent.left_out} if sent.left_out else {})


def _request(request: SentRequest) -> dict[str, Any]:
    """One request: when it ended, what it was, its answer, how long it took."""
    call = request.call
    return {
        "at_ms": request.at_ms,
        "service": call.service[:_LONGEST_ANSWER],
        "operation": call.operation[:_LONGEST_ANSWER],
        "code": call.code[:_LONGEST_ANSWER],
        "request_id": call.request_id[:_LONGEST_ANSWER],
        "ms": round(call.seconds * 1_000),
    }


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
