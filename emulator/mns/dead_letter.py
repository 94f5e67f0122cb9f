"""Dead-letter policies: which queue gets the messages that were received too often, and what is written on them.

The data-plane API cannot set them; on the service it is the console, terraform or mns-open 2022-01-19, here the
control port.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.mns.message import Draft, Message
from emulator.mns.properties import Property


@dataclass(frozen=True, slots=True)
class DeadLetterPolicy:
    """What happens to messages of `source_queue` that come back after `max_receive_count` receives."""

    source_queue: str
    target_queue: str
    max_receive_count: int

    def __post_init__(self) -> None:
        if self.source_queue == self.target_queue:
            raise ValueError("a queue cannot be its own dead-letter queue")
        if self.max_receive_count < 1:
            raise ValueError("max_receive_count must be at least 1")


def dead_letter(message: Message, source_arn: str) -> Draft:
    """The message as it is stored in the dead-letter queue; its retention goes on, which the queue sees to."""
    marks = (
        Property("DLQMessageType", "Queue", "STRING"),
        Property("DLQSourceArn", source_arn, "STRING"),
        Property("DLQOriginMessageId", message.id, "STRING"),
    )
    return Draft(
        body=message.body,
        priority=message.priority,
        group_id=message.group_id,
        properties=message.properties.with_system(marks),
    )
