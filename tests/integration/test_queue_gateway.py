"""The MNS gateway with the real SDK: what is received, what counts as done, and what each failure is called."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from mns.account import Account
from mns.message_property import MessagePropertyValue
from mns.queue import Message

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.mns.queue import Queue, QueueAddress
from consumer.core.errors import (
    DamagedReply,
    MessageGone,
    NotAuthenticated,
    QueueMissing,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
)
from consumer.core.message import Received
from consumer.core.observers import Hooks, Report, Step
from consumer.core.parked import Carried, History, UserProperty, written
from consumer.core.queue_attributes import Figures
from emulator.client import Emulator
from tests.integration.conftest import QUEUE, FixedCredentials, Recorder
from tests.integration.queues import is_empty, messages
from tests.unit.fakes import Clock


def test_bodies_come_as_they_were_sent(queue: Queue) -> None:
    """Neither base64 nor anything else is undone: text, XML and non-ASCII arrive unchanged."""
    bodies = ["plain", "eyJhIjoxfQ==", "<a>&amp;</a>", '{"k":"\N{SNOWMAN}"}']
    for body in bodies:
        queue.send(body)
    assert sorted(message.body for message in queue.receive(16, 1)) == sorted(bodies)


def test_an_empty_queue_is_no_error(queue: Queue, recorder: Recorder) -> None:
    """A poll of an empty queue returns nothing, and is counted as empty."""
    assert queue.receive(16, 1) == []
    assert recorder.calls[-1].code == "empty"


def test_a_lease_is_as_long_as_the_server_says_whatever_the_local_clock(queue: Queue, channel: Emulator) -> None:
    """With the server's clock ten minutes ahead of ours the lease is still the queue's visibility timeout."""
    channel.advance(600)
    queue.send("x")
    (message,) = queue.receive(16, 1)
    assert 28 <= message.lease_seconds <= 30


def test_an_arrival_is_stamped_before_anybody_follows_it(channel: Emulator, credentials: FixedCredentials) -> None:
    """A journal that takes ten seconds does not make the lease any younger."""
    clock = Clock(100.0)

    class Slow:
        def received(self, messages: Sequence[Received]) -> None:
            assert messages
            clock.advance(10.0)

        def step(self, step: Step) -> None: ...
        def report(self, report: Report) -> None: ...
        def sync(self) -> None: ...

    queue = Queue(QueueAddress(channel.endpoints.mns, QUEUE), credentials, Hooks((), (Slow(),)), monotonic=clock)
    queue.send("x")
    (message,) = queue.receive(16, 1)
    queue.close()
    assert (message.arrived_at, clock()) == (100.0, 110.0)


def test_hiding_replaces_the_handle(queue: Queue) -> None:
    """After a change of visibility only the new handle deletes."""
    queue.send("x")
    (message,) = queue.receive(16, 1)
    newer = queue.hide(message.receipt_handle, 60)
    assert list(queue.delete([message.receipt_handle])) == [message.receipt_handle]
    assert queue.delete([newer]) == {}


def test_a_partial_batch_delete_names_exactly_what_failed(queue: Queue, channel: Emulator) -> None:
    """Of a batch with one dead handle fifteen are deleted, and the sixteenth is told apart."""
    for number in range(16):
        queue.send(str(number))
    received = queue.receive(16, 1)
    queue.hide(received[7].receipt_handle, 60)
    failures = queue.delete([message.receipt_handle for message in received])
    assert {handle: type(error) for handle, error in failures.items()} == {received[7].receipt_handle: MessageGone}
    assert [message["body"] for message in messages(channel, QUEUE)] == [received[7].body]


@pytest.mark.parametrize("kind", ["not_xml", "redirect", "web_page"])
def test_a_delete_that_the_service_did_not_answer_is_no_delete(queue: Queue, channel: Emulator, kind: str) -> None:
    """A redirect or a web page, which the SDK takes for success, is a damaged reply."""
    queue.send("x")
    (message,) = queue.receive(16, 1)
    channel.faults.add(kind, "BatchDeleteMessage", service="mns", count=1)
    with pytest.raises(DamagedReply):
        queue.delete([message.receipt_handle])


@pytest.mark.parametrize("kind", ["not_xml", "redirect", "truncated", "damaged_xml", "reset_after", "lost_reply"])
def test_a_copy_counts_only_when_the_service_confirmed_it(queue: Queue, channel: Emulator, kind: str) -> None:
    """Whatever stands between a send and its confirmation raises, so nothing is deleted on the strength of it."""
    channel.faults.add(kind, "SendMessage", service="mns", count=1)
    with pytest.raises(ServiceError):
        queue.send("x")


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "lost_reply"])
def test_a_request_is_never_sent_again_behind_our_back(queue: Queue, channel: Emulator, kind: str) -> None:
    """The SDK would silently repeat a request whose connection ended; here it is one request and one failure."""
    channel.faults.add(kind, "SendMessage", service="mns", count=1)
    with pytest.raises(Unanswered):
        queue.send("once")
    sent = channel.journal(operation="SendMessage")
    assert len(sent) == (0 if kind == "reset_before" else 1)


def test_a_server_that_drips_bytes_is_noticed(channel: Emulator, credentials: FixedCredentials) -> None:
    """One byte now and then keeps every read alive and the exchange as a whole too long."""
    address = QueueAddress(channel.mns, QUEUE, call_timeout_seconds=0.5)
    queue = Queue(address, credentials, Hooks())
    channel.faults.add("drip", "GetQueueAttributes", service="mns", seconds=0.1)
    with pytest.raises(Unanswered) as failed:
        queue.attributes()
    queue.close()
    channel.faults.clear()
    assert failed.value.code == "timeout"


def test_a_half_open_connection_is_noticed(channel: Emulator, credentials: FixedCredentials) -> None:
    """A request that is never answered ends with its deadline."""
    queue = Queue(QueueAddress(channel.mns, QUEUE, call_timeout_seconds=0.5), credentials, Hooks())
    channel.faults.add("stall", "SendMessage", service="mns", seconds=30)
    with pytest.raises(Unanswered):
        queue.send("x")
    queue.close()
    channel.faults.clear()


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "TooManyRequests", Throttled),
        (400, "QpsLimitExceeded", Throttled),
        (500, "InternalError", Unavailable),
        (503, "SomethingNew", Unavailable),
        (408, "TimeExpired", NotAuthenticated),
        (403, "SignatureDoesNotMatch", NotAuthenticated),
    ],
)
def test_failures_are_distinguished_by_code(
    queue: Queue, channel: Emulator, status: int, code: str, error: type[ServiceError]
) -> None:
    """Each error code becomes the class that says what to do next."""
    channel.faults.add("error", "SendMessage", service="mns", status=status, code=code, count=1)
    with pytest.raises(error) as failed:
        queue.send("x")
    assert (failed.value.code, failed.value.status) == (code, status)
    assert failed.value.request_id


def test_a_queue_that_does_not_exist_is_distinguished(channel: Emulator, credentials: FixedCredentials) -> None:
    """A missing queue is neither empty nor gone."""
    queue = Queue(QueueAddress(channel.mns, "nowhere"), credentials, Hooks())
    with pytest.raises(QueueMissing):
        queue.receive(16, 1)
    queue.close()


def test_a_wrong_secret_is_distinguished_and_never_shown(channel: Emulator) -> None:
    """Refused credentials raise their own error, whose text holds no secret."""
    known = channel.endpoints
    wrong = FixedCredentials(Credentials(known.access_key_id, "my-wrong-secret", ""))
    queue = Queue(QueueAddress(channel.mns, QUEUE), wrong, Hooks())
    with pytest.raises(NotAuthenticated) as failed:
        queue.attributes()
    queue.close()
    assert "my-wrong-secret" not in f"{failed.value!s} {failed.value!r} {wrong!r}"


def test_a_queue_tells_what_it_holds(queue: Queue) -> None:
    """Visible and received messages are told apart."""
    for number in range(3):
        queue.send(str(number))
    queue.receive(1, 1)
    assert queue.attributes().figures == Figures(active=2, inactive=1, delayed=0)


def test_figures_that_are_withdrawn_cost_nothing_else(queue: Queue, channel: Emulator, recorder: Recorder) -> None:
    """The SDK takes such a reply for damaged; here the settings are read, and the figures are unknown instead of 0."""
    queue.send("x")
    before = queue.attributes()
    channel.set_queue_figures("absent")
    found = queue.attributes()
    assert found == before
    assert found.figures == Figures()
    assert recorder.calls[-1].code == "ok"


@pytest.mark.parametrize("kind", ["truncated", "damaged_xml", "not_xml", "web_page"])
def test_half_a_reply_tells_no_attributes(queue: Queue, channel: Emulator, kind: str) -> None:
    """What is not an answer stays an error, however much the reader forgives."""
    channel.faults.add(kind, "GetQueueAttributes", service="mns", count=1)
    with pytest.raises((DamagedReply, Unanswered)):
        queue.attributes()


def test_a_message_that_the_sdk_cannot_read_costs_no_other_its_handle(queue: Queue, channel: Emulator) -> None:
    """An empty body makes the SDK drop the whole batch; here the others are received, and the empty one too."""
    channel.config.publish_raw("")
    for number in range(3):
        queue.send(str(number))
    received = queue.receive(16, 1)
    assert sorted(message.body for message in received) == ["", "0", "1", "2"]
    assert queue.delete([message.receipt_handle for message in received]) == {}
    assert is_empty(channel)


def test_a_message_that_the_sdk_cannot_read_hides_no_other_from_a_peek(queue: Queue, channel: Emulator) -> None:
    """A person who looks into a queue with an empty body in it sees all of it, and nothing is taken."""
    channel.config.publish_raw("")
    queue.send("0")
    before = messages(channel, QUEUE)
    assert sorted(seen.body for seen in queue.peek(16)) == ["", "0"]
    assert messages(channel, QUEUE) == before


FOREIGN = (
    UserProperty("trace.parent", "00-\N{SNOWMAN} & <b>"),
    UserProperty("number", "1e3", "NUMBER"),
    UserProperty("flag", "true", "BOOLEAN"),
    UserProperty("bytes", "AP8=", "BINARY"),
)


def test_a_delayed_copy_carries_its_history_beside_the_same_body(queue: Queue, channel: Emulator) -> None:
    """It comes after its delay, with its body, its priority and every property as it was sent."""
    body = '<a>&amp; "\N{SNOWMAN}"\n</a>'
    queue.send("first")
    (first,) = queue.receive(16, 1)
    history = History(first.message_id, first.enqueued_at_ms, first.first_dequeued_at_ms, 1, 1, "failed:throttled")
    copy_id = queue.send(body, delay_seconds=600, priority=3, properties=(*FOREIGN, *written(history)))
    assert queue.receive(16, 1) == []
    channel.advance(601)
    found = {message.message_id: message for message in queue.receive(16, 1)}[copy_id]
    assert (found.body, found.priority, found.carried) == (body, 3, Carried(history, FOREIGN))
    assert found.repeatable
    assert (found.origin_id, found.receipts, found.attempts) == (first.message_id, 2, 1)
    assert 600 <= found.age_seconds <= 630


def test_a_property_that_the_sdk_cannot_read_costs_nothing(queue: Queue, channel: Emulator) -> None:
    """The service does not validate numbers, so anybody can send one that is none: a peek and a receive show it."""
    value = MessagePropertyValue("NUMBER", "1")
    value.string_value = "none"
    message = Message("x")
    message.add_user_property("n", value)
    known = channel.endpoints
    account = Account(known.mns, known.access_key_id, known.access_key_secret)
    account.get_queue(QUEUE).send_message(message)
    account.mns_client.close_connection()
    seen = Carried(None, (UserProperty("n", "none", "NUMBER"),), whole=False)
    assert [message.carried for message in queue.peek(16)] == [seen]
    assert [message.carried for message in queue.receive(16, 1)] == [seen]
