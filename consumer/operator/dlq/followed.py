"""What became of messages that a redrive has sent, as far as this command can see within a bounded time.

Two places show it: the dead-letter queue, where one that failed for good is a new letter that names the message, and
the journal, if the worker writes it where this command reads it. A message that had to wait is parked, under a new id,
and is followed by that. The worker's queue is not looked at: only a receive would show what is in it, and would take it
from the worker. So silence is no verdict, and is never called one.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Container, Mapping
from pathlib import Path

from consumer.aliyun.mns.queue import Queue
from consumer.core import files
from consumer.core.observers import StepName
from consumer.core.outcome import Disposition
from consumer.core.queue_limits import MAX_BATCH
from consumer.journal.format import Entry, parsed
from consumer.operator.dlq.letters import Letter, read

_LOOK_SECONDS = 1.0
_MOST_BYTES = 64 << 20
"""Of the journal, from where it ended before the first message was sent."""


class Journal:
    """The part of a journal that is written from now on; nothing where there is none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._position = self._size() or 0

    @property
    def kept(self) -> bool:
        """Whether there is a journal to read here."""
        return self._path is not None and self._size() is not None

    def news(self) -> list[Entry]:
        """The whole lines that were written since the last look; one that is moved away begins anew."""
        size = self._size()
        if self._path is None or size is None:
            return []
        if size < self._position:
            self._position = 0
        try:
            with files.opened(self._path) as file:
                file.seek(self._position)
                block = file.read(_MOST_BYTES)
        except OSError:
            return []
        whole = block[: block.rfind(b"\n") + 1]
        self._position += len(whole)
        return [entry for line in whole.splitlines() if (entry := _entry(line))]

    def _size(self) -> int | None:
        """How large it is; None where there is none that can be read."""
        if self._path is None or not os.access(self._path, os.R_OK):
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None


class Followed:
    """Follows messages by their ids."""

    def __init__(
        self,
        dead: Queue,
        journal: Journal,
        before: Container[str] = frozenset(),
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`before` has the ids of letters that were there before anything was sent."""
        self._dead = dead
        self._journal = journal
        self._before = before
        self._monotonic = monotonic
        self._pause = pause
        self._seen: dict[str, str] = {}
        """What was last heard of a message."""
        self._ended: set[str] = set()
        self._names: dict[str, str] = {}
        """The sent message by the ids that it has had since: each parked copy has one of its own."""
        self._identities: dict[str, str] = {}
        """The sent message by origin and body, which it shares with its copies, as letters name them."""

    def wait(self, sent: Mapping[str, str], seconds: float) -> dict[str, str]:
        """What became of each of these messages, once all have ended or after so many seconds.

        `sent` has the identity of its letter by each message's id.

        Raises:
            ServiceError: the dead-letter queue cannot be looked at.
        """
        self._names = {each: each for each in sent}
        self._identities = {identity: each for each, identity in sent.items()}
        until = self._monotonic() + seconds
        while True:
            self._look()
            left = until - self._monotonic()
            if left <= 0 or self._ended.issuperset(sent):
                break
            self._pause(min(_LOOK_SECONDS, left))
        where = "" if self._journal.kept else "; without journal.path here only a new letter would show"
        silent = f"nothing seen of it within {seconds:g} s: it waits, or is in work{where}"
        return {each: self._seen.get(each, silent) for each in sent}

    def _look(self) -> None:
        for entry in self._journal.news():
            if entry.step == StepName.SETTLED and (message := self._names.get(entry.text("message_id"))):
                self._settled(entry, message)
        for peeked in self._dead.peek(MAX_BATCH):
            if peeked.message_id in self._before:
                continue
            letter = read(peeked.message_id, peeked.body, peeked.enqueued_at_ms)
            if message := self._of(letter):
                self._ended.add(message)
                why = ", ".join(word for word in (letter.outcome, letter.reason) if word)
                self._seen[message] = f"came back as letter {letter.short_id}: {why}"

    def _of(self, letter: Letter) -> str | None:
        """The sent message that a new letter is about: it names it or a copy of it, or has its origin and body."""
        named = str(letter.document.get("message_id", ""))
        by_name = self._names.get(named) or self._names.get(letter.origin_id)
        return by_name or self._identities.get(letter.identity)

    def _settled(self, entry: Entry, message: str) -> None:
        disposition = entry.text("disposition")
        if parked_as := entry.text("parked_as"):
            self._names[parked_as] = message
        if message in self._ended:
            return
        self._seen[message] = f"{entry.text('outcome') or 'no outcome'}, {disposition}"
        if disposition in (Disposition.DELETED, Disposition.DEAD_LETTERED):
            self._ended.add(message)


def _entry(line: bytes) -> Entry | None:
    try:
        return parsed(line)
    except ValueError:
        return None
