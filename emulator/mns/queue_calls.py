"""The operations on queues themselves: create, set, get, list, delete."""

from __future__ import annotations

from dataclasses import asdict

from emulator.http import Response
from emulator.mns import listing, names, record
from emulator.mns.attributes import QueueAttributes, queue_nodes
from emulator.mns.broker import Broker
from emulator.mns.call import MnsCall, answer, located
from emulator.mns.errors import Code, MnsRefusal
from emulator.mns.queue import Queue
from emulator.xml import Node


def create_queue(broker: Broker, call: MnsCall) -> Response:
    """201; 204 when it exists with the same attributes; QueueAlreadyExist when they differ."""
    name = names.queue_name(call.target.queue)
    attributes = QueueAttributes().overridden(call.optional_root("Queue"))
    url = call.url("queues", name)
    existing = broker.queues.get(name)
    if existing is not None:
        if existing.attributes != attributes:
            raise MnsRefusal(Code.QUEUE_ALREADY_EXIST)
        return located(204, url)
    broker.add_queue(name, attributes)
    record.changed(broker.world, call, attributes=asdict(attributes))
    return located(201, url)


def set_queue_attributes(broker: Broker, call: MnsCall) -> Response:
    """204; elements that are left out keep their value."""
    queue = broker.queue(call.target.queue)
    attributes = queue.attributes.overridden(call.optional_root("Queue"))
    queue.override(attributes, broker.settle(queue))
    record.changed(broker.world, call, attributes=asdict(attributes))
    return answer(204)


def get_queue_attributes(broker: Broker, call: MnsCall) -> Response:
    """200 with `<Queue>`."""
    queue = broker.queue(call.target.queue)
    record.read(broker.world, call)
    return answer(200, "Queue", _meta(broker, queue))


def list_queue(broker: Broker, call: MnsCall) -> Response:
    """200 with `<Queues>`, by name."""

    def write(name: str, with_meta: bool) -> list[Node]:
        return [("QueueURL", call.url("queues", name)), *(_meta(broker, broker.queues[name]) if with_meta else ())]

    record.read(broker.world, call)
    return listing.page(call, "Queues", "Queue", broker.queues, write)


def delete_queue(broker: Broker, call: MnsCall) -> Response:
    """204, also when there is none: the service documents no error for it."""
    if broker.remove_queue(call.target.queue):
        record.changed(broker.world, call)
    return answer(204)


def _meta(broker: Broker, queue: Queue) -> list[Node]:
    counts = queue.counts(broker.settle(queue))
    return queue_nodes(
        queue.name, queue.attributes, counts, queue.created_seconds, queue.modified_seconds, broker.figures
    )
