"""What a receipt handle is good for: deleting its message, or hiding it for another while."""

from __future__ import annotations

from emulator.http import Response
from emulator.mns import names, record
from emulator.mns.broker import Broker
from emulator.mns.call import MnsCall, answer
from emulator.mns.errors import Code, MnsRefusal, entry_nodes
from emulator.mns.message import Message
from emulator.xml import Node


def delete_message(broker: Broker, call: MnsCall) -> Response:
    """204; MessageNotExist when the handle is no longer good, ReceiptHandleError when it never was one."""
    queue = broker.queue(call.target.queue)
    message = queue.delete(_receipt_handle(call), broker.settle(queue))
    _record_deleted(broker, call, [message], failed=0)
    return answer(204)


def batch_delete_message(broker: Broker, call: MnsCall) -> Response:
    """204 when all are deleted; else 404 with only those that are not, on a connection that is then closed."""
    queue = broker.queue(call.target.queue)
    handles = [item.text for item in call.root("ReceiptHandles").all("ReceiptHandle")]
    names.check_batch(len(handles), "ReceiptHandles")
    now_ms = broker.settle(queue)
    deleted: list[Message] = []
    errors: list[Node] = []
    for handle in handles:
        try:
            deleted.append(queue.delete(names.receipt_handle(handle), now_ms))
        except MnsRefusal as refusal:
            errors.append(("Error", [*entry_nodes(refusal), ("ReceiptHandle", handle)]))
    if deleted:
        _record_deleted(broker, call, deleted, failed=len(errors))
    if not errors:
        return answer(204)
    response = answer(404, "Errors", errors)
    response.headers.append(("Connection", "close"))
    return response


def _record_deleted(broker: Broker, call: MnsCall, deleted: list[Message], failed: int) -> None:
    ids = [message.id for message in deleted]
    broker.throttle.deleted(call.access_key_id, len(ids), broker.world.clock.now())
    record.changed(broker.world, call, deleted=ids, failed=failed)


def change_message_visibility(broker: Broker, call: MnsCall) -> Response:
    """200 with a new handle in place of the old one; the new timeout counts from now."""
    queue = broker.queue(call.target.queue)
    handle = _receipt_handle(call)
    if not (timeout := call.query.get("visibilitytimeout")):
        raise MnsRefusal(Code.MISSING_VISIBILITY_TIMEOUT)
    seconds = names.query_number(timeout, "VisibilityTimeout", names.VISIBILITY_SECONDS, "seconds")
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
        [("ReceiptHandle", receipt.receipt_handle), ("NextVisibleTime", receipt.next_visible_ms)],
    )


def _receipt_handle(call: MnsCall) -> str:
    handle = call.query.get("receipthandle")
    if not handle:
        raise MnsRefusal(Code.MISSING_RECEIPT_HANDLE)
    return names.receipt_handle(handle)
