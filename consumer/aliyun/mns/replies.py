"""Reads from MNS replies what the SDK drops: a queue's attributes, failed deletes, who answered.

Pure functions over the bytes of a reply. Used beside the SDK's own parsing, and instead of it only where that has
already given up on the whole reply. Messages are read in `consumer.aliyun.mns.messages`.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from consumer.aliyun.http import Reply
from consumer.aliyun.mns.salvage import elements
from consumer.core.queue_attributes import Figures, QueueAttributes

_FIGURES = ("ActiveMessages", "InactiveMessages", "DelayMessages")
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


def from_service(reply: Reply) -> bool:
    """Whether a reply can come from MNS at all: every one of its answers carries a request id."""
    return bool(request_id(reply))


def request_id(reply: Reply) -> str:
    """The service's id of the request, or nothing."""
    return reply.headers.get("x-mns-request-id", "")


def fields_of(message: ET.Element) -> dict[str, str]:
    """The text of each child, by its tag."""
    return {name_of(child): child.text or "" for child in message}


def name_of(element: ET.Element) -> str:
    """Its tag without the namespace."""
    return element.tag.rpartition("}")[2]


def queue_attributes(reply: Reply) -> QueueAttributes | None:
    """A queue's attributes, whatever it leaves out of its figures; None if this is no answer that has them.

    The SDK insists on every figure, and the service is withdrawing them.
    """
    if reply.status != 200 or not from_service(reply):
        return None
    try:
        document = ET.fromstring(reply.body)  # noqa: S314 - no doctype gets here
        found = fields_of(document)
        return QueueAttributes(
            visibility_timeout_seconds=int(found["VisibilityTimeout"]),
            retention_seconds=int(found["MessageRetentionPeriod"]),
            max_message_bytes=int(found["MaximumMessageSize"]),
            figures=Figures(*(_figure(found.get(name, "")) for name in _FIGURES)),
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
