"""Sending messages into a queue, one or up to 16."""

from __future__ import annotations

from emulator.http import Response
from emulator.mns import names, record
from emulator.mns.broker import Broker
from emulator.mns.call import MnsCall, answer
from emulator.mns.errors import Code, MnsRefusal, entry_nodes, out_of_range
from emulator.mns.message import DEFAULT_PRIORITY, Draft, Message, sent_nodes
from emulator.mns.properties import read_properties
from emulator.mns.queue import Queue
from emulator.xml import Element, Node

_BATCH_BYTES = 65536


def send_message(broker: Broker, call: MnsCall) -> Response:
    """201 with the new message's id; a delayed message also gets a receipt handle."""
    queue = broker.queue(call.target.queue)
    message = _send(broker, call, queue, _draft(call.root("Message"), queue))
    return answer(201, "Message", sent_nodes(message))


def batch_send_message(broker: Broker, call: MnsCall) -> Response:
    """201, or 400 with an entry for every message when only some could be sent.

    The status of a partial failure is not documented; clients read the entries from any error status.
    """
    queue = broker.queue(call.target.queue)
    elements = list(call.root("Messages").all("Message"))
    names.check_batch(len(elements), "Messages")
    drafts = [_draft_or_refusal(element, queue) for element in elements]
    if sum(draft.size_bytes for draft in drafts if isinstance(draft, Draft)) > _BATCH_BYTES:
        raise out_of_range("Messages", 1, _BATCH_BYTES, "bytes")
    if all(isinstance(draft, MnsRefusal) for draft in drafts) and isinstance(drafts[0], MnsRefusal):
        raise drafts[0]
    partial = any(isinstance(draft, MnsRefusal) for draft in drafts)
    entries = [
        entry_nodes(draft) if isinstance(draft, MnsRefusal) else _sent_entry(_send(broker, call, queue, draft), partial)
        for draft in drafts
    ]
    return answer(400 if partial else 201, "Messages", [("Message", entry) for entry in entries])


def _sent_entry(message: Message, partial: bool) -> list[Node]:
    # Next to failed entries clients accept exactly these two elements.
    if partial:
        return [("MessageId", message.id), ("MessageBodyMD5", message.body_md5)]
    return sent_nodes(message)


def _draft_or_refusal(element: Element, queue: Queue) -> Draft | MnsRefusal:
    try:
        return _draft(element, queue)
    except MnsRefusal as refusal:
        return refusal


def _draft(element: Element, queue: Queue) -> Draft:
    fields = element.texts()
    body = fields.get("MessageBody", "")
    if not body:
        raise MnsRefusal(Code.INVALID_ARGUMENT, "MessageBody")
    delay = fields.get("DelaySeconds")
    priority = fields.get("Priority")
    draft = Draft(
        body=body,
        delay_seconds=names.number(delay, "DelaySeconds", names.DELAY_SECONDS, "seconds") if delay else None,
        priority=names.number(priority, "Priority", names.PRIORITIES) if priority else DEFAULT_PRIORITY,
        group_id=fields.get("MessageGroupId", ""),
        properties=read_properties(element),
    )
    # The page of properties counts them into "the size of the message", without saying of which of the two limits, the
    # queue's own or 64 KB: the stricter reading.
    limit = queue.attributes.maximum_message_size_bytes
    if draft.size_bytes > limit:
        raise out_of_range("MessageBody", 1, limit, "bytes")
    return draft


def _send(broker: Broker, call: MnsCall, queue: Queue, draft: Draft) -> Message:
    message = broker.send(queue, draft)
    record.changed(
        broker.world,
        call,
        message_id=message.id,
        body=message.body,
        body_md5=message.body_md5,
        next_visible_ms=message.next_visible_ms,
        expires_ms=message.expires_ms,
        **record.properties(message),
    )
    return message
