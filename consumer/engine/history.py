"""What this process knows of a message from its earlier deliveries. In memory, bounded, lost with the process."""

from __future__ import annotations

from dataclasses import dataclass, field

from consumer.engine.backoff import Attempts
from consumer.engine.unsettled import Unsettled


@dataclass(frozen=True, slots=True)
class MessageHistory:
    """Kept from a message's first failure on, passed on to its parked copy, forgotten when it leaves the queue."""

    attempts: Attempts = field(default_factory=Attempts)
    """How often it has failed."""
    unsettled: Unsettled = field(default_factory=Unsettled)
    """How often settling it was given up, and how it ended if it stands in the dead-letter queue."""

    def carry(self, message_id: str, copy_id: str) -> None:
        """The message goes on as a parked copy."""
        self.attempts.carry(message_id, copy_id)
        self.unsettled.carry(message_id, copy_id)

    def forget(self, message_id: str) -> None:
        """The message is out of the queue."""
        self.attempts.forget(message_id)
        self.unsettled.forget(message_id)
