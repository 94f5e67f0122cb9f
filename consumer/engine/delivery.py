"""One receipt of one message, as it travels from the poller through a worker to the settler."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumer.core.message import Received

if TYPE_CHECKING:
    from consumer.engine.lease import Lease


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that is in hand: received, not settled yet."""

    message: Received
    lease: Lease = field(compare=False)
    received_at: float
    """Local monotonic seconds."""

    @property
    def message_id(self) -> str:
        """The queue's id of the message, the same in every delivery of it."""
        return self.message.message_id
