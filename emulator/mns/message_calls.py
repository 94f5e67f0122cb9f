"""The operations on messages in a queue: send, receive, peek, delete, change visibility, one or up to 16."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element

from emulator.faults import Kind
from emulator.http import Response
from emulator.mns import names, record
from emulator.mns.broker import Broker
from emulator.mns.call import Call, answer
from emulator.mns.errors import Code, Refusal, out_of_range
from emulator.mns.message import DEFAULT_PRIORITY, Draft, Message, Receipt, peeked_xml, received_xml, sent_xml
from emulator.mns.properties import read_properties
from emulator.mns.queue import Queue
from emulator.mns.xml import branch, children, leaf, texts

_EARLY_EMPTY = frozenset({Kind.EARLY_EMPTY})
_DUPLICATE = frozenset({Kind.DUPLICATE})
_BATCH_BYTES = 65536


def send_message(broker: Broker, call: Call) -> Response:
    """201 with the new message's id; a delayed message also gets a receipt handle."""
    queue = broker.queue(call.target.queue)
    message = _send(broker, call, queue, _draft(call.root("Message"), queue))
    return answer(201, "Message", sent_xml(message))


def batch_send_message(broker: Broker, call: Call) -> Response:
    """201, or 400 with an entry for every message when only some could be sent.

    The status of a partial failure is not documented; clients read the entries from any error status.
    """
    queue = broker.queue(call.target.queue)
    elements = list(children(call.root("Messages"), "Message"))
    _check_batch(len(elements), "Messages")
    drafts = [_draft_or_refusal(element, queue) for element in elements]
    if sum(len(draft.body.encode()) for draft in drafts if isinstance(draft, Draft)) > _BATCH_BYTES:
        raise out_of_range("Messages", 1, _BATCH_BYTES, "bytes")
    if all(isinstance(draft, Refusal) for draft in drafts) and isinstance(drafts[0], Refusal):
        raise drafts[0]
    partial = any(isinstance(draft, Refusal) for draft in drafts)
    entries = (
        _refused_xml(draft) if isinstance(draft, Refusal) else _sent_entry(_send(broker, call, queue, draft), partial)
        for draft in drafts
    )
    return answer(400 if partial else 201, "Messages", "".join(branch("Message", entry) for entry in entries))


def _sent_entry(message: Message, partial: bool) -> str:
    # Next to failed entries clients accept exactly these two elements.
    if partial:
        return leaf("MessageId", message.id) + leaf("MessageBodyMD5", message.body_md5)
    return sent_xml(message)


def _refused_xml(refusal: Refusal) -> str:
    return leaf("ErrorCode", refusal.code.wire_name) + leaf("ErrorMessage", refusal.message)


def _draft_or_refusal(element: Element, queue: Queue) -> Draft | Refusal:
    try:
        return _draft(element, queue)
    except Refusal as refusal:
        return refusal


def _draft(element: Element, queue: Queue) -> Draft:
    fields = texts(element)
    body = fields.get("MessageBody", "")
    if not body:
        raise Refusal(Code.INVALID_ARGUMENT, "MessageBody")
    limit = queue.attributes.maximum_message_size_bytes
    if len(body.encode()) > limit:
        raise out_of_range("MessageBody", 1, limit, "bytes")
    delay = fields.get("DelaySeconds")
    priority = fields.get("Priority")
    return Draft(
        body=body,
        delay_seconds=names.number(delay, "DelaySeconds", names.DELAY_SECONDS, "seconds") if delay else None,
        priority=names.number(priority, "Priority", names.PRIORITIES) if priority else DEFAULT_PRIORITY,
        group_id=fields.get("MessageGroupId", ""),
        properties=read_properties(element),
    )


def _send(broker: Broker, call: Call, queue: Queue, draft: Draft) -> Message:
    message = broker.send(queue, draft)
    record.changed(broker.world, call, message_id=message.id, body=message.body)
    return message


async def receive_message(broker: Broker, call: Call) -> Response:
    """200 with one `<Message>`; MessageNotExist when there is none by the end of the wait."""
    receipts = await _receive(broker, call, 1)
    return answer(200, "Message", received_xml(receipts[0]))


async def batch_receive_message(broker: Broker, call: Call) -> Response:
    """200 with as many as are there, at least one; it never waits to fill the batch."""
    receipts = await _receive(broker, call, _batch_size(call))
    return answer(200, "Messages", "".join(branch("Message", received_xml(item)) for item in receipts))


async def _receive(broker: Broker, call: Call, limit: int) -> Sequence[Receipt]:
    queue = broker.queue(call.target.queue)
    wait_seconds = _wait_seconds(call, queue)
    now = broker.world.clock.now()
    if broker.throttle.refuses(call.access_key_id, now):
        raise Refusal(Code.TOO_MANY_REQUESTS)

    def take() -> Sequence[Receipt]:
        return _take(broker, call, queue, limit)

    found = () if wait_seconds and len(broker.line(queue)) else take()
    if not found and wait_seconds and not broker.polls.full() and not _struck(broker, call, _EARLY_EMPTY):
        found = await broker.polls.wait(
            broker.line(queue), now + wait_seconds, take, lambda: broker.next_change_ms(queue)
        )
    if not found:
        raise Refusal(Code.MESSAGE_NOT_EXIST)
    return found


def _take(broker: Broker, call: Call, queue: Queue, limit: int) -> Sequence[Receipt]:
    if queue.deleted:
        raise Refusal(Code.QUEUE_NOT_EXIST)
    now_ms = broker.settle(queue)
    if not queue.has_active():
        return ()
    receipts = queue.receive(limit, now_ms, leave_visible=_struck(broker, call, _DUPLICATE))
    broker.throttle.received(call.access_key_id, len(receipts), now_ms / 1000)
    record.changed(
        broker.world,
        call,
        messages=[
            {
                "message_id": receipt.message.id,
                "receipt_handle": receipt.receipt_handle,
                "dequeue_count": receipt.dequeue_count,
                "next_visible_ms": receipt.next_visible_ms,
            }
            for receipt in receipts
        ],
    )
    return receipts


def _struck(broker: Broker, call: Call, kinds: frozenset[Kind]) -> bool:
    resource = f"{call.request.host}{call.request.path}"
    return broker.world.faults.strike("mns", call.target.operation, resource, kinds) is not None


def _wait_seconds(call: Call, queue: Queue) -> int:
    text = call.query.get("waitseconds")
    if text is None:
        return queue.attributes.polling_wait_seconds
    return names.number(text, "waitseconds", names.WAIT_SECONDS, "seconds")


def _batch_size(call: Call) -> int:
    return names.number(call.query["numofmessages"], "numOfMessages", (1, names.BATCH_MESSAGES))


def _check_batch(size: int, element: str) -> None:
    if not 1 <= size <= names.BATCH_MESSAGES:
        raise out_of_range(element, 1, names.BATCH_MESSAGES, "")


def peek_message(broker: Broker, call: Call) -> Response:
    """200 with one `<Message>` that stays as it is; MessageNotExist when none could be received."""
    return answer(200, "Message", peeked_xml(_peek(broker, call, 1)[0]))


def batch_peek_message(broker: Broker, call: Call) -> Response:
    """200 with up to 16 messages that stay as they are."""
    peeked = _peek(broker, call, _batch_size(call))
    return answer(200, "Messages", "".join(branch("Message", peeked_xml(message)) for message in peeked))


def _peek(broker: Broker, call: Call, limit: int) -> list[Message]:
    queue = broker.queue(call.target.queue)
    peeked = queue.peek(limit, broker.settle(queue))
    if not peeked:
        raise Refusal(Code.MESSAGE_NOT_EXIST)
    record.read(broker.world, call, message_ids=[message.id for message in peeked])
    return peeked


def delete_message(broker: Broker, call: Call) -> Response:
    """204; MessageNotExist when the handle is no longer good, ReceiptHandleError when it never was one."""
    queue = broker.queue(call.target.queue)
    message = queue.delete(_receipt_handle(call), broker.settle(queue))
    _record_deleted(broker, call, [message], failed=0)
    return answer(204)


def batch_delete_message(broker: Broker, call: Call) -> Response:
    """204 when all are deleted; else 404 with only those that are not, on a connection that is then closed."""
    queue = broker.queue(call.target.queue)
    handles = [item.text or "" for item in children(call.root("ReceiptHandles"), "ReceiptHandle")]
    _check_batch(len(handles), "ReceiptHandles")
    now_ms = broker.settle(queue)
    deleted: list[Message] = []
    errors: list[str] = []
    for handle in handles:
        try:
            deleted.append(queue.delete(names.receipt_handle(handle), now_ms))
        except Refusal as refusal:
            errors.append(_refused_xml(refusal) + leaf("ReceiptHandle", handle))
    if deleted:
        _record_deleted(broker, call, deleted, failed=len(errors))
    if not errors:
        return answer(204)
    response = answer(404, "Errors", "".join(branch("Error", error) for error in errors))
    response.headers.append(("Connection", "close"))
    return response


def _record_deleted(broker: Broker, call: Call, deleted: Iterable[Message], failed: int) -> None:
    ids = [message.id for message in deleted]
    broker.throttle.deleted(call.access_key_id, len(ids), broker.world.clock.now())
    record.changed(broker.world, call, deleted=ids, failed=failed)


def change_message_visibility(broker: Broker, call: Call) -> Response:
    """200 with a new handle in place of the old one; the new timeout counts from now."""
    queue = broker.queue(call.target.queue)
    handle = _receipt_handle(call)
    if not (timeout := call.query.get("visibilitytimeout")):
        raise Refusal(Code.MISSING_VISIBILITY_TIMEOUT)
    seconds = names.number(timeout, "VisibilityTimeout", names.VISIBILITY_SECONDS, "seconds")
    receipt = queue.change_visibility(handle, seconds, broker.settle(queue))
    record.changed(
        broker.world,
        call,
        message_id=receipt.message.id,
        visibility_seconds=seconds,
        old_receipt_handle=handle,
        new_receipt_handle=receipt.receipt_handle,
        next_visible_ms=receipt.next_visible_ms,
    )
    broker.line(queue).knock()
    return answer(
        200,
        "ChangeVisibility",
        leaf("ReceiptHandle", receipt.receipt_handle) + leaf("NextVisibleTime", receipt.next_visible_ms),
    )


def _receipt_handle(call: Call) -> str:
    handle = call.query.get("receipthandle")
    if not handle:
        raise Refusal(Code.MISSING_RECEIPT_HANDLE)
    return names.receipt_handle(handle)
