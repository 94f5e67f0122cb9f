"""Every message's life in the queue, from the journal: pushed, handed out, copied, removed."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from witness.claim import Claim, claim_of, claim_of_event
from witness.entry import JournalEntry
from witness.verdict import Receipt

ORIGIN = "remediator-origin-id"
"""The property that ties a message that was sent again to the first one; see docs/guarantees.md."""


@dataclass(frozen=True, slots=True)
class Removal:
    """How a message left the queue."""

    sequence: int
    time_ms: int
    operation: str
    access_key_id: str


@dataclass(slots=True)
class Life:
    """One message of the queue, as far as the journal has been read."""

    message_id: str
    body: str
    claim: Claim
    pushed_sequence: int
    pushed_ms: int
    receipts: list[Receipt] = field(default_factory=list)
    removal: Removal | None = None
    letters: list[int] = field(default_factory=list)
    """Sequences at which true copies of it arrived in the dead-letter queue."""
    sent_by: str = ""
    """The key that sent it; empty for what a topic pushed."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """What its sender wrote beside its body."""
    next_visible_ms: int = 0
    expires_ms: int = 0

    @property
    def origin_id(self) -> str:
        """The message that it names as the first of its kind; empty when it names none."""
        return self.properties.get(ORIGIN, "")

    def in_queue_after(self, sequence: int) -> bool:
        """Whether the queue still held it right after an entry."""
        return self.pushed_sequence <= sequence and (self.removal is None or self.removal.sequence > sequence)

    def received_by(self, sequence: int) -> bool:
        """Whether it was handed out before an entry."""
        return bool(self.receipts) and self.receipts[0].sequence < sequence


@dataclass(frozen=True, slots=True)
class WrongCopy:
    """Something in the dead-letter queue that is no true copy of a message."""

    sequence: int
    message_id: str
    problem: str


class QueueLog:
    """The queue and its dead-letter queue over a run."""

    def __init__(self, queue: str, dead_letter_queue: str | None) -> None:
        self.lives: dict[str, Life] = {}
        self.wrong_copies: list[WrongCopy] = []
        self._queue = f"queues/{queue}"
        self._dead_letters = f"queues/{dead_letter_queue}" if dead_letter_queue else ""
        self._published: dict[str, tuple[str, Any]] = {}
        self._claims: dict[str, Claim] = {}
        """By body: what the first message with it asks for, a copy of it asks for too."""
        self._sent_again: dict[str, list[Life]] = defaultdict(list)
        """By the id that they name as their origin."""
        self._readers: dict[str, Callable[[JournalEntry], None]] = {
            "PushToQueue": self._pushed,
            "SendMessage": self._sent,
            "BatchSendMessage": self._sent,
            "ReceiveMessage": self._received,
            "BatchReceiveMessage": self._received,
            "DeleteMessage": self._deleted,
            "BatchDeleteMessage": self._deleted,
            "MessageExpired": self._vanished,
            "MovedToDeadLetterQueue": self._moved,
            "DeleteQueue": self._queue_deleted,
        }

    def read(self, entries: Iterable[JournalEntry]) -> None:
        """Take a whole journal into account."""
        entries = list(entries)
        # The delivery is journaled after the push that it led to, so what was published is collected first.
        for entry in entries:
            if entry.operation == "PublishMessage":
                self._published[entry.detail["message_id"]] = (entry.detail["body"], None)
            elif entry.operation == "EventDelivered":
                body, _ = self._published.get(entry.detail["message_id"], ("", None))
                self._published[entry.detail["message_id"]] = (body, entry.detail.get("event"))
        for entry in entries:
            if entry.service != "mns" or not entry.changed:
                continue
            if entry.resource == self._queue and (reader := self._readers.get(entry.operation)):
                reader(entry)
            elif entry.resource == self._dead_letters and entry.operation in ("SendMessage", "BatchSendMessage"):
                self._copied(entry)

    def _pushed(self, entry: JournalEntry) -> None:
        body, event = self._published.get(entry.detail["published_message_id"], (entry.detail["body"], None))
        claim = claim_of_event(event) if isinstance(event, dict) else claim_of(body)
        self._add(entry, claim)

    def _sent(self, entry: JournalEntry) -> None:
        body = str(entry.detail["body"])
        self._add(entry, self._claims.get(body) or claim_of(body))

    def _add(self, entry: JournalEntry, claim: Claim) -> None:
        detail = entry.detail
        life = Life(detail["message_id"], str(detail["body"]), claim, entry.sequence, entry.time_ms)
        life.sent_by = entry.access_key_id
        life.properties = {str(name): str(value) for name, value in detail.get("user_properties", {}).items()}
        life.next_visible_ms = int(detail.get("next_visible_ms", entry.time_ms))
        life.expires_ms = int(detail.get("expires_ms", entry.time_ms + 1))
        self.lives[life.message_id] = life
        self._claims.setdefault(life.body, claim)
        if life.origin_id:
            self._sent_again[life.origin_id].append(life)

    def _received(self, entry: JournalEntry) -> None:
        for message in entry.detail["messages"]:
            receipt = Receipt(entry.sequence, entry.time_ms, entry.access_key_id, int(message["dequeue_count"]))
            self.lives[message["message_id"]].receipts.append(receipt)

    def _deleted(self, entry: JournalEntry) -> None:
        for message_id in entry.detail["deleted"]:
            self._remove(message_id, entry)

    def _vanished(self, entry: JournalEntry) -> None:
        self._remove(entry.detail["message_id"], entry)

    def _moved(self, entry: JournalEntry) -> None:
        message_id = entry.detail["message_id"]
        self.lives[message_id].letters.append(entry.sequence)
        self._remove(message_id, entry)

    def _queue_deleted(self, entry: JournalEntry) -> None:
        for message_id, life in self.lives.items():
            if life.removal is None:
                self._remove(message_id, entry)

    def _remove(self, message_id: str, entry: JournalEntry) -> None:
        self.lives[message_id].removal = Removal(entry.sequence, entry.time_ms, entry.operation, entry.access_key_id)

    def _copied(self, entry: JournalEntry) -> None:
        document = _document(str(entry.detail["body"]))
        message_id = str(document.get("message_id", ""))
        life = self.lives.get(message_id)
        if life is None:
            self.wrong_copies.append(WrongCopy(entry.sequence, message_id, "it names no message of the queue"))
        elif _original_body(document) != life.body:
            self.wrong_copies.append(WrongCopy(entry.sequence, message_id, "its body is not the message's"))
        else:
            for each in self._written_for(life, entry.sequence):
                each.letters.append(entry.sequence)

    def _written_for(self, named: Life, sequence: int) -> list[Life]:
        """The messages that a letter is for: the one that it names, and what was sent again in its place."""
        family = [named, *(life for life in self._sent_again[named.message_id] if life.body == named.body)]
        waiting = [life for life in family if life.in_queue_after(sequence) and life.received_by(sequence)]
        return waiting or [named]


def _document(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _original_body(document: dict[str, Any]) -> str | None:
    body = document.get("body")
    if not isinstance(body, str) or document.get("body_encoding") == "plain":
        return body if isinstance(body, str) else None
    try:
        return zlib.decompress(base64.b85decode(body)).decode("utf-8")
    except (ValueError, zlib.error, binascii.Error):
        return None
