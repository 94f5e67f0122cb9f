"""The account's queues and topics, and everything that reaches from one of them to another.

It journals what happens by itself (pushes, expiries, moves to a dead-letter queue); what was requested is
journaled where it is answered. It knows no HTTP.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from emulator.mns import names, record
from emulator.mns.attributes import Figures, QueueAttributes, TopicAttributes
from emulator.mns.dead_letter import DeadLetterPolicy, dead_letter
from emulator.mns.errors import Code, MnsRefusal, out_of_range
from emulator.mns.http_push import HttpEndpoint, HttpPush, NotPushed
from emulator.mns.message import Draft, Message
from emulator.mns.polling import Line, Polls
from emulator.mns.push import Retries, envelope
from emulator.mns.queue import Queue
from emulator.mns.retention import Retention
from emulator.mns.throttle import ConsumptionThrottle
from emulator.mns.topic import Publication, Subscription, Topic
from emulator.world import World


class Broker:
    """All MNS state of one account in one region."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.queues: dict[str, Queue] = {}
        self.topics: dict[str, Topic] = {}
        self.policies: dict[str, DeadLetterPolicy] = {}
        """Dead-letter policies by source queue; the queues need not exist yet."""
        self.logging_bucket = ""
        self.figures = Figures.COUNTED
        """What queues say of the number of their messages."""
        self.polls = Polls(world.clock)
        self.throttle = ConsumptionThrottle()
        self.retries = Retries(world.clock)
        self._http = HttpPush(private=world.push_to_private_addresses)
        self._retention = Retention(world.clock, self._next_expiry_ms, self._elapse)
        self._lines: dict[str, Line] = {}

    def now_ms(self) -> int:
        """The emulated time in milliseconds."""
        return self.world.clock.now_ms()

    def queue(self, name: str) -> Queue:
        """The queue of that name; raises QueueNotExist."""
        queue = self.queues.get(name)
        if queue is None:
            raise MnsRefusal(Code.QUEUE_NOT_EXIST)
        return queue

    def topic(self, name: str) -> Topic:
        """The topic of that name; raises TopicNotExist."""
        topic = self.topics.get(name)
        if topic is None:
            raise MnsRefusal(Code.TOPIC_NOT_EXIST)
        return topic

    def line(self, queue: Queue) -> Line:
        """The long polls waiting at the queue."""
        return self._lines[queue.name]

    def add_queue(self, name: str, attributes: QueueAttributes) -> Queue:
        """Create a queue; raises InvalidArgument when the account has as many as it may have."""
        if len(self.queues) >= names.QUEUES:
            raise out_of_range("QueueNumber", 0, names.QUEUES, "")
        queue = self.queues[name] = Queue(name, attributes, self, self.now_ms())
        self._lines[name] = Line()
        self._apply_policy(name)
        return queue

    def remove_queue(self, name: str) -> bool:
        """Delete a queue with its messages and end the polls at it; false if there was none."""
        queue = self.queues.pop(name, None)
        if queue is None:
            return False
        queue.deleted = True
        self._lines.pop(name).knock_all()
        return True

    def close(self) -> None:
        """End every poll and forget pushes to come; the broker is not used afterwards."""
        self.retries.clear()
        self._retention.close()
        for name in list(self.queues):
            self.remove_queue(name)

    def add_topic(self, name: str, attributes: TopicAttributes) -> Topic:
        """Create a topic; raises InvalidArgument when the account has as many as it may have."""
        if len(self.topics) >= names.TOPICS:
            raise out_of_range("TopicNumber", 0, names.TOPICS, "")
        now_seconds = self.now_ms() // 1000
        topic = self.topics[name] = Topic(name, attributes, now_seconds, now_seconds)
        return topic

    def settle(self, queue: Queue) -> int:
        """Let happen what is due in this queue and in those that feed it; returns the time in milliseconds."""
        now_ms = self.now_ms()
        if self.policies:
            for source in self._sources(queue):
                source.elapse(now_ms)
        queue.elapse(now_ms)
        return now_ms

    def next_change_ms(self, queue: Queue) -> int | None:
        """When something may become available in the queue by itself."""
        moments = [queue.next_change_ms(), *(source.next_change_ms() for source in self._sources(queue))]
        return min((moment for moment in moments if moment is not None), default=None)

    def _sources(self, queue: Queue) -> list[Queue]:
        return [
            self.queues[policy.source_queue]
            for policy in self.policies.values()
            if policy.target_queue == queue.name and policy.source_queue in self.queues
        ]

    def send(self, queue: Queue, draft: Draft) -> Message:
        """Store a message and wake whoever waits for one."""
        message = queue.send(draft, self.now_ms())
        self._retention.watch(message.expires_ms)
        self.line(queue).knock()
        return message

    def _next_expiry_ms(self) -> int | None:
        moments = (queue.next_expiry_ms() for queue in self.queues.values())
        return min((moment for moment in moments if moment is not None), default=None)

    def _elapse(self) -> None:
        for queue in list(self.queues.values()):
            queue.elapse(self.now_ms())

    def set_policy(self, policy: DeadLetterPolicy) -> None:
        """Switch a dead-letter policy on, replacing one of the same source queue."""
        self.policies[policy.source_queue] = policy
        self._apply_policy(policy.source_queue)

    def clear_policy(self, source_queue: str) -> None:
        """Switch a queue's dead-letter policy off."""
        self.policies.pop(source_queue, None)
        self._apply_policy(source_queue)

    def _apply_policy(self, name: str) -> None:
        if queue := self.queues.get(name):
            policy = self.policies.get(name)
            queue.max_receive_count = policy.max_receive_count if policy else None

    def expired(self, queue: Queue, message: Message) -> None:
        """Journal a message whose retention ended."""
        self._journal("MessageExpired", queue, message_id=message.id, dequeue_count=message.dequeue_count)

    def exhausted(self, queue: Queue, message: Message) -> bool:
        """Move a message to the dead-letter queue; without one it stays and can be received again."""
        policy = self.policies.get(queue.name)
        target = self.queues.get(policy.target_queue) if policy else None
        if target is None:
            return False
        now_ms = self.now_ms()
        source_arn = f"acs:mns:{self.world.region}:{self.world.account_id}:/queues/{queue.name}"
        moved = target.adopt(dead_letter(message, source_arn), now_ms, message.expires_ms, now_ms)
        self._journal(
            "MovedToDeadLetterQueue",
            queue,
            message_id=message.id,
            dequeue_count=message.dequeue_count,
            target_queue=target.name,
            target_message_id=moved.id,
        )
        self.line(target).knock()
        return True

    def publish(self, topic: Topic, publication: Publication) -> None:
        """Push a message to every subscription that wants it, at once; failed pushes are tried again later."""
        for subscription in topic.wanted_by(publication.tag):
            if subscription.attributes.queue_name() is None:
                self._publish_to_http(topic, subscription, publication)
            elif not self._push(topic, subscription, publication):
                self.retries.start(
                    subscription.attributes.strategy,
                    attempt=partial(self._push_again, topic, subscription, publication),
                    give_up=partial(self._discard, topic, subscription, publication),
                )

    def _publish_to_http(self, topic: Topic, subscription: Subscription, publication: Publication) -> None:
        """The first attempt is made at once, too, but the publisher does not wait for it."""
        endpoint = HttpEndpoint.of(subscription.attributes.endpoint)
        if endpoint is not None:
            self.retries.start(
                subscription.attributes.strategy,
                attempt=partial(self._push_to_http, topic, subscription, publication, endpoint),
                give_up=partial(self._discard, topic, subscription, publication),
                at_once=True,
            )

    async def _push_to_http(
        self, topic: Topic, subscription: Subscription, publication: Publication, endpoint: HttpEndpoint
    ) -> bool:
        if self._unsubscribed(topic, subscription):
            self._discard(topic, subscription, publication)
            return True
        form = subscription.attributes.content_format
        body = envelope(publication, topic, subscription, self.world.account_id)
        pushed: dict[str, Any] = {}
        try:
            pushed["status"] = await self._http.push(endpoint, publication, form, body, self.world.request_id())
        except NotPushed as failure:
            pushed["failure"] = str(failure)
        self.world.journal.changed(
            "mns",
            "PushToEndpoint",
            f"topics/{topic.name}",
            subscription=subscription.name,
            endpoint=subscription.attributes.endpoint,
            published_message_id=publication.message_id,
            **pushed,
        )
        return "status" in pushed

    async def _push_again(self, topic: Topic, subscription: Subscription, publication: Publication) -> bool:
        if self._unsubscribed(topic, subscription):
            self._discard(topic, subscription, publication)
            return True
        return self._push(topic, subscription, publication)

    def _unsubscribed(self, topic: Topic, subscription: Subscription) -> bool:
        subscribed = topic.subscriptions.get(subscription.name) is subscription
        return not subscribed or self.topics.get(topic.name) is not topic

    def _push(self, topic: Topic, subscription: Subscription, publication: Publication) -> bool:
        queue = self.queues.get(subscription.attributes.queue_name() or "")
        if queue is None:
            return False
        body = envelope(publication, topic, subscription, self.world.account_id)
        draft = Draft(body, group_id=publication.group_id, properties=publication.properties)
        message = self.send(queue, draft)
        self._journal(
            "PushToQueue",
            queue,
            topic=topic.name,
            subscription=subscription.name,
            published_message_id=publication.message_id,
            message_id=message.id,
            body=body,
            **record.properties(message),
        )
        return True

    def _discard(self, topic: Topic, subscription: Subscription, publication: Publication) -> None:
        self.world.journal.changed(
            "mns",
            "PushDiscarded",
            f"topics/{topic.name}",
            subscription=subscription.name,
            endpoint=subscription.attributes.endpoint,
            published_message_id=publication.message_id,
        )

    def _journal(self, what: str, queue: Queue, **detail: Any) -> None:
        self.world.journal.changed("mns", what, f"queues/{queue.name}", **detail)
