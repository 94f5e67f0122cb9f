"""Reads the messages of MNS replies: what a receive brings and a peek shows, also out of a reply that is damaged. Pure.

The SDK builds a whole document tree for a batch, at five times the cost, and gives all of it up for one message that it
cannot read: a property whose value is not of its type is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import islice
from xml.etree import ElementTree as ET

from consumer.aliyun.http import Reply
from consumer.aliyun.mns.replies import fields_of, from_service, name_of
from consumer.aliyun.mns.salvage import elements, salvaged
from consumer.core.message import Peeked, Received
from consumer.core.parked import MOST_PROPERTIES, UserProperty, carried
from consumer.core.queue_limits import MAX_BATCH

SHORTEST_LEASE_SECONDS = 1.0
LONGEST_LEASE_SECONDS = 43_200.0

_NUMBERS = {"DequeueCount": "1", "EnqueueTime": "0", "FirstDequeueTime": "0", "NextVisibleTime": "0"}
"""Those of a message, and what stands for one that is missing."""
_PRIORITIES = frozenset(str(priority) for priority in range(1, 17))
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)
_DATE_RESOLUTION_SECONDS = 1.0
_LATEST_MS = 1 << 53
_UNKNOWN_LEASE_SECONDS = 5.0
"""Assumed where a reply carries no date: short, so that the lease keeper renews at once and then knows."""


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


def received(reply: Reply) -> list[Received]:
    """The messages of a batch.

    Raises:
        ParseError: it is not XML.
        ValueError: it is not a batch, or one of its messages lacks something; `rescued` has the others.
    """
    return [_received_message(fields_of(element), _properties(element), reply) for element in _batch(reply)]


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
    """The messages of a peek.

    Raises:
        ParseError: it is not XML.
        LookupError, ValueError: as in `received`; `peeked_apart` has the others.
    """
    return [_peeked_message(element) for element in _batch(reply)]


def peeked_apart(reply: Reply) -> list[Peeked]:
    """The messages of a peek that could not be read as a whole, one by one; what does not parse is left out."""
    if reply.status != 200 or not from_service(reply):
        return []
    found = (_rescued_peek(part) for part in islice(elements(reply.body, b"Message"), MAX_BATCH))
    return [message for message in found if message is not None]


def _batch(reply: Reply) -> ET.Element:
    document = ET.fromstring(reply.body)  # noqa: S314 - no doctype gets here
    if name_of(document) != "Messages":
        raise ValueError("the reply is no batch of messages")
    return document


def _rescued_peek(part: bytes) -> Peeked | None:
    try:
        return _peeked_message(ET.fromstring(part))  # noqa: S314 - no doctype gets here
    except (ET.ParseError, LookupError, ValueError):
        return None


def _peeked_message(element: ET.Element) -> Peeked:
    fields = fields_of(element)
    enqueued_at_ms = int(fields.get("EnqueueTime", "0"))
    return Peeked(
        message_id=fields["MessageId"],
        body=fields.get("MessageBody", ""),
        dequeue_count=int(fields.get("DequeueCount", "0")),
        enqueued_at_ms=enqueued_at_ms,
        carried=carried(_properties(element), enqueued_at_ms),
    )


def _rescued_message(part: bytes, reply: Reply) -> Received | None:
    damage = ""
    try:
        element = ET.fromstring(part)  # noqa: S314 - no doctype gets here
        fields, properties = fields_of(element), _properties(element)
    except ET.ParseError as error:
        fields, properties = salvaged(part), _salvaged_properties(part)
        damage = f"the reply holds the body in a form that XML does not allow: {error}"
    try:
        return _received_message({**fields, **_numbers(fields)}, properties, reply, damage)
    except ValueError:
        return None


def _properties(message: ET.Element) -> list[UserProperty]:
    """The user properties of a message; of too many only so many as show that."""
    holders = (child for child in message if name_of(child) == "UserProperties")
    return _as_properties(fields_of(entry) for holder in holders for entry in holder)


def _salvaged_properties(part: bytes) -> list[UserProperty]:
    return _as_properties(salvaged(entry) for entry in elements(part, b"PropertyValue"))


def _as_properties(entries: Iterable[Mapping[str, str]]) -> list[UserProperty]:
    """As texts: whoever reads them judges them."""
    return [
        UserProperty(entry.get("Name", ""), entry.get("Value", ""), entry.get("Type", "").upper())
        for entry in islice(entries, MOST_PROPERTIES + 1)
    ]


def _numbers(fields: Mapping[str, str]) -> dict[str, str]:
    """What is no number counts as missing: a message is worth more than its stamps."""
    return {name: default for name, default in _NUMBERS.items() if not _COUNT.fullmatch(fields.get(name, ""))}


def _received_message(
    fields: Mapping[str, str], properties: list[UserProperty], reply: Reply, damage: str = ""
) -> Received:
    if not (fields.get("MessageId") and fields.get("ReceiptHandle")):
        raise ValueError("a message without an id or a receipt handle")
    enqueued_at_ms = int(fields.get("EnqueueTime", "0"))
    return Received(
        message_id=fields["MessageId"],
        body=fields.get("MessageBody", ""),
        receipt_handle=fields["ReceiptHandle"],
        dequeue_count=int(fields.get("DequeueCount", "1")),
        enqueued_at_ms=enqueued_at_ms,
        first_dequeued_at_ms=int(fields.get("FirstDequeueTime", "0")),
        lease_seconds=lease_seconds(int(fields.get("NextVisibleTime", "0")), reply),
        damage=damage,
        # Of no use here: its group and system properties. Events are worked on in any order, and nothing reads a trace.
        carried=carried(properties, enqueued_at_ms),
        body_md5=fields.get("MessageBodyMD5", ""),
        priority=_priority(fields.get("Priority", "")),
        age_seconds=_age_seconds(enqueued_at_ms, reply),
    )


def _priority(text: str) -> int | None:
    return int(text) if text in _PRIORITIES else None


def _age_seconds(enqueued_at_ms: int, reply: Reply) -> float:
    sent = _seconds(reply.headers.get("date", ""))
    if sent is None or not 0 < enqueued_at_ms <= _LATEST_MS:
        return 0.0
    return max(0.0, sent - enqueued_at_ms / 1000)
