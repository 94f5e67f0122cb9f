"""What a journal says of one event while it is under way: who took it, how it ended, and when.

The worker's own record of the very message is the proof of who repaired the canary. It can be read only where the
journal's file can be, so nothing here means nothing.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from consumer.core import files
from consumer.core.observers import StepName
from consumer.core.outcome import Outcome
from consumer.journal.format import Entry, parsed
from consumer.operator.records import by_person

_MOST_BYTES = 1 << 22
"""Of one look; no line of a worker comes near."""
_MOST_RECEIVED = 10_000
"""Receipts whose event is not known yet."""


@dataclass(frozen=True, slots=True)
class Marks:
    """By what the lines about an event are known."""

    resource: str
    rule: str
    evaluated_at_ms: int


@dataclass(slots=True)
class EventRecord:
    """What was read so far."""

    received: Entry | None = None
    ending: Entry | None = None
    """The latest line about how the event was going to end."""
    settled: Entry | None = None
    fixed_by: Entry | None = None
    """The line that proves the repair, of this event or of another one about the same resource and rule."""

    @property
    def outcome(self) -> Outcome | None:
        """How the event has ended so far."""
        try:
            return Outcome(self.ending.text("outcome")) if self.ending else None
        except ValueError:
            return None

    @property
    def reason(self) -> str:
        """Why, for a person."""
        if self.ending is None:
            return ""
        return ": ".join(text for name in ("reason", "detail") if (text := self.ending.text(name)))


class FollowedJournal:
    """The lines that workers add to a journal from now on."""

    def __init__(self, path: Path | None, marks: Marks) -> None:
        """`trouble` says at any time why it cannot be read, or nothing."""
        self._path = path
        self._marks = marks
        self._received: OrderedDict[str, Entry] = OrderedDict()
        self._file, self._offset = 0, 0
        self.record = EventRecord()
        self.trouble = "" if path else "no journal is configured"
        if path:
            self._read(path, skip=True)

    def look(self) -> EventRecord:
        """Read on."""
        for line in self._read(self._path).splitlines() if self._path else ():
            try:
                self._take(parsed(line))
            except ValueError:
                continue
        return self.record

    def _read(self, path: Path, *, skip: bool = False) -> bytes:
        """The whole lines that are new; `skip` leaves out what is there."""
        try:
            with files.opened(path) as file:
                known = os.fstat(file.fileno())
                if skip:
                    self._file, self._offset = known.st_ino, known.st_size
                    return b""
                if known.st_ino != self._file or known.st_size < self._offset:
                    self._file, self._offset = known.st_ino, 0  # another file, since the old one was moved away
                file.seek(self._offset)
                data = file.read(_MOST_BYTES)
        except OSError as error:
            self.trouble = f"the journal {path} cannot be read here: {error.strerror}"
            return b""
        self.trouble = ""
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        return data[:whole]

    def _take(self, entry: Entry) -> None:
        if by_person(entry):
            return
        message = entry.text("message_id")
        if entry.step == StepName.RECEIVED:
            self._received[message] = entry
            if len(self._received) > _MOST_RECEIVED:
                self._received.popitem(last=False)
            return
        if (entry.text("resource"), entry.text("rule")) != (self._marks.resource, self._marks.rule):
            return
        if entry.step == StepName.VERIFIED and entry.text("outcome") == Outcome.FIXED:
            self.record.fixed_by = entry
        if entry.text("evaluated_at_ms") == str(self._marks.evaluated_at_ms):
            self._of_the_event(entry, message)

    def _of_the_event(self, entry: Entry, message: str) -> None:
        record = self.record
        record.received = record.received or self._received.get(message)
        match entry.step:
            case StepName.DECIDED | StepName.VERIFIED:
                record.ending = entry
            case StepName.SETTLED:
                record.settled = entry
            case _:
                pass
