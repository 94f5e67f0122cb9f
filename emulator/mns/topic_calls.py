"""The operations on topics: create, set, get, list, delete, publish."""

from __future__ import annotations

from dataclasses import asdict

from emulator.http import Response
from emulator.mns import listing, names, record
from emulator.mns.attributes import TopicAttributes, topic_nodes
from emulator.mns.broker import Broker
from emulator.mns.call import MnsCall, answer, located
from emulator.mns.errors import Code, MnsRefusal, out_of_range
from emulator.mns.message import body_md5, message_id
from emulator.mns.properties import read_properties
from emulator.mns.topic import Publication, Topic
from emulator.xml import Node


def create_topic(broker: Broker, call: MnsCall) -> Response:
    """201; 204 when it exists with the same attributes; TopicAlreadyExist when they differ."""
    name = names.topic_name(call.target.topic)
    attributes = TopicAttributes().overridden(call.optional_root("Topic"))
    url = call.url("topics", name)
    existing = broker.topics.get(name)
    if existing is not None:
        if existing.attributes != attributes:
            raise MnsRefusal(Code.TOPIC_ALREADY_EXIST)
        return located(204, url)
    broker.add_topic(name, attributes)
    record.changed(broker.world, call, attributes=asdict(attributes))
    return located(201, url)


def set_topic_attributes(broker: Broker, call: MnsCall) -> Response:
    """204; elements that are left out keep their value."""
    topic = broker.topic(call.target.topic)
    topic.attributes = topic.attributes.overridden(call.optional_root("Topic"))
    topic.modified_seconds = broker.now_ms() // 1000
    record.changed(broker.world, call, attributes=asdict(topic.attributes))
    return answer(204)


def get_topic_attributes(broker: Broker, call: MnsCall) -> Response:
    """200 with `<Topic>`."""
    topic = broker.topic(call.target.topic)
    record.read(broker.world, call)
    return answer(200, "Topic", _meta(topic))


def list_topic(broker: Broker, call: MnsCall) -> Response:
    """200 with `<Topics>`, by name."""

    def write(name: str, with_meta: bool) -> list[Node]:
        return [("TopicURL", call.url("topics", name)), *(_meta(broker.topics[name]) if with_meta else ())]

    record.read(broker.world, call)
    return listing.page(call, "Topics", "Topic", broker.topics, write)


def delete_topic(broker: Broker, call: MnsCall) -> Response:
    """204, also when there is none; its subscriptions go with it."""
    if broker.topics.pop(call.target.topic, None):
        record.changed(broker.world, call)
    return answer(204)


def publish_message(broker: Broker, call: MnsCall) -> Response:
    """201 with the message's id; it is pushed to the subscriptions before the answer leaves."""
    topic = broker.topic(call.target.topic)
    element = call.root("Message")
    call.refuse_foreign_namespace()
    fields = element.texts()
    body = fields.get("MessageBody", "")
    if not body:
        raise MnsRefusal(Code.INVALID_ARGUMENT, "MessageBody")
    properties = read_properties(element)
    limit = topic.attributes.maximum_message_size_bytes
    if len(body.encode()) + properties.size_bytes > limit:
        raise out_of_range("MessageBody", 1, limit, "bytes")
    publication = Publication(
        message_id=message_id(),
        body=body,
        body_md5=body_md5(body),
        tag=names.tag(fields.get("MessageTag", ""), "MessageTag"),
        publish_ms=broker.now_ms(),
        group_id=fields.get("MessageGroupId", ""),
        properties=properties,
    )
    record.changed(broker.world, call, message_id=publication.message_id, body=body, tag=publication.tag)
    broker.publish(topic, publication)
    inner: list[Node] = [("MessageId", publication.message_id), ("MessageBodyMD5", publication.body_md5)]
    if publication.group_id:
        inner.append(("MessageGroupId", publication.group_id))
    return answer(201, "Message", inner)


def _meta(topic: Topic) -> list[Node]:
    # Pushed at once, a message is never seen waiting in its topic.
    return topic_nodes(topic.name, topic.attributes, 0, topic.created_seconds, topic.modified_seconds)
