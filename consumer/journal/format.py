"""The journal's lines: how each is sealed to the one before, and how a reader proves that none is missing. Pure.

A line is one JSON object. Its `hash` covers everything else in it and, by `prev`, every line before: whoever alters,
removes or reorders one breaks the chain there. Whoever can rewrite the whole file can make a new chain, and cut off
the end without a trace; so keep the last hash somewhere else and give it to `journal verify --anchor`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consumer.core.observers import StepName
from consumer.core.outcome import SETTLED_BY, Disposition, Outcome, Settlement

GENESIS = "0" * 64
"""What the first line follows."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
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
    fields: Fields
    """Everything in it."""

    @property
    def short_id(self) -> str:
        """What `journal show` shows and `undo` takes."""
        return self.digest[:12]

    def text(self, name: str) -> str:
        """A field as text; empty if it is not there."""
        value = self.fields.get(name)
        return "" if value is None else str(value)


def sealed(head: Head, fields: Fields) -> tuple[bytes, Head]:
    """The line that follows `head`, with its newline, and the head that it makes."""
    content = {"seq": head.sequence + 1, **fields, "prev": head.digest}
    digest = _digest(content)
    line = json.dumps({**content, "hash": digest}, ensure_ascii=True, separators=(",", ":"))
    return line.encode("ascii") + b"\n", Head(head.sequence + 1, digest)


def parsed(line: bytes) -> Entry:
    """The entry in one line.

    Raises:
        ValueError: it is no whole line, or not as it was written.
    """
    try:
        found = json.loads(line)
        content = {name: value for name, value in found.items() if name != "hash"}
        entry = Entry(int(content["seq"]), str(content["prev"]), str(found["hash"]), str(content["step"]), content)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a journal's line: {error}") from None
    if _digest(content) != entry.digest:
        raise ValueError("its hash does not fit")
    return entry


def _digest(content: Fields) -> str:
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def recovery(torn: bytes) -> dict[str, Any]:
    """The fields of the line that continues after a torn end."""
    return {
        "step": StepName.RECOVERED.value,
        "torn_bytes": len(torn),
        "torn_sha256": hashlib.sha256(torn).hexdigest(),
    }


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a journal."""

    line: int
    text: str


@dataclass(slots=True)
class Verdict:
    """What reading a whole journal came to."""

    head: Head = field(default_factory=Head)
    entries: int = 0
    deletions: int = 0
    """Settlements that took a message off the queue, each with its earlier ending."""
    problems: list[Problem] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)
    """Lines that a process left half written when it ended; those that follow account for them."""
    anchored: bool = False
    """Whether the chain goes through the anchor."""


def verify(lines: Iterable[bytes], anchor: str = "") -> Verdict:
    """Read a journal from its beginning and prove it whole; lines come with their newlines."""
    reader = _Reader(anchor)
    for number, line in enumerate(lines, 1):
        reader.read(number, line)
    return reader.finish()


_DELETING = frozenset(outcome.value for outcome in Outcome if SETTLED_BY[outcome] is Settlement.DELETE)
_DEAD_LETTERING = frozenset(outcome.value for outcome in Outcome if SETTLED_BY[outcome] is Settlement.DEAD_LETTER)
_NEEDED = {Disposition.DELETED.value: _DELETING, Disposition.DEAD_LETTERED.value: _DEAD_LETTERING}


class _Reader:
    """Goes through a journal line by line."""

    def __init__(self, anchor: str) -> None:
        self._verdict = Verdict()
        self._anchor = anchor
        self._torn = b""
        self._torn_lines: list[int] = []
        self._endings: dict[tuple[str, str], tuple[str, str]] = {}
        """Outcome and step of every delivery that is not settled yet."""

    def read(self, number: int, line: bytes) -> None:
        try:
            entry = parsed(line.removesuffix(b"\n"))
        except ValueError as error:
            self._torn += line
            self._torn_lines.append(number)
            self._reason = str(error)
            return
        self._account_for_torn(entry)
        self._follow(number, entry)
        self._settle(number, entry)

    def finish(self) -> Verdict:
        if self._torn_lines:
            if self._torn.endswith(b"\n"):
                self._altered()
            else:
                self._verdict.torn += self._torn_lines
        return self._verdict

    def _account_for_torn(self, entry: Entry) -> None:
        """What could not be read has to be named, byte for byte, by the line that follows it."""
        told = (entry.fields.get("torn_bytes"), entry.fields.get("torn_sha256"))
        is_recovery = entry.step == StepName.RECOVERED
        if self._torn_lines:
            # A torn end without a newline was given one, so that the next line could begin.
            kept = [recovery(torn) for torn in (self._torn, self._torn.removesuffix(b"\n"))]
            if is_recovery and told in [(each["torn_bytes"], each["torn_sha256"]) for each in kept]:
                self._verdict.torn += self._torn_lines
            else:
                self._altered()
            self._torn, self._torn_lines = b"", []

    def _altered(self) -> None:
        self._verdict.problems.append(Problem(self._torn_lines[0], f"altered or damaged: {self._reason}"))

    def _follow(self, number: int, entry: Entry) -> None:
        verdict, head = self._verdict, self._verdict.head
        if entry.sequence != head.sequence + 1 or entry.previous != head.digest:
            text = f"does not follow the line before it: something was removed, reordered or altered ({entry.sequence})"
            verdict.problems.append(Problem(number, text))
        verdict.head = Head(entry.sequence, entry.digest)
        verdict.entries += 1
        if self._anchor and entry.digest.startswith(self._anchor):
            verdict.anchored = True

    def _settle(self, number: int, entry: Entry) -> None:
        delivery = (entry.text("message_id"), entry.text("dequeue_count"))
        if entry.step in (StepName.DECIDED, StepName.VERIFIED):
            self._endings[delivery] = (entry.text("outcome"), entry.step)
        elif entry.step == StepName.SETTLED:
            outcome, step = self._endings.pop(delivery, ("", ""))
            needed = _NEEDED.get(entry.text("disposition"))
            if needed is None:
                return
            self._verdict.deletions += 1
            if outcome not in needed:
                text = f"message {delivery[0]} was {entry.text('disposition')} without an ending that allows it"
                self._verdict.problems.append(Problem(number, text))
            elif outcome == Outcome.FIXED and step != StepName.VERIFIED:
                text = f"message {delivery[0]} was deleted as fixed without a verified change"
                self._verdict.problems.append(Problem(number, text))
