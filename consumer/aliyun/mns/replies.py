"""Reads from MNS replies what the SDK drops: the server's clock, lost batches, failed deletes, attributes.

Pure functions over the bytes of a reply. Used beside the SDK's own parsing, and instead of it only where that has
already given up on the whole reply.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import islice
from xml.etree import ElementTree as ET

from consumer.aliyun.http import Reply
from consumer.aliyun.mns.salvage import elements, salvaged
from consumer.core.message import Peeked, Received
from consumer.core.queue_attributes import Figures, QueueAttributes
from consumer.core.queue_limits import MAX_BATCH

SHORTEST_LEASE_SECONDS = 1.0
LONGEST_LEASE_SECONDS = 43_200.0

_NUMBERS = {"DequeueCount": "1", "EnqueueTime": "0", "FirstDequeueTime": "0", "NextVisibleTime": "0"}
"""Those of a message, and what stands for one that is missing."""
_FIGURES = ("ActiveMessages", "InactiveMessages", "DelayMessages")
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)
_DATE_RESOLUTION_SECONDS = 1.0
_LATEST_MS = 1 << 53
_UNKNOWN_LEASE_SECONDS = 5.0
"""Assumed where a reply carries no date: short, so that the lease keeper renews at once and then knows."""


def from_service(reply: Reply) -> bool:
    """Whether a reply can come from MNS at all: every one of its answers carries a request id."""
    return bool(request_id(reply))


def request_id(reply: Reply) -> str:
    """The service's id of the request, or nothing."""
    return reply.headers.get("x-mns-request-id", "")


def lease_seconds(next_visible_ms: int, reply: Reply) -> float:
    """How long a lease still lasts, from the two stamps the server put on the same reply.

    Neither is ever compared with the local clock. The Date header has whole seconds, so up to one is given away.
    """
    sent = _seconds(reply.headers.get("date", ""))
    if sent is None:
        return _UNKNOWN_LEASE_SECONDS
    visible = min(max(next_visible_ms, 0), _LATEST_MS) / 1000  # a stamp of any size must not overflow a float
    left = visible - sent - _DATE_RESOLUTION_SECONDS
    return min(max(left, SHORTEST_LEASE_SECONDS), LONGEST_LEASE_SECONDS)


@lru_cache(maxsize=32)
def _seconds(date: str) -> float | None:
    """A Date header in seconds since the epoch; the messages of one batch share one."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def body_md5(body: str) -> str:
    """The digest by which the service confirms a body: MD5 in upper-case hexadecimal."""
    return hashlib.md5(body.encode("utf-8"), usedforsecurity=False).hexdigest().upper()


def received(reply: Reply) -> list[Received]:
    """The messages of a batch. The SDK builds a whole document tree for them, at five times the cost.

    Raises:
        ParseError: it is not XML.
        ValueError: it is not a batch, or one of its messages lacks something; `rescued` has the others.
    """
    document = ET.fromstring(reply.body)  # noqa: S314 - no doctype gets here
    if _name(document) != "Messages":
        raise ValueError("the reply is no batch of messages")
    return [_received_message(_fields(element), reply) for element in document]


def rescued(reply: Reply, count: int) -> list[Received]:
    """Up to `count` messages of a batch that could not be read as a whole, one by one.

    One that does not parse by itself either comes as damaged, if its id and its handle can be read: else nobody could
    ever take it out of the queue. One that is cut is left out, and becomes visible again by itself.
    """
    if reply.status != 200 or not from_service(reply):
        return []
    found = (_rescued_message(part, reply) for part in islice(elements(reply.body, b"Message"), count))
    return [message for message in found if message is not None]


def peeked(reply: Reply) -> list[Peeked]:
    """The messages of a peek that the SDK could not read, one by one; what does not parse is left out."""
    if reply.status != 200 or not from_service(reply):
        return []
    found = (_peeked_message(part) for part in islice(elements(reply.body, b"Message"), MAX_BATCH))
    return [message for message in found if message is not None]


def _peeked_message(part: bytes) -> Peeked | None:
    try:
        fields = _parsed(part)
        return Peeked(
            message_id=fields["MessageId"],
            body=fields.get("MessageBody", ""),
            dequeue_count=int(fields.get("DequeueCount", "0")),
            enqueued_at_ms=int(fields.get("EnqueueTime", "0")),
        )
    except (ET.ParseError, KeyError, ValueError):
        return None


def _fields(message: ET.Element) -> dict[str, str]:
    return {_name(child): child.text or "" for child in message}


def _name(element: ET.Element) -> str:
    """Without the namespace."""
    return element.tag.rpartition("}")[2]


def _parsed(part: bytes) -> dict[str, str]:
    return _fields(ET.fromstring(part))  # noqa: S314 - no doctype gets here


def _rescued_message(part: bytes, reply: Reply) -> Received | None:
    try:
        fields, damage = _parsed(part), ""
    except ET.ParseError as error:
        fields, damage = salvaged(part), f"the reply holds the body in a form that XML does not allow: {error}"
    try:
        return _received_message({**fields, **_numbers(fields)}, reply, damage)
    except ValueError:
        return None


def _numbers(fields: Mapping[str, str]) -> dict[str, str]:
    """What is no number counts as missing: a message is worth more than its stamps."""
    return {name: default for name, default in _NUMBERS.items() if not _COUNT.fullmatch(fields.get(name, ""))}


def _received_message(fields: Mapping[str, str], reply: Reply, damage: str = "") -> Received:
    if not (fields.get("MessageId") and fields.get("ReceiptHandle")):
        raise ValueError("a message without an id or a receipt handle")
    return Received(
        message_id=fields["MessageId"],
        body=fields.get("MessageBody", ""),
        receipt_handle=fields["ReceiptHandle"],
        dequeue_count=int(fields.get("DequeueCount", "1")),
        enqueued_at_ms=int(fields.get("EnqueueTime", "0")),
        first_dequeued_at_ms=int(fields.get("FirstDequeueTime", "0")),
        lease_seconds=lease_seconds(int(fields.get("NextVisibleTime", "0")), reply),
        damage=damage,
    )


def queue_attributes(reply: Reply) -> QueueAttributes | None:
    """A queue's attributes, whatever it leaves out of its figures; None if this is no answer that has them.

    The SDK insists on every figure, and the service is withdrawing them.
    """
    if reply.status != 200 or not from_service(reply):
        return None
    try:
        document = ET.fromstring(reply.body)  # noqa: S314 - no doctype gets here
        told = _fields(document)
        return QueueAttributes(
            visibility_timeout_seconds=int(told["VisibilityTimeout"]),
            retention_seconds=int(told["MessageRetentionPeriod"]),
            max_message_bytes=int(told["MaximumMessageSize"]),
            figures=Figures(*(_figure(told.get(name, "")) for name in _FIGURES)),
        )
    except (ET.ParseError, LookupError, ValueError):
        return None


def _figure(text: str) -> int | None:
    return int(text) if _COUNT.fullmatch(text.strip()) else None


def failed_deletes(reply: Reply) -> dict[str, tuple[str, str]]:
    """Code and message of each receipt handle that a batch delete names as failed; empty when it names none.

    Also empty when the list is cut or damaged: half a list would make the others look deleted.
    """
    parts = list(elements(reply.body, b"Error"))
    whole = b"<Errors" in reply.body and b"</Errors>" in reply.body and len(parts) == reply.body.count(b"<Error>")
    if reply.status < 400 or not whole:
        return {}
    failures: dict[str, tuple[str, str]] = {}
    for part in parts:
        try:
            fields = {child.tag: child.text or "" for child in ET.fromstring(part)}  # noqa: S314 - as above
            failures[fields["ReceiptHandle"]] = (fields["ErrorCode"], fields.get("ErrorMessage", ""))
        except (ET.ParseError, KeyError):
            return {}
    return failures
