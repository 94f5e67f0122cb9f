"""Receiving and peeking at messages, one or up to 16, with or without waiting."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.faults import Kind
from emulator.http import Response
from emulator.mns import names, record
from emulator.mns.broker import Broker
from emulator.mns.call import MnsCall, answer
from emulator.mns.errors import Code, MnsRefusal
from emulator.mns.message import Message, Receipt, peeked_nodes, received_nodes
from emulator.mns.queue import Queue

_EARLY_EMPTY = frozenset({Kind.EARLY_EMPTY})
_DUPLICATE = frozenset({Kind.DUPLICATE})


async def receive_message(broker: Broker, call: MnsCall) -> Response:
    """200 with one `<Message>`; MessageNotExist when there is none by the end of the wait."""
    receipts = await _receive(broker, call, 1)
    return answer(200, "Message", received_nodes(receipts[0]))


async def batch_receive_message(broker: Broker, call: MnsCall) -> Response:
    """200 with as many as are there, at least one; it never waits to fill the batch."""
    receipts = await _receive(broker, call, _batch_size(call))
    return answer(200, "Messages", [("Message", received_nodes(item)) for item in receipts])


async def _receive(broker: Broker, call: MnsCall, limit: int) -> Sequence[Receipt]:
    queue = broker.queue(call.target.queue)
    wait_seconds = _wait_seconds(call, queue)
    now = broker.world.clock.now()
    if broker.throttle.refuses(call.access_key_id, now):
        raise MnsRefusal(Code.TOO_MANY_REQUESTS)

    def take() -> Sequence[Receipt]:
        return _take(broker, call, queue, limit)

    found = () if wait_seconds and len(broker.line(queue)) else take()
    if not found and wait_seconds and not broker.polls.full() and not _struck(broker, call, _EARLY_EMPTY):
        found = await broker.polls.wait(
            broker.line(queue), now + wait_seconds, take, lambda: broker.next_change_ms(queue)
        )
    if not found:
        raise MnsRefusal(Code.MESSAGE_NOT_EXIST)
    return found


def _take(broker: Broker, call: MnsCall, queue: Queue, limit: int) -> Sequence[Receipt]:
    if queue.deleted:
        raise MnsRefusal(Code.QUEUE_NOT_EXIST)
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


def _struck(broker: Broker, call: MnsCall, kinds: frozenset[Kind]) -> bool:
    resource = f"{call.request.host}{call.request.path}"
    return broker.world.faults.strike("mns", call.target.operation, resource, kinds) is not None


def _wait_seconds(call: MnsCall, queue: Queue) -> int:
    text = call.query.get("waitseconds")
    if text is None:
        return queue.attributes.polling_wait_seconds
    return names.query_number(text, "waitseconds", names.WAIT_SECONDS, "seconds")


def _batch_size(call: MnsCall) -> int:
    return names.query_number(call.query["numofmessages"], "numOfMessages", (1, names.BATCH_MESSAGES))


def peek_message(broker: Broker, call: MnsCall) -> Response:
    """200 with one `<Message>` that stays as it is; MessageNotExist when none could be received."""
    return answer(200, "Message", peeked_nodes(_peek(broker, call, 1)[0]))


def batch_peek_message(broker: Broker, call: MnsCall) -> Response:
    """200 with up to 16 messages that stay as they are."""
    peeked = _peek(broker, call, _batch_size(call))
    return answer(200, "Messages", [("Message", peeked_nodes(message)) for message in peeked])


def _peek(broker: Broker, call: MnsCall, limit: int) -> list[Message]:
    queue = broker.queue(call.target.queue)
    peeked = queue.peek(limit, broker.settle(queue))
    if not peeked:
        raise MnsRefusal(Code.MESSAGE_NOT_EXIST)
    record.read(broker.world, call, message_ids=[message.id for message in peeked])
    return peeked
