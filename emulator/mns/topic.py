"""Topics and their subscriptions: what is set on them and who gets a published message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from emulator.mns.attributes import TopicAttributes
from emulator.mns.errors import Code, MnsRefusal
from emulator.mns.properties import NONE, Properties
from emulator.xml import Node

_QUEUE_ENDPOINT = "acs:mns:"
_OTHER_ENDPOINTS = ("http://", "https://", "mail:", "sms:")


class NotifyStrategy(StrEnum):
    """How often a push that failed is tried again."""

    BACKOFF_RETRY = "BACKOFF_RETRY"
    EXPONENTIAL_DECAY_RETRY = "EXPONENTIAL_DECAY_RETRY"


class ContentFormat(StrEnum):
    """How a published message is wrapped for the endpoint."""

    XML = "XML"
    JSON = "JSON"
    SIMPLIFIED = "SIMPLIFIED"


@dataclass(frozen=True, slots=True)
class Publication:
    """One published message."""

    message_id: str
    body: str
    body_md5: str
    tag: str
    publish_ms: int
    group_id: str = ""
    properties: Properties = NONE


@dataclass(frozen=True, slots=True)
class SubscriptionAttributes:
    """What Subscribe sets; only the strategy can be changed later."""

    endpoint: str
    filter_tag: str = ""
    """Empty: every message."""
    strategy: NotifyStrategy = NotifyStrategy.BACKOFF_RETRY
    content_format: ContentFormat = ContentFormat.XML

    def queue_name(self) -> str | None:
        """The queue of an endpoint `acs:mns:{region}:{account}:queues/{queue}`; None for any other endpoint.

        Account and region are not compared: there is one account here, and clients that derive both from an
        endpoint which is an address write something else there.
        """
        if not self.endpoint.startswith(_QUEUE_ENDPOINT):
            return None
        _, _, name = self.endpoint.rpartition(":")[2].lstrip("/").partition("queues/")
        return name or None

    def wants(self, tag: str) -> bool:
        """Whether a message with this tag (or none) is delivered here."""
        return not self.filter_tag or self.filter_tag == tag


def endpoint(text: str) -> str:
    """The endpoint itself; raises EndpointInvalid when it is none of the known kinds."""
    is_queue = text.startswith(_QUEUE_ENDPOINT) and "queues/" in text
    if not is_queue and not text.startswith(_OTHER_ENDPOINTS):
        raise MnsRefusal(Code.INVALID_ENDPOINT)
    return text


@dataclass(slots=True)
class Subscription:
    """One subscription of one topic."""

    name: str
    attributes: SubscriptionAttributes
    created_seconds: int
    modified_seconds: int

    def nodes(self, topic_owner: str, topic_name: str) -> list[Node]:
        """The inside of a `<Subscription>` answer, times in whole seconds."""
        attributes = self.attributes
        filter_tag: list[Node] = [("FilterTag", attributes.filter_tag)] if attributes.filter_tag else []
        return [
            ("SubscriptionName", self.name),
            ("TopicOwner", topic_owner),
            ("TopicName", topic_name),
            ("Endpoint", attributes.endpoint),
            *filter_tag,
            ("NotifyStrategy", attributes.strategy),
            ("NotifyContentFormat", attributes.content_format),
            ("CreateTime", self.created_seconds),
            ("LastModifyTime", self.modified_seconds),
        ]


@dataclass(slots=True)
class Topic:
    """One topic; a published message is pushed at once, so it holds none."""

    name: str
    attributes: TopicAttributes
    created_seconds: int
    modified_seconds: int
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def wanted_by(self, tag: str) -> Iterator[Subscription]:
        """The subscriptions that a message with this tag goes to."""
        return (item for item in self.subscriptions.values() if item.attributes.wants(tag))
