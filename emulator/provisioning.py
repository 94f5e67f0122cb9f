"""Sets up the way from Cloud Config to a queue with the real MNS SDK, as an account's administrator would."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mns.account import Account
from mns.queue import QueueMeta
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMeta

from emulator.client import Emulator


@contextmanager
def account(emulator: Emulator) -> Iterator[Any]:
    """An SDK account (untyped, not thread-safe) of the emulator's key; its connection is closed at the end."""
    known = emulator.endpoints
    # Without a logger of ours the SDK would write a file into its own package.
    logger = logging.getLogger("emulator.provisioning")
    opened = Account(known.mns, known.access_key_id, known.access_key_secret, logger=logger)
    try:
        yield opened
    finally:
        opened.mns_client.close_connection()


def setup_channel(
    emulator: Emulator,
    *,
    queue: str = "config-events",
    topic: str = "config-topic",
    content_format: str = "SIMPLIFIED",
    dead_letter_queue: str | None = None,
    visibility_timeout_seconds: int = 30,
    polling_wait_seconds: int = 0,
) -> None:
    """Create queues, topic and subscription, and let Cloud Config deliver to the topic.

    `content_format` is XML, JSON or SIMPLIFIED. The dead-letter queue is created, no policy is set.
    """
    meta = QueueMeta()
    meta.set_visibilitytimeout(visibility_timeout_seconds)
    meta.set_polling_wait_seconds(polling_wait_seconds)
    endpoint = f"acs:mns:{emulator.endpoints.region}:{emulator.endpoints.account_id}:queues/{queue}"
    wanted = SubscriptionMeta(endpoint, "BACKOFF_RETRY", content_format)
    with account(emulator) as owner:
        owner.get_queue(queue).create(meta)
        if dead_letter_queue is not None:
            owner.get_queue(dead_letter_queue).create(QueueMeta())
        owner.get_topic(topic).create(TopicMeta())
        owner.get_topic(topic).get_subscription(f"{queue}-subscription").subscribe(wanted)
    emulator.config.set_channel(topic=topic)
