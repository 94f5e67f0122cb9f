"""The operations on subscriptions: subscribe, set, get, list, unsubscribe."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TypeVar

from emulator.http import Response
from emulator.mns import listing, names, record
from emulator.mns.broker import Broker
from emulator.mns.call import MnsCall, answer, located
from emulator.mns.errors import Code, MnsRefusal, out_of_range
from emulator.mns.topic import (
    ContentFormat,
    NotifyStrategy,
    Subscription,
    SubscriptionAttributes,
    Topic,
    endpoint,
)
from emulator.xml import Node

Choice = TypeVar("Choice", NotifyStrategy, ContentFormat)


def subscribe(broker: Broker, call: MnsCall) -> Response:
    """201; 204 when the same one exists; SubscriptionAlreadyExist when it differs."""
    topic = broker.topic(call.target.topic)
    name = names.subscription_name(call.target.subscription)
    attributes = _attributes(call)
    url = call.url("topics", topic.name, "subscriptions", name)
    existing = topic.subscriptions.get(name)
    if existing is not None:
        if existing.attributes != attributes:
            raise MnsRefusal(Code.SUBSCRIPTION_ALREADY_EXIST)
        return located(204, url)
    _check_room(broker, topic, attributes)
    now_seconds = broker.now_ms() // 1000
    topic.subscriptions[name] = Subscription(name, attributes, now_seconds, now_seconds)
    record.changed(broker.world, call, subscription=name, attributes=asdict(attributes))
    return located(201, url)


def _attributes(call: MnsCall) -> SubscriptionAttributes:
    fields = call.root("Subscription").texts()
    return SubscriptionAttributes(
        endpoint=endpoint(fields.get("Endpoint", "")),
        filter_tag=names.tag(fields.get("FilterTag", ""), "FilterTag"),
        strategy=_choice(fields.get("NotifyStrategy", ""), NotifyStrategy.BACKOFF_RETRY, "NotifyStrategy"),
        content_format=_choice(fields.get("NotifyContentFormat", ""), ContentFormat.XML, "NotifyContentFormat"),
    )


def _choice(text: str, default: Choice, element: str) -> Choice:
    """The named member of the default's enumeration; raises InvalidArgument for any other text."""
    try:
        return type(default)(text) if text else default
    except ValueError:
        raise MnsRefusal(Code.INVALID_ARGUMENT, element) from None


def _check_room(broker: Broker, topic: Topic, attributes: SubscriptionAttributes) -> None:
    if len(topic.subscriptions) >= names.SUBSCRIPTIONS:
        raise out_of_range("SubscriptionNumber", 0, names.SUBSCRIPTIONS, "")
    queue = broker.queues.get(attributes.queue_name() or "")
    needed = topic.attributes.maximum_message_size_bytes
    if queue is not None and queue.attributes.maximum_message_size_bytes < needed:
        raise out_of_range("MaximumMessageSize", needed, names.MESSAGE_BYTES[1], "bytes")


def set_subscription_attributes(broker: Broker, call: MnsCall) -> Response:
    """204; only the strategy can be changed."""
    subscription = _existing(broker, call)
    attributes = subscription.attributes
    strategy = call.root("Subscription").texts().get("NotifyStrategy", "")
    changed = replace(attributes, strategy=_choice(strategy, attributes.strategy, "NotifyStrategy"))
    subscription.attributes = changed
    subscription.modified_seconds = broker.now_ms() // 1000
    record.changed(broker.world, call, subscription=subscription.name, attributes=asdict(changed))
    return answer(204)


def get_subscription_attributes(broker: Broker, call: MnsCall) -> Response:
    """200 with `<Subscription>`."""
    subscription = _existing(broker, call)
    record.read(broker.world, call)
    return answer(200, "Subscription", subscription.nodes(broker.world.account_id, call.target.topic))


def list_subscription_by_topic(broker: Broker, call: MnsCall) -> Response:
    """200 with `<Subscriptions>`, by name."""
    topic = broker.topic(call.target.topic)

    def write(name: str, with_meta: bool) -> list[Node]:
        meta = topic.subscriptions[name].nodes(broker.world.account_id, topic.name) if with_meta else ()
        return [("SubscriptionURL", call.url("topics", topic.name, "subscriptions", name)), *meta]

    record.read(broker.world, call)
    return listing.page(call, "Subscriptions", "Subscription", topic.subscriptions, write)


def unsubscribe(broker: Broker, call: MnsCall) -> Response:
    """204, also when there is no such subscription."""
    topic = broker.topic(call.target.topic)
    if topic.subscriptions.pop(call.target.subscription, None):
        record.changed(broker.world, call, subscription=call.target.subscription)
    return answer(204)


def _existing(broker: Broker, call: MnsCall) -> Subscription:
    subscription = broker.topic(call.target.topic).subscriptions.get(call.target.subscription)
    if subscription is None:
        raise MnsRefusal(Code.SUBSCRIPTION_NOT_EXIST)
    return subscription
