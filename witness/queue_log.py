"""Every message's life in the queue, from the journal: pushed, handed out, copied, removed."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from witness.claim import Claim, claim_of, claim_of_event
from witness.entry import JournalEntry
from witness.verdict import Receipt


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
    copies: list[int] = field(default_factory=list)

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
        self._readers: dict[str, Callable[[JournalEntry], None]] = {
            "PushToQueue": self._pushed,
            "SendMessage": self._sent,
            "ReceiveMessage": self._received,
            "BatchReceiveMessage": self._received,
            "DeleteMessage": self._deleted,
            "BatchDeleteMessage": self._deleted,
            "MessageExpired": self._vanished,
            "MovedToDeadLetterQueue": self._moved,
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
        self._add(entry, entry.detail["message_id"], entry.detail["body"], claim)

    def _sent(self, entry: JournalEntry) -> None:
        body = str(entry.detail["body"])
        self._add(entry, entry.detail["message_id"], body, claim_of(body))

    def _add(self, entry: JournalEntry, message_id: str, body: str, claim: Claim) -> None:
        self.lives[message_id] = Life(message_id, body, claim, entry.sequence, entry.time_ms)

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
        self.lives[message_id].copies.append(entry.sequence)
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
            life.copies.append(entry.sequence)


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
