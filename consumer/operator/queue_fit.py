"""Whether queues, topic and subscription fit the configuration, and which attributes would. Pure.

`check` reports what does not fit and `provision` corrects it, both by this module: what `provision` sets always fits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from consumer.aliyun.mns.admin import Subscription
from consumer.config import Config
from consumer.core.queue_attributes import QueueAttributes
from consumer.core.queue_limits import MAX_MESSAGE_BYTES, MAX_VISIBILITY_SECONDS
from consumer.operator.check.findings import CheckResult, failed, warning

LEAST_TOPIC_BYTES = 8_192
"""Below this Cloud Config cannot deliver:
https://www.alibabacloud.com/help/en/cloud-config/latest/send-notifications-of-resource-events-to-an-mns-topic"""
NEW_TOPIC_BYTES = MAX_MESSAGE_BYTES
LONGEST_RETENTION_SECONDS = 604_800
PATIENT = "EXPONENTIAL_DECAY_RETRY"
FORMAT = "SIMPLIFIED"

_DAY_SECONDS = 86_400
_LEAST_DEAD_LETTER_SECONDS = 4 * _DAY_SECONDS
"""A long weekend, so that somebody sees a dead letter before it is dropped."""
_FORMATS = frozenset({"SIMPLIFIED", "XML", "JSON"})


def subscription_endpoint(config: Config) -> str:
    """How a subscription names the configured queue."""
    return f"acs:mns:{config.queue.region}:{config.account_id}:queues/{config.queue.name}"


def wanted_subscription(config: Config) -> Subscription:
    """The subscription to create."""
    return Subscription(subscription_endpoint(config), PATIENT, FORMAT)


def wanted_queue(config: Config, found: QueueAttributes | None, topic_bytes: int | None) -> QueueAttributes:
    """Attributes that fit: what is found, changed only where it does not."""
    shortest, longest = _visibility_range(config)
    if found is None:
        return QueueAttributes(shortest, LONGEST_RETENTION_SECONDS, MAX_MESSAGE_BYTES)
    return QueueAttributes(
        min(max(found.visibility_timeout_seconds, shortest), longest),
        max(found.retention_seconds, _DAY_SECONDS, _longest_hidden_seconds(config) + 1),
        max(found.max_message_bytes, topic_bytes or LEAST_TOPIC_BYTES),
    )


def wanted_dead_letter_queue(found: QueueAttributes | None, queue: QueueAttributes) -> QueueAttributes:
    """The same for the dead-letter queue of a queue."""
    if found is None:
        return QueueAttributes(queue.visibility_timeout_seconds, LONGEST_RETENTION_SECONDS, MAX_MESSAGE_BYTES)
    return replace(
        found,
        retention_seconds=max(found.retention_seconds, _LEAST_DEAD_LETTER_SECONDS),
        max_message_bytes=max(found.max_message_bytes, queue.max_message_bytes),
    )


def queue(config: Config, found: QueueAttributes, topic_bytes: int | None, provision: str) -> Iterator[CheckResult]:
    """What does not fit about the queue; `provision` is the command that adjusts it, here and below."""
    yield from _visibility(config, found.visibility_timeout_seconds, provision)
    hidden = _longest_hidden_seconds(config)
    if found.retention_seconds <= hidden:
        text = (
            f"messages are dropped after {found.retention_seconds} s, and some should wait for {hidden} s: parked they"
            " come back within half of their retention, and what cannot be parked is lost"
        )
        yield warning("queue retention", text, f"raise the queue's retention above {hidden} s; {provision} does it")
    elif found.retention_seconds < _DAY_SECONDS:
        text = f"messages are dropped after {found.retention_seconds} s, so an outage of a night loses them"
        yield warning("queue retention", text, f"raise the queue's retention to a day at least; {provision} does it")
    needed = topic_bytes or LEAST_TOPIC_BYTES
    if found.max_message_bytes < needed:
        whose = "the topic" if topic_bytes else "Cloud Config"
        text = f"the queue takes {found.max_message_bytes} bytes, and {whose} sends up to {needed}"
        yield failed("queue size", text, f"raise the queue's MaximumMessageSize to {needed}; {provision} does it")


def dead_letter_queue(found: QueueAttributes, queue: QueueAttributes | None, provision: str) -> Iterator[CheckResult]:
    """What does not fit about the dead-letter queue."""
    if found.retention_seconds < _LEAST_DEAD_LETTER_SECONDS:
        text = f"dead letters are dropped after {found.retention_seconds} s, before a person may have seen them"
        yield warning("dead-letter retention", text, f"raise it to {_LEAST_DEAD_LETTER_SECONDS} s; {provision} does it")
    if queue is not None and found.max_message_bytes < queue.max_message_bytes:
        text = (
            f"it takes {found.max_message_bytes} bytes and the queue {queue.max_message_bytes}: large ones stay there"
        )
        remedy = f"raise its MaximumMessageSize to {queue.max_message_bytes}; {provision} does it"
        yield warning("dead-letter size", text, remedy)


def topic(max_message_bytes: int, provision: str) -> Iterator[CheckResult]:
    """What does not fit about the topic."""
    if max_message_bytes < LEAST_TOPIC_BYTES:
        text = (
            f"the topic takes {max_message_bytes} bytes, and Cloud Config needs {LEAST_TOPIC_BYTES} to deliver at all"
        )
        yield failed("topic size", text, f"raise the topic's MaximumMessageSize; {provision} does it")


def subscription(config: Config, found: Subscription, provision: str) -> Iterator[CheckResult]:
    """What does not fit about the subscription."""
    wanted = subscription_endpoint(config)
    if found.endpoint != wanted:
        text = f"it delivers to {found.endpoint} and not to {wanted}"
        remedy = "an endpoint cannot be changed: remove the subscription, or name another in topic.subscription"
        yield failed("subscription endpoint", text, remedy)
    if found.filter_tag:
        text = f"it delivers only messages with the tag {found.filter_tag!r}, and Cloud Config tags none"
        yield failed("subscription filter", text, "subscribe the queue without a filter tag")
    if found.content_format not in _FORMATS:
        text = f"nothing is known about the format {found.content_format!r}"
        yield failed("subscription format", text, f"subscribe the queue with the format {FORMAT}")
    elif found.content_format != FORMAT:
        text = f"{found.content_format} wraps every event, which costs room; it is decoded all the same"
        yield warning("subscription format", text, f"a format cannot be changed: subscribe anew with {FORMAT}")
    if found.notify_strategy != PATIENT:
        text = f"{found.notify_strategy} gives up after three tries, and what was not pushed by then is lost"
        yield warning("subscription retries", text, f"set the strategy {PATIENT}; {provision} does it")


def _visibility_range(config: Config) -> tuple[int, int]:
    engine = config.engine
    shortest = math.ceil(max(engine.work_budget_seconds, 2 * config.queue.call_timeout_seconds))
    longest = max(shortest, math.floor(engine.max_lease_seconds))
    return min(shortest, MAX_VISIBILITY_SECONDS), min(longest, MAX_VISIBILITY_SECONDS)


def _visibility(config: Config, seconds: int, provision: str) -> Iterator[CheckResult]:
    shortest, longest = _visibility_range(config)
    if seconds < 2 * config.queue.call_timeout_seconds:
        text = f"a message is hidden for {seconds} s, so one slow renewal lets another consumer receive it"
        remedy = f"raise the queue's VisibilityTimeout to {shortest} s; {provision} does it"
        yield failed("queue visibility", text, remedy)
    elif seconds < shortest:
        text = f"a message is hidden for {seconds} s and may be worked on for {config.engine.work_budget_seconds:g} s"
        budget = "engine.work_budget_seconds"
        remedy = f"raise the queue's VisibilityTimeout to {shortest} s ({provision} does it), or lower {budget}"
        yield warning("queue visibility", text, remedy)
    elif seconds > longest:
        text = f"after a crash its messages stay hidden for {seconds} s"
        yield warning(
            "queue visibility", text, f"lower the queue's VisibilityTimeout to {longest} s; {provision} does it"
        )


def _longest_hidden_seconds(config: Config) -> int:
    retry = config.retry
    rules = [rule.hold_seconds for rule in config.rules if rule.hold_seconds is not None]
    return math.ceil(max(retry.backoff_cap_seconds, retry.hold_seconds, retry.keep_seconds, *rules))
