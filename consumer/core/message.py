"""What the queue hands out: one receipt of a message, and one look at it. Pure values."""

from __future__ import annotations

from dataclasses import dataclass


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
    """How often the queue has handed this message out, this time included; says nothing about failures."""
    enqueued_at_ms: int
    first_dequeued_at_ms: int
    lease_seconds: float
    """How long the lease lasts from the arrival of the reply, by the server's own two stamps."""
    damage: str = ""
    """Why the reply could not carry the body as it is, or nothing. Such a body is as much of it as came, and it is for
    people alone: nothing may be concluded from it, least of all that the message asks for nothing."""

    arrived_at: float | None = None
    """Local monotonic seconds at which the reply was there; None where nobody looked at the clock."""

    @property
    def queued_seconds(self) -> float:
        """How long it was in the queue before anybody received it; 0 if this is not the first time."""
        if self.dequeue_count > 1:
            return 0.0
        return max(0.0, (self.first_dequeued_at_ms - self.enqueued_at_ms) / 1000)


@dataclass(frozen=True, slots=True)
class Peeked:
    """One message as a peek shows it: it stays as it is, visible, and nobody gets a handle."""

    message_id: str
    body: str
    dequeue_count: int
    """How often the queue has handed it out so far."""
    enqueued_at_ms: int
    """The server's clock, in milliseconds since the epoch."""
