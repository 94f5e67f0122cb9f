"""The delivery channel: which messages go to which topic, encoded how; every delivery is journaled.

It knows MNS only as a function that publishes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from emulator.cloudconfig.events import Event, Variant
from emulator.world import World

Publish = Callable[[str, str], str]
"""Topic and body in, message id out; raises LookupError when there is no such topic."""


class Encoding(StrEnum):
    """How the JSON of a message is written into the body."""

    BASE64 = "base64"
    PLAIN = "plain"

    def body_of(self, text: str) -> str:
        """The body for this text."""
        return base64.b64encode(text.encode()).decode() if self is Encoding.BASE64 else text


@dataclass(frozen=True, slots=True)
class Channel:
    """Where messages go and which kinds do."""

    topic: str | None = None
    """None delivers nothing; evaluations go on."""
    non_compliance: bool = True
    resource_changes: bool = False
    variant: Variant = Variant.CURRENT
    """The form of non-compliance events."""
    encoding: Encoding = Encoding.BASE64
    """Cloud Config publishes base64, as far as its own remediation guide tells."""
    lose: int = 0
    """So many more messages are lost on their way, which only the journal tells."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message that was handed to the topic, or was not."""

    message_id: str | None
    """None when nothing was delivered: no topic is set, or it does not exist."""
    body: str


class Delivery:
    """Sends messages over the channel as it is set now."""

    def __init__(self, world: World, publish: Publish) -> None:
        self._world = world
        self.publish = publish
        self.channel = Channel()

    def report(self, event: Event, resource: str) -> None:
        """Deliver what the service itself has to say, unless it is to be lost on its way."""
        channel = self.channel
        if channel.topic is None or not channel.lose:
            self.send(event, resource)
            return
        self.channel = replace(channel, lose=channel.lose - 1)
        self._journal("NotificationLost", resource, topic=channel.topic, event_name=str(event.get("eventName", "")))

    def send(
        self, event: Event, resource: str, *, topic: str | None = None, encoding: Encoding | None = None
    ) -> Delivered:
        """Deliver one message; a missing topic loses it silently, as the service does, except for the journal."""
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        body = (encoding or self.channel.encoding).body_of(text)
        return self.send_body(body, resource, topic=topic, event_name=str(event.get("eventName", "")))

    def send_body(self, body: str, resource: str, *, topic: str | None = None, event_name: str = "") -> Delivered:
        """Deliver a body exactly as it is."""
        target = topic or self.channel.topic
        if target is None:
            return Delivered(None, body)
        try:
            message_id = self.publish(target, body)
        except LookupError:
            self._journal("DeliveryFailed", resource, topic=target, reason="no such topic", event_name=event_name)
            return Delivered(None, body)
        self._journal("EventDelivered", resource, topic=target, message_id=message_id, event_name=event_name)
        return Delivered(message_id, body)

    def _journal(self, operation: str, resource: str, **detail: Any) -> None:
        self._world.journal.changed("config", operation, resource, **detail)
