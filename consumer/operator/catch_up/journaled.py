"""Which events the worker's journal says are kept back: parked or hidden, where no look at a queue shows them.

Nobody can receive such a message before its time, so until then it is certain, and after that unknown. The end of the
journal is read, bounded in bytes, and the end of the file that it goes on from where one was moved away. What is not
found there is unknown as well: another replica may have a journal of its own, and an older line does not say for how
long a copy was parked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from consumer.config import Config
from consumer.core import files
from consumer.core.errors import ConfigurationError
from consumer.core.observers import StepName
from consumer.core.outcome import Disposition
from consumer.core.queue_limits import MAX_DELAY_SECONDS
from consumer.journal.format import Entry, parsed
from consumer.journal.reading import LONGEST_LINE_BYTES, opened, pieces
from consumer.operator.catch_up.plan import EventSeen, KeptBack, ListedResource

_MOST_BYTES = 1 << 28
"""Of the newest lines of each journal: hours of a worker that keeps twenty thousand messages back."""
_MOST_FILES = 16
_MOST_NEIGHBOURS = 1_000
_LAST_BYTES = 128
_AHEAD_MS = 60_000
"""How far a worker's clock may be ahead of this one's for its lines to be believed."""

_SEEN = {Disposition.PARKED.value: EventSeen.PARKED, Disposition.HIDDEN.value: EventSeen.HIDDEN}
_KEPT = re.compile(rb'"disposition":"(?:parked|hidden)"')
_RECEIVED = b'"step":"received"'
_MESSAGE = re.compile(rb'"message_id":"([^"\\]+)"')


@dataclass(frozen=True, slots=True)
class Journaled:
    """What the journals say."""

    kept: Mapping[ListedResource, KeptBack] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    """The journals that were read, without those that they go on from."""
    notes: tuple[str, ...] = ()
    """Which could not be read, or has nothing in it yet."""


def journaled(config: Config, named: Sequence[Path], wanted: Collection[ListedResource], now_ms: int) -> Journaled:
    """What is kept back of `wanted`, by the journals named on the command line, or else by the configured one.

    Raises:
        ConfigurationError: one that was named cannot be read, or is no journal.
            The configured one may be on another machine.
    """
    paths = tuple(named) or ((Path(config.journal.path),) if config.journal.path else ())
    found, read, notes = _KeptEvents(wanted, now_ms), list[str](), list[str]()
    for path in paths:
        lines = 0
        try:
            for line in _recent_lines(path, now_ms - MAX_DELAY_SECONDS * 1000):
                found.add(line)
                lines += line.endswith(b"\n")
        except OSError as error:
            if named:
                raise ConfigurationError(f"--journal: {path} cannot be read: {error.strerror}") from None
            notes.append(f"What is parked is unknown: the journal {path} cannot be read: {error.strerror}")
        else:
            if lines:
                read.append(str(path))
            else:
                notes.append(f"What is parked is unknown: the journal {path} has no line yet")
    return Journaled(found.kept, tuple(read), tuple(notes))


class _KeptEvents:
    """The message of each resource that is kept back longest; no more is remembered, however many there are."""

    def __init__(self, wanted: Collection[ListedResource], now_ms: int) -> None:
        self._wanted = wanted
        self._now_ms = now_ms
        self._resources: dict[str, ListedResource] = {}
        """By the id of the message that is kept back."""
        self.kept: dict[ListedResource, KeptBack] = {}

    def add(self, line: bytes) -> None:
        """The next line; one that is damaged, or says what cannot be, says nothing."""
        kept, received = _KEPT.search(line), _RECEIVED in line and self._knows(line)
        entry = _entry(line) if kept or received else None
        if entry and entry.step == StepName.SETTLED:
            self._settled(entry)
        elif entry and entry.step == StepName.RECEIVED:
            self._left(entry.text("message_id"))

    def _knows(self, line: bytes) -> bool:
        """Whether a line may be about a message that is kept back, before it is read as a whole."""
        found = _MESSAGE.search(line)
        return found is not None and found[1].decode("ascii", "replace") in self._resources

    def _settled(self, entry: Entry) -> None:
        resource = entry.text("config_rule_id"), entry.text("account"), entry.text("resource")
        how = _SEEN.get(entry.text("disposition"))
        if resource not in self._wanted or how is None:
            return
        until_ms = self._until_ms(entry, "parked_seconds" if how is EventSeen.PARKED else "hidden_seconds")
        known = self.kept.get(resource)
        if until_ms <= self._now_ms or (known and known.until_ms > until_ms):
            return
        if known:
            self._left(known.message_id)
        message = entry.text("parked_as") if how is EventSeen.PARKED else entry.text("message_id")
        self.kept[resource] = KeptBack(how, until_ms, message)
        self._resources[message] = resource

    def _until_ms(self, entry: Entry, name: str) -> int:
        """Until when nobody can receive it; 0 if that is unknown, as in lines of older versions."""
        seconds, at_ms = entry.fields.get(name), entry.at_ms
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MAX_DELAY_SECONDS:
            return 0
        return at_ms + int(seconds * 1000) if 0 < at_ms <= self._now_ms + _AHEAD_MS else 0

    def _left(self, message_id: str) -> None:
        if resource := self._resources.pop(message_id, None):
            self.kept.pop(resource, None)


def _entry(line: bytes) -> Entry | None:
    try:
        return parsed(line.removesuffix(b"\n"))
    except ValueError:
        return None


def _recent_lines(path: Path, since_ms: int) -> Iterator[bytes]:
    """The newest lines of a journal and of the files that it goes on from, the oldest first.

    Raises:
        OSError: the file cannot be read, or is no journal; one that it goes on from is left out.
    """
    with ExitStack() as stack:
        chain = [stack.enter_context(opened(path))]
        while len(chain) < _MOST_FILES and (follows := _follows(chain[-1], since_ms)):
            before = _ending_with(path, follows)
            if before is None:
                break
            chain.append(stack.enter_context(before))
        room = _MOST_BYTES
        starts = []
        for file in chain:
            size = file.seek(0, os.SEEK_END)
            starts.append(max(0, size - room))
            room = max(0, room - size)
        for file, start in reversed(list(zip(chain, starts, strict=True))):
            yield from _lines(file, start)


def _lines(file: BinaryIO, start: int) -> Iterator[bytes]:
    """From the first line that begins there or later."""
    found = pieces(file, max(0, start - 1))
    if start:
        while (rest := next(found, b"")) and not rest.endswith(b"\n"):
            pass
    yield from found


def _follows(file: BinaryIO, since_ms: int) -> str:
    """The hash of the last line of the file that this one goes on from; empty if that is too old to matter."""
    file.seek(0)
    first = _entry(file.readline(LONGEST_LINE_BYTES))
    return first.text("follows") if first and first.step == StepName.CONTINUED and first.at_ms >= since_ms else ""


def _ending_with(path: Path, digest: str) -> BinaryIO | None:
    """The file beside the journal that ends with the line of that hash, whatever it is called now."""
    ending = b'"hash":"%b"}' % digest.encode("ascii", "replace")
    try:
        with os.scandir(path.parent) as neighbours:
            found = [Path(each.path) for each in islice(neighbours, _MOST_NEIGHBOURS) if each.is_file()]
    except OSError:
        return None
    for each in found:
        try:
            file = files.opened(each)
        except OSError:
            continue
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LAST_BYTES))
        if file.read(_LAST_BYTES).rstrip(b"\n").endswith(ending):
            return file
        file.close()
    return None
