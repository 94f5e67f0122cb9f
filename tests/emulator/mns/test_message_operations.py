"""Messages through the real SDK."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from mns.message_property import MessagePropertyValue, MessageSystemPropertyValue
from mns.mns_exception import MNSServerException
from mns.queue import Message

from tests.emulator.mns.running import Running

ODD_HANDLE = "1-ODU4OTkzNDU5My0xNDM1MTk3NjAwLTItNg=="


def code(error: pytest.ExceptionInfo[MNSServerException]) -> str:
    return str(error.value.type)


@pytest.mark.parametrize("body", ["plain", "<a>&amp;</a> ]]>", "零\n\tžluť 🎈", " edges ", "x" * 65536])
def test_a_body_arrives_as_it_was_sent(queue: Any, body: str) -> None:
    """Markup, line ends, any language and the largest size survive, with the digest of the stored body."""
    sent = queue.send_message(Message(body))
    received = queue.receive_message()
    digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest().upper()
    assert received.message_body == body
    assert received.message_body_md5 == sent.message_body_md5 == digest
    assert received.message_id == sent.message_id


def test_what_a_received_message_tells(queue: Any) -> None:
    """Counts from one, times in milliseconds, the priority, and no handle for a message sent without delay."""
    sent = queue.send_message(Message("a", priority=3))
    received = queue.receive_message()
    assert (received.dequeue_count, received.priority, sent.receipt_handle) == (1, 3, "")
    assert received.next_visible_time - received.first_dequeue_time == 30_000
    assert received.first_dequeue_time >= received.enqueue_time > 1_700_000_000_000


def test_an_empty_queue_is_message_not_exist(queue: Any) -> None:
    """Receiving and peeking at nothing is the same error."""
    for act in (queue.receive_message, queue.peek_message, lambda: queue.batch_receive_message(5)):
        with pytest.raises(MNSServerException) as error:
            act()
        assert code(error) == "MessageNotExist"


def test_a_body_above_the_queues_limit_is_refused(queue: Any) -> None:
    """The limit counts bytes, not characters."""
    with pytest.raises(MNSServerException) as error:
        queue.send_message(Message("ж" * 32769))
    assert code(error) == "InvalidArgument"


def test_deleting_needs_the_newest_handle(queue: Any, mns: Running) -> None:
    """A superseded handle is MessageNotExist, one that never was one is ReceiptHandleError."""
    queue.send_message(Message("a"))
    old = queue.receive_message().receipt_handle
    changed = queue.change_message_visibility(old, 100)
    for handle, expected in ((old, "MessageNotExist"), (ODD_HANDLE, "MessageNotExist"), ("x", "ReceiptHandleError")):
        with pytest.raises(MNSServerException) as error:
            queue.delete_message(handle)
        assert code(error) == expected
    queue.delete_message(changed.receipt_handle)
    (entry,) = mns.journal("ChangeMessageVisibility")
    assert (entry["old_receipt_handle"], entry["new_receipt_handle"]) == (old, changed.receipt_handle)
    assert [entry["failed"] for entry in mns.journal("DeleteMessage")] == [0]


@pytest.mark.parametrize("seconds", [0, 43201])
def test_visibility_outside_its_limits(mns: Running, queue: Any, seconds: int) -> None:
    """From one second to twelve hours."""
    queue.send_message(Message("a"))
    handle = queue.receive_message().receipt_handle
    client = queue.mns_client
    with pytest.raises(MNSServerException) as error:
        _change_unchecked(client, handle, seconds)
    assert code(error) == "InvalidArgument"


def _change_unchecked(client: Any, handle: str, seconds: int) -> None:
    """What the SDK does for a change of visibility, without its own check of the range."""
    from mns.mns_client import RequestInternal
    from mns.mns_request import ChangeMessageVisibilityRequest, ChangeMessageVisibilityResponse

    request = ChangeMessageVisibilityRequest("q", handle, seconds)
    inner = RequestInternal("PUT", f"/queues/q/messages?ReceiptHandle={handle}&VisibilityTimeout={seconds}")
    client.build_header(request, inner)
    answer = client.http.send_request(inner)
    response = ChangeMessageVisibilityResponse()
    response.header = answer.header
    client.check_status(inner, answer, response)


def test_a_batch_takes_what_is_there(queue: Any, mns: Running) -> None:
    """Sixteen are sent, received and deleted in one call each; asked for more than there is, it gets the rest."""
    sent = queue.batch_send_message([Message(str(number)) for number in range(16)])
    assert len({message.message_id for message in sent}) == 16
    first = queue.batch_receive_message(10)
    rest = queue.batch_receive_message(10)
    assert [message.message_body for message in first + rest] == [str(number) for number in range(16)]
    queue.batch_delete_message([message.receipt_handle for message in first])
    (entry,) = mns.journal("BatchDeleteMessage")
    assert entry["deleted"] == [message.message_id for message in first]


@pytest.mark.parametrize("size", [0, 17])
def test_batches_have_up_to_sixteen(queue: Any, size: int) -> None:
    """None and seventeen are refused whole, whatever is asked of them."""
    for act in (
        lambda: queue.batch_receive_message(size),
        lambda: queue.batch_peek_message(size),
        lambda: queue.batch_send_message([Message("a")] * size),
        lambda: queue.batch_delete_message([ODD_HANDLE] * size),
    ):
        with pytest.raises(MNSServerException) as error:
            act()
        assert code(error) == "InvalidArgument"


def test_a_batch_that_is_partly_refused_sends_the_rest(queue: Any) -> None:
    """The answer has one entry a message, in their order: an error or the new message's id."""
    with pytest.raises(MNSServerException) as error:
        queue.batch_send_message([Message("good"), Message("bad", priority=17), Message("late", delay_seconds=5)])
    entries = error.value.sub_errors
    assert [sorted(entry) for entry in entries] == [
        ["MessageBodyMD5", "MessageId"],
        ["ErrorCode", "ErrorMessage"],
        ["MessageBodyMD5", "MessageId"],
    ]
    assert code(error) == "InvalidArgument"
    assert [message.message_body for message in queue.batch_receive_message(16)] == ["good"]


def test_a_batch_delete_names_only_what_failed(queue: Any, mns: Running) -> None:
    """Good handles delete, the others come back with their own error each."""
    queue.send_message(Message("a"))
    good = queue.receive_message().receipt_handle
    with pytest.raises(MNSServerException) as error:
        queue.batch_delete_message([good, ODD_HANDLE, "not a handle"])
    assert [(entry["ErrorCode"], entry["ReceiptHandle"]) for entry in error.value.sub_errors] == [
        ("MessageNotExist", ODD_HANDLE),
        ("ReceiptHandleError", "not a handle"),
    ]
    assert mns.service.state()["queues"]["q"]["messages"] == []
    (entry,) = mns.journal("BatchDeleteMessage")
    assert (len(entry["deleted"]), entry["failed"]) == (1, 2)


def test_peeking_has_no_handle_and_changes_nothing(queue: Any) -> None:
    """A peeked message has never been received."""
    queue.send_message(Message("a"))
    assert queue.peek_message().dequeue_count == 0
    assert [message.message_body for message in queue.batch_peek_message(16)] == ["a"]
    assert queue.receive_message().dequeue_count == 1


def test_a_delayed_message_is_deleted_by_the_handle_of_its_sending(queue: Any) -> None:
    """Only delayed messages get a handle when they are sent."""
    sent = queue.send_message(Message("a", delay_seconds=60))
    queue.delete_message(sent.receipt_handle)
    with pytest.raises(MNSServerException) as error:
        queue.delete_message(sent.receipt_handle)
    assert code(error) == "MessageNotExist"


def test_properties_go_round(queue: Any) -> None:
    """User properties of every type and system properties arrive as they were sent, alone and in a batch."""
    message = Message("a")
    message.set_user_properties(
        {
            "text": MessagePropertyValue.create_string("<ö>"),
            "number": MessagePropertyValue.create_number(1.5),
            "flag": MessagePropertyValue.create_boolean(True),
            "bytes": MessagePropertyValue.create_binary(b"\x00\xff"),
        }
    )
    message.system_properties = {"traceparent": MessageSystemPropertyValue.create_string("00-ab-cd-01")}
    queue.send_message(message)
    queue.batch_send_message([message])
    for received in (queue.peek_message(), queue.receive_message(), queue.batch_receive_message(16)[0]):
        values = {name: value.get_raw_value() for name, value in received.user_properties.items()}
        assert values == {"text": "<ö>", "number": "1.5", "flag": "true", "bytes": b"\x00\xff"}
        assert received.system_properties["traceparent"].get_raw_value() == "00-ab-cd-01"


def test_the_journal_tells_what_a_verdict_needs(queue: Any, mns: Running) -> None:
    """Sending and receiving leave ids, bodies, handles, counts and times."""
    sent = queue.send_message(Message("a"))
    received = queue.receive_message()
    (send_entry,) = mns.journal("SendMessage")
    assert (send_entry["message_id"], send_entry["body"]) == (sent.message_id, "a")
    assert send_entry["access_key_id"] == mns.endpoints.access_key_id
    (receive_entry,) = mns.journal("ReceiveMessage")
    assert receive_entry["messages"] == [
        {
            "message_id": sent.message_id,
            "receipt_handle": received.receipt_handle,
            "dequeue_count": 1,
            "next_visible_ms": received.next_visible_time,
        }
    ]
