"""What a dead-letter queue holds: one JSON document per message that cannot succeed. Pure.

The document carries the original body unchanged, so that a redrive sends exactly what Cloud Config sent. A body too
large to fit beside its own description is compressed; nothing is ever cut.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

from consumer.core.errors import PermanentError
from consumer.core.message import Received
from consumer.core.queue_limits import MAX_MESSAGE_BYTES
from consumer.engine.delivery import Delivery

SCHEMA = "config-remediator/dead-letter/1"

_LONGEST_DETAIL = 1_000
_LARGEST_BODY_BYTES = 4 * MAX_MESSAGE_BYTES
"""More than a message can hold, even if its limit were meant in characters."""


class DeadLetterTooLarge(PermanentError):
    """The message does not fit into the dead-letter queue even when compressed, so it has to stay where it is."""

    def __init__(self, text: str) -> None:
        super().__init__("mns", "SendMessage", "too_large", text)


@dataclass(frozen=True, slots=True)
class DeadLetterTarget:
    """Where dead letters of this process come from."""

    queue: str
    max_message_bytes: int = MAX_MESSAGE_BYTES
    """The dead-letter queue's own limit."""


def compose(delivery: Delivery, origin: DeadLetterTarget, now_ms: int) -> str:
    """The dead letter of a delivery, as ASCII JSON.

    Raises:
        DeadLetterTooLarge: it does not fit.
    """
    body = delivery.message.body
    document = _description(delivery, origin, now_ms)
    text = _with_body(document, "plain", body)
    if len(text) > origin.max_message_bytes:
        packed = base64.b85encode(zlib.compress(body.encode(), 9)).decode()
        text = _with_body(document, "zlib+base85", packed)
    if len(text) > origin.max_message_bytes:
        raise DeadLetterTooLarge(f"{len(text)} bytes, and the dead-letter queue takes {origin.max_message_bytes}")
    return text


def _with_body(document: dict[str, Any], encoding: str, body: str) -> str:
    return json.dumps({**document, "body_encoding": encoding, "body": body}, separators=(",", ":"))


def original_body(document: dict[str, Any]) -> str:
    """The body of the message a dead letter was made from.

    Raises:
        ValueError: the document is not one of ours.
    """
    body, encoding = document.get("body"), document.get("body_encoding")
    if document.get("schema") != SCHEMA or not isinstance(body, str):
        raise ValueError("not a dead letter of config-remediator")
    if encoding == "plain":
        return body
    if encoding == "zlib+base85":
        return _unpacked(body)
    raise ValueError(f"unknown body encoding {encoding!r}")


def _unpacked(packed: str) -> str:
    """A compressed body; no larger than a message can be, for whoever may write to the queue may have packed a bomb."""
    unpacking = zlib.decompressobj()
    try:
        raw = unpacking.decompress(base64.b85decode(packed), _LARGEST_BODY_BYTES + 1)
    except zlib.error as error:
        raise ValueError(f"the compressed body is damaged: {error}") from None
    if len(raw) > _LARGEST_BODY_BYTES or not unpacking.eof:
        raise ValueError("the compressed body is damaged: it is larger than a message, or cut")
    return raw.decode()


LETTER_FIELDS = frozenset(
    {
        "schema",
        "outcome",
        "reason",
        "detail",
        "error_class",
        "attempts",
        "dequeue_count",
        "receipts",
        "rule",
        "remediation",
        "resource_type",
        "resource_id",
        "region",
        "account_id",
        "message_id",
        "origin_id",
        "queue",
        "enqueued_at_ms",
        "first_seen_ms",
        "first_dead_lettered_at_ms",
        "dead_lettered_at_ms",
    }
)
"""What a dead letter says besides the body. Another version may say more, and who may write to the queue anything."""


def _description(delivery: Delivery, origin: DeadLetterTarget, now_ms: int) -> dict[str, Any]:
    message, ending, event, rule = delivery.message, delivery.ending, delivery.event, delivery.rule
    if ending is None:
        raise ValueError("a delivery without an ending is never dead-lettered")
    return {
        "schema": SCHEMA,
        "outcome": ending.outcome.value,
        "reason": ending.reason,
        "detail": ending.detail[:_LONGEST_DETAIL],
        "error_class": ending.error_class,
        "attempts": delivery.attempts,
        "dequeue_count": message.dequeue_count,
        "receipts": message.receipts,
        "rule": rule.name if rule else "",
        "remediation": rule.remediation.name if rule else "",
        "resource_type": event.resource_type if event else "",
        "resource_id": event.resource_id if event else "",
        "region": event.region if event else "",
        "account_id": event.account_id if event else "",
        "message_id": message.message_id,
        "origin_id": message.origin_id,
        "queue": origin.queue,
        "enqueued_at_ms": message.first_enqueued_ms,
        "first_seen_ms": message.first_received_ms,
        "first_dead_lettered_at_ms": _first_dead_letter_ms(message, now_ms),
        "dead_lettered_at_ms": now_ms,
    }


def _first_dead_letter_ms(message: Received, now_ms: int) -> int:
    """When it became a dead letter for the first time: now, or before it was redriven."""
    history = message.carried.history
    return (history.dead_letter_ms if history else 0) or now_ms
