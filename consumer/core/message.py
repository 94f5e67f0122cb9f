"""What the queue delivers: one receipt of a message, and one peek at it. Pure values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from consumer.core.parked import NOTHING, Carried, is_xml_text

NORMAL_PRIORITY = 8
"""What the service gives a message that is sent without one, as its topics and Cloud Config send; 1 is the highest."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message as a receive brought it, before anything is made of it.

    Times are the server's, in milliseconds since the epoch; the server's clock is not ours, so they may be
    subtracted from each other and never from a local time.
    """

    message_id: str
    body: str
    receipt_handle: str
    dequeue_count: int
    """How often the queue has delivered this message, this time included; says nothing about failures."""
    enqueued_at_ms: int
    first_dequeued_at_ms: int
    lease_seconds: float
    """How long the lease lasts from the arrival of the reply, by the server's own two stamps."""
    damage: str = ""
    """Why the reply could not carry the body as it is, or nothing. Such a body is as much of it as came, and it is for
    people alone: nothing may be concluded from it, least of all that the message asks for nothing."""

    arrived_at: float | None = None
    """Local monotonic seconds at which the reply was there; None where nobody looked at the clock."""

    carried: Carried = NOTHING
    """What it carries beside its body: where it comes from, if it is a parked copy."""
    body_md5: str = ""
    """The service's digest of the body as the queue holds it, or nothing."""
    priority: int | None = None
    """1 is the highest, 16 the lowest; None where the reply does not say."""
    age_seconds: float = 0.0
    """How long the queue had held it when the reply was sent, by the server's own two stamps; 0 if it lacks one."""

    @property
    def fresh(self) -> bool:
        """Whether this is its first receipt, and it is no parked copy of a message that was received before.

        A copy that had no room for its history is known by its priority, which is lower than that of a new message.
        """
        return self.receipts <= 1 and (self.priority or NORMAL_PRIORITY) <= NORMAL_PRIORITY

    @property
    def queued_seconds(self) -> float:
        """How long it was in the queue before anybody received it; 0 if this is not the first time."""
        if not self.fresh:
            return 0.0
        return max(0.0, (self.first_dequeued_at_ms - self.enqueued_at_ms) / 1000)

    @property
    def origin_id(self) -> str:
        """The id of the message that it is a parked copy of, or its own; claimed by the message, so never a key."""
        history = self.carried.history
        return history.origin_id if history else self.message_id

    @property
    def first_enqueued_ms(self) -> int:
        """When the first of its copies came into the queue."""
        history = self.carried.history
        return history.first_enqueued_ms if history else self.enqueued_at_ms

    @property
    def first_received_ms(self) -> int:
        """When the first of its copies was received for the first time."""
        history = self.carried.history
        return history.first_received_ms if history else self.first_dequeued_at_ms

    @property
    def receipts(self) -> int:
        """How often all of its copies were received together, this time included."""
        history = self.carried.history
        return self.dequeue_count + (history.receipts if history else 0)

    @property
    def attempts(self) -> int:
        """How often working on it had failed when it was parked, as it claims itself."""
        history = self.carried.history
        return history.attempts if history else 0

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent again: the body is byte for byte the queue's, and arrives as it is."""
        sendable = not self.damage and bool(self.body) and is_xml_text(self.body)
        return sendable and self.body_md5 == body_md5(self.body)


@dataclass(frozen=True, slots=True)
class Peeked:
    """One message as a peek shows it: it stays as it is, visible, and nobody gets a handle."""

    message_id: str
    body: str
    dequeue_count: int
    """How often the queue has delivered it so far."""
    enqueued_at_ms: int
    """The server's clock, in milliseconds since the epoch."""
    carried: Carried = NOTHING
    """What it carries beside its body: where it comes from, if it is a parked copy."""


def body_md5(body: str) -> str:
    """The digest by which the service names a body: MD5 in upper-case hexadecimal."""
    return hashlib.md5(body.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper()
