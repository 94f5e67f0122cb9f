"""The journal's lines: how each is sealed to the one before, and how a reader proves that none is missing. Pure.

A line is one JSON object whose last member is `hash`: the SHA-256 of every byte of the line before it. Among these
bytes is `prev`, the hash of the line before, so whoever alters, removes or reorders one breaks the chain there. Whoever
can rewrite the whole file can make a new chain, and cut off the end without a trace; so keep the last hash somewhere
else and give it to `journal verify --anchor`.

Lines of the first version have no `v`. Their hash covers their fields, with the members in the order of their names;
such a line is taken as it is if it has the one spelling in which that version wrote, so the order of its members is
the only thing in it that the chain does not prove.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consumer.core import json_text
from consumer.core.observers import StepName
from consumer.core.outcome import SETTLED_BY, Disposition, Outcome, Settlement

GENESIS = "0" * 64
"""What the first line follows."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The end of a chain: what the next line follows."""

    sequence: int = 0
    digest: str = GENESIS


@dataclass(frozen=True, slots=True)
class Entry:
    """One whole line."""

    sequence: int
    previous: str
    digest: str
    step: str
    version: int
    fields: Fields
    """Everything in it."""

    @property
    def short_id(self) -> str:
        """What `journal show` shows and `undo` takes."""
        return self.digest[:12]

    @property
    def at_ms(self) -> int:
        """When it was written, in milliseconds since the epoch by the writer's clock; 0 if it does not say."""
        value = self.fields.get("at_ms")
        return value if isinstance(value, int) else 0

    def text(self, name: str) -> str:
        """A field as text; empty if it is not there."""
        value = self.fields.get(name)
        return "" if value is None else str(value)


VERSION = 2
"""Of the lines that are written: the hash covers bytes."""

FIRST_VERSION = 1

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode

_HASH = re.compile(rb',"hash":"([0-9a-f]{64})"}')
_HASH_BYTES = len(',"hash":""}') + 64


def sealed(head: ChainHead, fields: Fields) -> tuple[bytes, ChainHead]:
    """The line that follows `head`, with its newline, and the head that it makes."""
    return chained(head, encoded(fields))


class NewerLine(ValueError):
    """A line that a later version of this program wrote: whether it is whole, only that one knows."""


def encoded(fields: Fields) -> bytes:
    """A line's own fields, ready to be chained once it is known which line it follows.

    Raises:
        TypeError, ValueError: something in it has no form in JSON.
    """
    return _encode(fields).encode("ascii")[1:-1]


def chained(head: ChainHead, content: bytes) -> tuple[bytes, ChainHead]:
    """The line with these fields that follows `head`, with its newline, and the head that it makes."""
    sequence = head.sequence + 1
    covered = b'{"v":%d,"seq":%d,%b,"prev":"%b"' % (VERSION, sequence, content, head.digest.encode("ascii"))
    digest = hashlib.sha256(covered).hexdigest()
    return b'%b,"hash":"%b"}\n' % (covered, digest.encode("ascii")), ChainHead(sequence, digest)


def parsed(line: bytes) -> Entry:
    """The entry in one line, without its newline.

    Raises:
        NewerLine: a later version wrote it.
        ValueError: it is no whole line, or not byte for byte as it was written.
    """
    try:
        found = json_text.parse(line.decode(), object_pairs_hook=_distinct)
        content = {name: value for name, value in found.items() if name != "hash"}
        version = content.get("v", FIRST_VERSION)
        entry = Entry(
            _whole(content["seq"]), str(content["prev"]), str(found["hash"]), str(content["step"]), version, content
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a journal's line: {error}") from None
    match version:
        case 2:
            intact = _covers_bytes(line, entry.digest)
        case 1:
            intact = _covers_content(line, content, entry.digest)
        case int() if version > VERSION:
            raise NewerLine("it is of a version that is not known here")
        case _:
            raise ValueError("it is of a version that is not known here")
    if not intact:
        raise ValueError("its hash does not fit")
    return entry


_BEGINNING = re.compile(rb'\{("v":[0-9]+,)?"seq":[0-9]')
_FIRST_LINES = (f'{{"v":{VERSION},"seq":1,'.encode(), b'{"seq":1,')
"""How the first line of each version begins."""


def begins_a_journal(data: bytes) -> bool:
    """Whether a file that begins so may be a journal: with a line of it, or with what a crash left of its first one."""
    if _BEGINNING.match(data):
        return True
    written = data.rstrip(b"\0")  # some file systems leave zeros of a block that was not written yet
    return any(line.startswith(written) for line in _FIRST_LINES)


def _covers_bytes(line: bytes, digest: str) -> bool:
    found = _HASH.fullmatch(line, max(len(line) - _HASH_BYTES, 0))
    return found is not None and found[1] == digest.encode() == _digest(line[: found.start()])


def _covers_content(line: bytes, content: Fields, digest: str) -> bool:
    """As the first version had it; whatever is not spelled as it wrote was altered since."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    written = json.dumps({**content, "hash": digest}, ensure_ascii=True, separators=(",", ":"))
    return "v" not in content and written.encode("ascii") == line and _digest(text.encode("ascii")) == digest.encode()


def _digest(covered: bytes) -> bytes:
    return hashlib.sha256(covered).hexdigest().encode("ascii")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may choose differently between equal keys, so no line has them."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it has a key twice")
    return found


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 53:
        raise ValueError("its number is none")
    return value


def recovery(torn: bytes) -> dict[str, Any]:
    """The fields of the line that continues after a torn end."""
    return {
        "step": StepName.RECOVERED.value,
        "torn_bytes": len(torn),
        "torn_sha256": hashlib.sha256(torn).hexdigest(),
    }


@dataclass(frozen=True, slots=True)
class JournalProblem:
    """One thing that is wrong with a journal."""

    line: int
    text: str


@dataclass(slots=True)
class Verdict:
    """The result of reading a whole journal."""

    head: ChainHead = field(default_factory=ChainHead)
    entries: int = 0
    deletions: int = 0
    """Settlements that took a message off the queue, each with its earlier ending."""
    problems: list[JournalProblem] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)
    """Lines that a process left half written when it ended; those that follow account for them."""
    anchor: str = ""
    """The hash, or its beginning, that the chain has to go through; empty for none."""
    anchored_at: int | None = None
    """How many lines the chain has up to the anchor, that line included; None if it does not go through it."""
    old_lines: int = 0
    """Lines of the first version, in which the order of the members is not proved."""
    gaps: int = 0
    """How often a process could not write for a while; the line about it has how much is missing."""
    unproved: int = 0
    """Settlements whose ending is not there because of such a gap."""

    @property
    def whole(self) -> bool:
        """Nothing was altered, removed or reordered, and the anchor, if one was given, is in the chain."""
        return not self.problems and (not self.anchor or self.anchored_at is not None)


def verify(
    lines: Iterable[bytes], anchor: str = "", *, through: str = "", on_entry: Callable[[Entry], None] | None = None
) -> Verdict:
    """Read a journal from its beginning and prove it whole; lines come with their newlines.

    With `through`, a line's hash, reading ends with that line, and it is a problem if there is none. `on_entry` gets
    every line that can be read, whether it fits the one before it or not.
    """
    reader = _LineReader(anchor, on_entry)
    for number, line in enumerate(lines, 1):
        reader.read(number, line)
        if through and reader.at(through):
            return reader.finish()
    verdict = reader.finish()
    if through:
        verdict.problems.append(JournalProblem(verdict.entries, "the line that was looked for is not in the chain"))
    return verdict


_DELETING = frozenset(outcome.value for outcome in Outcome if SETTLED_BY[outcome] is Settlement.DELETE)
_DEAD_LETTERING = frozenset(outcome.value for outcome in Outcome if SETTLED_BY[outcome] is Settlement.DEAD_LETTER)
_LARGEST_TORN_BYTES = 1 << 24
"""A process that is killed leaves part of one write; more than this in a row is no torn end but damage."""
_KEEPING = frozenset(
    outcome.value
    for outcome in Outcome
    if SETTLED_BY[outcome] in (Settlement.HOLD, Settlement.BACK_OFF, Settlement.DEAD_LETTER)
)
"""Of them the last is kept where there is no dead-letter queue, or where that takes nothing."""
_NEEDED = {
    Disposition.DELETED.value: _DELETING,
    Disposition.DEAD_LETTERED.value: _DEAD_LETTERING,
    Disposition.PARKED.value: _KEEPING,
}


@dataclass(frozen=True, slots=True)
class _ReadEnding:
    """How the work on a delivery ended, by the line that was written before anything was done to its message."""

    outcome: str
    step: str
    comes_back: bool
    """Observed by a rule that deletes what it observes; the worker writes into each such ending what its rule is."""

    @classmethod
    def of(cls, entry: Entry) -> _ReadEnding:
        rule = (entry.text("mode"), entry.text("observed"))
        outcome = entry.text("outcome")
        return cls(outcome, entry.step, outcome == Outcome.WOULD_FIX and rule == ("observe", "delete"))

    def allows(self, disposition: str) -> bool:
        """Whether the message may leave the queue like this."""
        return self.outcome in _NEEDED[disposition] or (self.comes_back and disposition == Disposition.DELETED)


_NO_ENDING = _ReadEnding("", "", comes_back=False)


class _LineReader:
    """Goes through a journal line by line."""

    def __init__(self, anchor: str, on_entry: Callable[[Entry], None] | None = None) -> None:
        self._on_entry = on_entry
        self._verdict = Verdict(anchor=anchor)
        self._torn: list[bytes] = []
        self._torn_bytes = 0
        self._torn_lines: list[int] = []
        self._endings: dict[tuple[str, str], _ReadEnding] = {}
        """Of every delivery that is not settled yet."""
        self._without_gap: set[tuple[str, str]] = set()
        """Deliveries that are not settled yet and have no gap since their receipt."""

    def read(self, number: int, line: bytes) -> None:
        try:
            entry = parsed(line.removesuffix(b"\n"))
        except ValueError as error:
            self._torn_bytes += len(line)
            if self._torn_bytes <= _LARGEST_TORN_BYTES:
                self._torn.append(line)
            self._torn_lines.append(number)
            self._reason = str(error)
            return
        self._account_for_torn(entry)
        self._chain(number, entry)
        self._settle(number, entry)
        if self._on_entry is not None:
            self._on_entry(entry)

    def at(self, digest: str) -> bool:
        """Whether the line that was read last is that one."""
        return self._verdict.head.digest == digest

    def finish(self) -> Verdict:
        if self._torn_lines:
            foreign = not self._verdict.entries and not begins_a_journal(self._torn[0])
            if foreign or self._torn_bytes > _LARGEST_TORN_BYTES or self._torn[-1].endswith(b"\n"):
                self._altered()
            else:
                self._verdict.torn += self._torn_lines
        return self._verdict

    def _account_for_torn(self, entry: Entry) -> None:
        """What could not be read has to be named, byte for byte, by the line that follows it."""
        named = (entry.fields.get("torn_bytes"), entry.fields.get("torn_sha256"))
        is_recovery = entry.step == StepName.RECOVERED
        if self._torn_lines:
            # A torn end without a newline was given one, so that the next line could begin.
            whole = b"".join(self._torn)
            kept = [recovery(torn) for torn in (whole, whole.removesuffix(b"\n"))]
            if is_recovery and named in [(each["torn_bytes"], each["torn_sha256"]) for each in kept]:
                self._verdict.torn += self._torn_lines
            else:
                self._altered()
            self._torn, self._torn_bytes, self._torn_lines = [], 0, []

    def _altered(self) -> None:
        self._verdict.problems.append(JournalProblem(self._torn_lines[0], f"altered or damaged: {self._reason}"))

    def _chain(self, number: int, entry: Entry) -> None:
        verdict, head = self._verdict, self._verdict.head
        if entry.sequence != head.sequence + 1 or entry.previous != head.digest:
            text = f"does not follow the line before it: something was removed, reordered or altered ({entry.sequence})"
            verdict.problems.append(JournalProblem(number, text))
        verdict.head = ChainHead(entry.sequence, entry.digest)
        verdict.entries += 1
        verdict.old_lines += entry.version == FIRST_VERSION
        if entry.step == StepName.GAP:
            verdict.gaps += 1
            self._without_gap.clear()
        if verdict.anchor and entry.digest.startswith(verdict.anchor):
            verdict.anchored_at = verdict.entries

    def _settle(self, number: int, entry: Entry) -> None:
        delivery = (entry.text("message_id"), entry.text("dequeue_count"))
        if entry.step == StepName.RECEIVED:
            self._without_gap.add(delivery)
        elif entry.step in (StepName.DECIDED, StepName.VERIFIED):
            self._endings[delivery] = _ReadEnding.of(entry)
        elif entry.step == StepName.SETTLED:
            ending = self._endings.pop(delivery, _NO_ENDING)
            without_gap = delivery in self._without_gap
            self._without_gap.discard(delivery)
            disposition = entry.text("disposition")
            if disposition not in _NEEDED:
                return
            self._verdict.deletions += 1
            if not ending.outcome and not without_gap and self._verdict.gaps:
                self._verdict.unproved += 1
            elif not ending.allows(disposition):
                text = f"message {delivery[0]} was {disposition} without an ending that allows it"
                self._verdict.problems.append(JournalProblem(number, text))
            elif ending.outcome == Outcome.FIXED and ending.step != StepName.VERIFIED:
                text = f"message {delivery[0]} was deleted as fixed without a verified change"
                self._verdict.problems.append(JournalProblem(number, text))
