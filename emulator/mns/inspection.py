"""Shows everything the service holds as JSON, for the control port; changes nothing but what is due anyway."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from emulator.mns.broker import Broker
from emulator.mns.message import Message
from emulator.mns.queue import Queue
from emulator.mns.topic import Topic


def state(broker: Broker, with_messages: bool) -> dict[str, Any]:
    """Queues, topics and the behaviours that are switched on."""
    return {
        "queues": {name: _queue(broker, queue, with_messages) for name, queue in broker.queues.items()},
        "topics": {name: _topic(topic) for name, topic in broker.topics.items()},
        "dead_letter_policies": [asdict(policy) for policy in broker.policies.values()],
        "long_polls_held": broker.polls.held,
        "long_poll_cap": broker.polls.cap,
        "pushes_to_retry": broker.retries.pending(),
        "queue_figures": broker.figures.value,
        "logging_bucket": broker.logging_bucket,
    }


def _queue(broker: Broker, queue: Queue, with_messages: bool) -> dict[str, Any]:
    now_ms = broker.settle(queue)
    shown: dict[str, Any] = {"attributes": asdict(queue.attributes), **asdict(queue.counts(now_ms))}
    if with_messages:
        shown["messages"] = [_message(message) for message in queue.messages(now_ms)]
    return shown


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "body": message.body,
        "state": message.state.value,
        "priority": message.priority,
        "dequeue_count": message.dequeue_count,
        "enqueue_ms": message.enqueue_ms,
        "first_dequeue_ms": message.first_dequeue_ms,
        "next_visible_ms": message.next_visible_ms,
        "expires_ms": message.expires_ms,
        "receipt_handle": message.receipt_handle,
        **asdict(message.properties),
    }


def _topic(topic: Topic) -> dict[str, Any]:
    return {
        "attributes": asdict(topic.attributes),
        "subscriptions": {name: asdict(subscription.attributes) for name, subscription in topic.subscriptions.items()},
    }
