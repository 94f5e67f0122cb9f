"""One message in a queue: what was sent, where it stands, and how it is written for a consumer."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from emulator.mns.properties import NONE, Properties
from emulator.xml import Node

DEFAULT_PRIORITY = 8


class State(StrEnum):
    """Where a message stands."""

    ACTIVE = "active"
    """Can be received."""
    INACTIVE = "inactive"
    """Received; hidden until its visibility timeout passes."""
    DELAYED = "delayed"
    """Sent with a delay that has not passed."""
    GONE = "gone"
    """Deleted, expired or moved; only stale index entries still mention it."""


def body_md5(body: str) -> str:
    """The digest of the body as stored, in upper-case hexadecimal digits."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest().upper()


def message_id() -> str:
    """A new message id: 32 upper-case hexadecimal digits."""
    return secrets.token_hex(16).upper()


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as a producer hands it over."""

    body: str
    delay_seconds: int | None = None
    """None takes the queue's own delay."""
    priority: int = DEFAULT_PRIORITY
    """1 is the highest, 16 the lowest."""
    group_id: str = ""
    properties: Properties = NONE

    @property
    def size_bytes(self) -> int:
        """What counts towards the size that a message may have: its body and its properties."""
        return len(self.body.encode()) + self.properties.size_bytes


@dataclass(slots=True, eq=False)
class Message:
    """A message in a queue; changed only by the queue that holds it."""

    id: str
    body: str
    body_md5: str
    priority: int
    group_id: str
    properties: Properties
    enqueue_ms: int
    expires_ms: int
    first_dequeue_ms: int
    """The time of the first receive; the time of sending until then."""
    next_visible_ms: int
    dequeue_count: int = 0
    state: State = State.ACTIVE
    receipt_handle: str | None = None
    """The one handle that is good now; every receive and every change of visibility replaces it."""
    token: int = 0
    """Number of its last change of state: index entries that carry another one are stale."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receive, as the consumer sees it: later changes of the message do not show here."""

    message: Message
    receipt_handle: str
    next_visible_ms: int
    dequeue_count: int
    first_dequeue_ms: int


def received_nodes(receipt: Receipt) -> list[Node]:
    """The inside of a received `<Message>`, elements in the order the service writes them."""
    message = receipt.message
    return [
        ("MessageId", message.id),
        ("MessageBodyMD5", message.body_md5),
        ("MessageBody", message.body),
        ("ReceiptHandle", receipt.receipt_handle),
        ("EnqueueTime", message.enqueue_ms),
        ("FirstDequeueTime", receipt.first_dequeue_ms),
        ("NextVisibleTime", receipt.next_visible_ms),
        ("DequeueCount", receipt.dequeue_count),
        ("Priority", message.priority),
        *_optional(message),
    ]


def peeked_nodes(message: Message) -> list[Node]:
    """The inside of a peeked `<Message>`: no receipt handle and no next visible time."""
    return [
        ("MessageId", message.id),
        ("MessageBodyMD5", message.body_md5),
        ("MessageBody", message.body),
        ("EnqueueTime", message.enqueue_ms),
        ("FirstDequeueTime", message.first_dequeue_ms),
        ("DequeueCount", message.dequeue_count),
        ("Priority", message.priority),
        *_optional(message),
    ]


def sent_nodes(message: Message) -> list[Node]:
    """The inside of the `<Message>` that answers a send; a delayed message can be deleted by its handle."""
    handle: list[Node] = [("ReceiptHandle", message.receipt_handle)] if message.receipt_handle else []
    return [("MessageId", message.id), ("MessageBodyMD5", message.body_md5), *handle, *_group(message)]


def _optional(message: Message) -> list[Node]:
    return [*message.properties.nodes(), *_group(message)]


def _group(message: Message) -> list[Node]:
    return [("MessageGroupId", message.group_id)] if message.group_id else []
