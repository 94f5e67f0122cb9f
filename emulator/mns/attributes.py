"""The settings of queues and topics: defaults, limits, and how they are read from and written to XML.

Source: https://www.alibabacloud.com/help/en/mns/developer-reference/createqueue and …/createtopic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from emulator.mns import names
from emulator.xml import Element, Node

TOPIC_RETENTION_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class QueueAttributes:
    """What CreateQueue and SetQueueAttributes set."""

    visibility_timeout_seconds: int = 30
    maximum_message_size_bytes: int = 65536
    message_retention_period_seconds: int = 345600
    delay_seconds: int = 0
    polling_wait_seconds: int = 0
    logging_enabled: bool = False

    def overridden(self, body: Element | None) -> QueueAttributes:
        """The same with every element of a `<Queue>` body in place; raises InvalidArgument."""
        if body is None:
            return self
        changes: dict[str, Any] = {}
        fields = body.texts()
        for element, (field, limits, unit) in _QUEUE_NUMBERS.items():
            if element in fields:
                changes[field] = names.number(fields[element], element, limits, unit)
        if "LoggingEnabled" in fields:
            changes["logging_enabled"] = names.flag(fields["LoggingEnabled"], "LoggingEnabled")
        return replace(self, **changes)


_QUEUE_NUMBERS = {
    "VisibilityTimeout": ("visibility_timeout_seconds", names.VISIBILITY_SECONDS, "seconds"),
    "MaximumMessageSize": ("maximum_message_size_bytes", names.MESSAGE_BYTES, "bytes"),
    "MessageRetentionPeriod": ("message_retention_period_seconds", names.RETENTION_SECONDS, "seconds"),
    "DelaySeconds": ("delay_seconds", names.DELAY_SECONDS, "seconds"),
    "PollingWaitSeconds": ("polling_wait_seconds", names.WAIT_SECONDS, "seconds"),
}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages a queue holds, by state."""

    active: int
    inactive: int
    delayed: int


class Figures(StrEnum):
    """What a `<Queue>` answer says of the number of messages; the service has announced to withdraw it."""

    COUNTED = "counted"
    """The truth, as before."""
    ZERO = "zero"
    """0 whatever the queue holds, as announced."""
    ABSENT = "absent"
    """No element at all, which clients that insist on them take for damage."""


def queue_nodes(
    name: str,
    attributes: QueueAttributes,
    counts: Counts,
    created_seconds: int,
    modified_seconds: int,
    figures: Figures = Figures.COUNTED,
) -> list[Node]:
    """The inside of a `<Queue>` answer: every element clients insist on, times in whole seconds."""
    return [
        ("QueueName", name),
        ("CreateTime", created_seconds),
        ("LastModifyTime", modified_seconds),
        ("DelaySeconds", attributes.delay_seconds),
        ("MaximumMessageSize", attributes.maximum_message_size_bytes),
        ("MessageRetentionPeriod", attributes.message_retention_period_seconds),
        ("PollingWaitSeconds", attributes.polling_wait_seconds),
        ("VisibilityTimeout", attributes.visibility_timeout_seconds),
        *_figures(counts, figures),
        ("LoggingEnabled", str(attributes.logging_enabled)),
    ]


def _figures(counts: Counts, figures: Figures) -> list[Node]:
    if figures is Figures.ABSENT:
        return []
    shown = counts if figures is Figures.COUNTED else Counts(0, 0, 0)
    return [
        ("ActiveMessages", shown.active),
        ("InactiveMessages", shown.inactive),
        ("DelayMessages", shown.delayed),
    ]


@dataclass(frozen=True, slots=True)
class TopicAttributes:
    """What CreateTopic and SetTopicAttributes set; retention of topics is fixed at one day."""

    maximum_message_size_bytes: int = 65536
    logging_enabled: bool = False

    def overridden(self, body: Element | None) -> TopicAttributes:
        """The same with every element of a `<Topic>` body in place; raises InvalidArgument."""
        fields = {} if body is None else body.texts()
        changed = self
        if "MaximumMessageSize" in fields:
            size = names.number(fields["MaximumMessageSize"], "MaximumMessageSize", names.MESSAGE_BYTES, "bytes")
            changed = replace(changed, maximum_message_size_bytes=size)
        if "LoggingEnabled" in fields:
            changed = replace(changed, logging_enabled=names.flag(fields["LoggingEnabled"], "LoggingEnabled"))
        return changed


def topic_nodes(
    name: str, attributes: TopicAttributes, messages: int, created_seconds: int, modified_seconds: int
) -> list[Node]:
    """The inside of a `<Topic>` answer: every element clients insist on, times in whole seconds."""
    return [
        ("TopicName", name),
        ("CreateTime", created_seconds),
        ("LastModifyTime", modified_seconds),
        ("MaximumMessageSize", attributes.maximum_message_size_bytes),
        ("MessageRetentionPeriod", TOPIC_RETENTION_SECONDS),
        ("MessageCount", messages),
        ("LoggingEnabled", str(attributes.logging_enabled)),
    ]
