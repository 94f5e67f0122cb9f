"""A topic for announcements in the emulator, with a queue that gets all of them."""

from __future__ import annotations

from mns.queue import QueueMeta
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMeta

from emulator.client import Emulator
from emulator.provisioning import account
from tests.integration.queues import messages
from tests.unit.announcements.published import Document, checked

TOPIC, QUEUE = "announcements", "announced"


def subscribe_queue(emulator: Emulator, *, largest_bytes: int = 65_536, filter_tag: str = "") -> None:
    """Create the topic and the queue; `filter_tag` is the only kind that is delivered."""
    endpoint = f"acs:mns:{emulator.endpoints.region}:{emulator.endpoints.account_id}:queues/{QUEUE}"
    with account(emulator) as owner:
        owner.get_queue(QUEUE).create(QueueMeta())
        owner.get_topic(TOPIC).create(TopicMeta(largest_bytes))
        subscription = owner.get_topic(TOPIC).get_subscription("to-queue")
        subscription.subscribe(SubscriptionMeta(endpoint, "BACKOFF_RETRY", "SIMPLIFIED", filter_tag))


def announced(emulator: Emulator) -> list[Document]:
    """Every announcement so far, each of which fits the schema."""
    return [checked(message["body"]) for message in messages(emulator, QUEUE)]


def kinds(emulator: Emulator) -> list[str]:
    """What was announced, in order."""
    return [document["data"]["kind"] for document in announced(emulator)]
