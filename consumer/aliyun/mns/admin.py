"""The gateway to what lies between Cloud Config and the worker: topic, subscription and the queues themselves.

For the commands that look at it and set it up; the worker never imports this. Reads and creates and adjusts, and has
no way to delete anything. A `Channel` belongs to one thread, as a `Queue` does.

Operations: https://www.alibabacloud.com/help/en/mns/developer-reference
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from mns.queue import QueueMeta
from mns.subscription import SubscriptionMeta
from mns.topic import TopicMeta

from consumer.aliyun.mns.queue import Connection
from consumer.core.errors import ServiceError
from consumer.core.queue_attributes import QueueAttributes

_MISSING = frozenset({"QueueNotExist", "TopicNotExist", "SubscriptionNotExist"})
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Subscription:
    """What brings a topic's messages to a queue."""

    endpoint: str
    """`acs:mns:<region>:<account>:queues/<queue>`, with no slash before `queues`."""
    notify_strategy: str
    """`BACKOFF_RETRY` gives a push three tries, `EXPONENTIAL_DECAY_RETRY` about a day."""
    content_format: str
    """`XML`, `JSON` or `SIMPLIFIED`."""
    filter_tag: str = ""
    """Only messages with this tag are delivered; Cloud Config tags none."""


class Channel(Connection):
    """Queues, topics and subscriptions of one account and region."""

    def queue(self, name: str) -> QueueAttributes | None:
        """A queue's attributes; None if there is no such queue.

        Raises:
            ServiceError: they could not be read.
        """
        return self._or_missing("GetQueueAttributes", lambda: self._attributes(name))

    def topic_max_message_bytes(self, name: str) -> int | None:
        """The largest message that a topic takes; None if there is no such topic.

        Raises:
            ServiceError: it could not be read.
        """
        topic = self._account.get_topic(name)
        return self._or_missing("GetTopicAttributes", lambda: int(topic.get_attributes().maximum_message_size))

    def subscription(self, topic: str, name: str) -> Subscription | None:
        """A subscription; None if there is none of that name.

        Raises:
            ServiceError: it could not be read.
        """
        found = self._account.get_topic(topic).get_subscription(name)

        def read() -> Subscription:
            meta = found.get_attributes()
            return Subscription(
                str(meta.endpoint), str(meta.notify_strategy), str(meta.notify_content_format), str(meta.filter_tag)
            )

        return self._or_missing("GetSubscriptionAttributes", read)

    def create_queue(self, name: str, wanted: QueueAttributes) -> None:
        """Create a queue; one that is there with the same attributes already is as good.

        Raises:
            ServiceError: it could not be created.
        """
        self._call("CreateQueue", lambda: self._account.get_queue(name).create(_queue_meta(wanted)))

    def adjust_queue(self, name: str, wanted: QueueAttributes) -> None:
        """Set a queue's attributes; those that no record here has stay.

        Raises:
            ServiceError: they could not be set.
        """
        self._call("SetQueueAttributes", lambda: self._account.get_queue(name).set_attributes(_queue_meta(wanted)))

    def create_topic(self, name: str, max_message_bytes: int) -> None:
        """Create a topic.

        Raises:
            ServiceError: it could not be created.
        """
        self._call("CreateTopic", lambda: self._account.get_topic(name).create(TopicMeta(max_message_bytes)))

    def adjust_topic(self, name: str, max_message_bytes: int) -> None:
        """Set the largest message that a topic takes.

        Raises:
            ServiceError: it could not be set.
        """
        topic = self._account.get_topic(name)
        self._call("SetTopicAttributes", lambda: topic.set_attributes(TopicMeta(max_message_bytes)))

    def subscribe(self, topic: str, name: str, wanted: Subscription) -> None:
        """Subscribe a queue to a topic.

        Raises:
            ServiceError: it could not be subscribed.
        """
        subscription = self._account.get_topic(topic).get_subscription(name)
        meta = SubscriptionMeta(wanted.endpoint, wanted.notify_strategy, wanted.content_format)
        self._call("Subscribe", lambda: subscription.subscribe(meta))

    def adjust_subscription(self, topic: str, name: str, notify_strategy: str) -> None:
        """Set the strategy, which is all of a subscription that can be changed.

        Raises:
            ServiceError: it could not be set.
        """
        subscription = self._account.get_topic(topic).get_subscription(name)
        meta = SubscriptionMeta(notify_strategy=notify_strategy)
        self._call("SetSubscriptionAttributes", lambda: subscription.set_attributes(meta))

    def _or_missing(self, operation: str, request: Callable[[], _T]) -> _T | None:
        try:
            return self._call(operation, request)
        except ServiceError as error:
            if error.code in _MISSING:
                return None
            raise


def _queue_meta(wanted: QueueAttributes) -> QueueMeta:
    meta = QueueMeta()
    meta.set_visibilitytimeout(wanted.visibility_timeout_seconds)
    meta.set_message_retention_period(wanted.retention_seconds)
    meta.set_maximum_message_size(wanted.max_message_bytes)
    return meta
