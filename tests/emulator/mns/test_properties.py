"""How large properties may be, and what the journal tells of a message that its consumer sends again with a delay.

Limits: https://help.aliyun.com/zh/mns/developer-reference/message-properties. Delay, retention and the handle of a
delayed message: …/sendmessage and …/createqueue.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mns.message_property import MessagePropertyValue
from mns.mns_exception import MNSExceptionBase, MNSServerException
from mns.queue import Message, QueueMeta

from emulator.faults import Fault, Kind
from tests.emulator.mns.alone import XMLNS, Alone
from tests.emulator.mns.running import Running

_LARGEST = 65_536
_HISTORY = {"origin": "A1", "attempts": "3"}


@pytest.fixture
def advance(mns: Running) -> Iterator[Callable[[int], None]]:
    """Moves the services' clock, and puts it right after the test."""
    moved: list[int] = []

    def move(seconds: int) -> None:
        moved.append(seconds)
        mns.inside(lambda: mns.world.clock.advance(seconds))

    yield move
    mns.inside(lambda: mns.world.clock.advance(-sum(moved)))


def _value(name: str, value: str = "v", kind: str = "STRING") -> str:
    return f"<PropertyValue><Name>{name}</Name><Value>{value}</Value><Type>{kind}</Type></PropertyValue>"


def _user(*values: str) -> str:
    return f"<UserProperties>{''.join(values)}</UserProperties>"


REFUSED = {
    "one more than fifty": _user(*(_value(f"n{number}") for number in range(51))),
    "a name of 257 characters": _user(_value("n" * 257)),
    "a value of 4,097 characters": _user(_value("n", "v" * 4097)),
    "a period in front": _user(_value(".n")),
    "a period behind": _user(_value("n.")),
    "two periods": _user(_value("n..n")),
    "a letter that is none of A to Z": _user(_value("ñ")),
    "a space": _user(_value("n n")),
    "no name": _user(_value("")),
    "the same name twice": _user(_value("n"), _value("n")),
    "a truth value that is none": _user(_value("n", "yes", "BOOLEAN")),
    "a type that is none": _user(_value("n", "v", "DATE")),
}


@pytest.mark.parametrize("extra", REFUSED.values(), ids=REFUSED)
def test_properties_beyond_their_limits_are_refused(alone: Alone, extra: str) -> None:
    """InvalidArgument, alone and in a batch; nothing is sent and nothing journaled."""

    async def scenario() -> None:
        await alone.make_queue("q")
        message = f"<MessageBody>a</MessageBody>{extra}"
        for body in (
            f"<Message {XMLNS}>{message}</Message>",
            f"<Messages {XMLNS}><Message>{message}</Message></Messages>",
        ):
            refused = await alone.call("POST", "/queues/q/messages", body)
            assert (refused.status, b"<Code>InvalidArgument</Code>" in refused.body) == (400, True)
        assert alone.service.state()["queues"]["q"]["messages"] == []

    asyncio.run(scenario())


def test_properties_at_their_limits_are_taken(alone: Alone) -> None:
    """Fifty of them, the longest name, the longest value, every character that a name may have."""

    async def scenario() -> None:
        await alone.make_queue("q")
        for extra in (
            _user(*(_value(f"n{number}") for number in range(50))),
            _user(_value("n" * 256), _value("A.z_0-9", "v" * 4096), _value("b", "true", "BOOLEAN")),
        ):
            assert (await alone.send("q", "a", extra)).status == 201

    asyncio.run(scenario())


@pytest.mark.parametrize(("spare", "status"), [(0, 201), (-1, 400)])
def test_properties_count_towards_the_size_of_a_message(alone: Alone, spare: int, status: int) -> None:
    """Names, types and values: a body that fits alone may not fit with what is written beside it."""

    async def scenario() -> None:
        await alone.make_queue("q")
        body = "x" * (_LARGEST - len("origin" + "A1" + "STRING") - spare)
        assert (await alone.send("q", body)).status == 201
        assert (await alone.send("q", body, _user(_value("origin", "A1")))).status == status

    asyncio.run(scenario())


def _copy(queue: Any, body: str, delay_seconds: int) -> Any:
    """What a consumer does that sends a message again."""
    message = Message(body, delay_seconds)
    message.set_user_properties({name: MessagePropertyValue.create_string(value) for name, value in _HISTORY.items()})
    return queue.send_message(message)


def test_a_message_sent_again_stands_in_the_journal_with_all_that_a_verdict_needs(queue: Any, mns: Running) -> None:
    """Who sent what, when it can be received, when it expires, and what is written beside it; then the deletion."""
    queue.send_message(Message("a"))
    original = queue.receive_message()
    copy = _copy(queue, original.message_body, 600)
    queue.delete_message(original.receipt_handle)
    first, second = mns.journal("SendMessage")
    digest = hashlib.md5(b"a", usedforsecurity=False).hexdigest().upper()
    assert (first["body_md5"], second["body_md5"], copy.message_body_md5) == (digest, digest, digest)
    assert (second["message_id"], second["access_key_id"]) == (copy.message_id, mns.endpoints.access_key_id)
    assert second["next_visible_ms"] == second["time_ms"] + 600_000
    assert second["expires_ms"] == second["time_ms"] + 345_600_000
    assert second["user_properties"] == _HISTORY
    assert "user_properties" not in first
    (deletion,) = mns.journal("DeleteMessage")
    assert (deletion["deleted"], deletion["sequence"] > second["sequence"]) == ([original.message_id], True)


def test_a_copy_is_kept_for_a_whole_retention_of_its_own(
    queue: Any, mns: Running, advance: Callable[[int], None]
) -> None:
    """Sent again before it expires, a message outlives its first retention, its body and properties as they were."""
    queue.set_attributes(QueueMeta(vis_timeout=600, msg_ttl=600))
    queue.send_message(Message("a"))
    advance(500)
    original = queue.receive_message()
    copy = _copy(queue, "a", 300)
    queue.delete_message(original.receipt_handle)
    assert copy.receipt_handle
    advance(200)  # not to the last second, for the machine's own time passes, too
    with pytest.raises(MNSServerException, match="MessageNotExist"):
        queue.receive_message()
    advance(100)
    received = queue.receive_message()
    assert (received.message_id, received.message_body, received.dequeue_count) == (copy.message_id, "a", 1)
    assert {name: value.get_raw_value() for name, value in received.user_properties.items()} == _HISTORY
    assert mns.journal("MessageExpired") == []


@pytest.mark.parametrize("delay_seconds", [60, 604_800])
def test_a_delay_as_long_as_the_retention_loses_the_message(
    queue: Any, mns: Running, advance: Callable[[int], None], delay_seconds: int
) -> None:
    """The service takes it all the same; the journal shows that it expires before anybody can receive it."""
    queue.set_attributes(QueueMeta(msg_ttl=60))
    _copy(queue, "a", delay_seconds)
    (sent,) = mns.journal("SendMessage")
    assert sent["expires_ms"] <= sent["next_visible_ms"]
    advance(delay_seconds)
    assert mns.service.state()["queues"]["q"]["messages"] == []
    assert [entry["message_id"] for entry in mns.journal("MessageExpired")] == [sent["message_id"]]


@pytest.mark.parametrize(
    ("kind", "settings", "carried_out"),
    [
        ("lost_reply", {}, True),
        ("error_after", {"status": 500, "code": "InternalServerError"}, True),
        ("error", {"status": 429, "code": "TooManyRequests"}, False),
        ("error", {"status": 400, "code": "InvalidArgument"}, False),
        ("reset_before", {}, False),
    ],
)
def test_a_fault_may_strike_the_sending_to_one_queue_alone(
    queue: Any, mns: Running, kind: str, settings: dict[str, object], carried_out: bool
) -> None:
    """Carried out and unconfirmed, or not carried out: the journal says which; other queues are left in peace.

    The SDK sends once more on a connection that was closed, so that one lost reply can make two copies.
    """
    dead = mns.account().get_queue("dead")
    dead.create(QueueMeta())
    fault = Fault(0, "mns", "SendMessage", Kind(kind), resource="/queues/q/messages", **settings)  # type: ignore[arg-type]
    mns.inside(lambda: mns.world.faults.add(fault))
    with pytest.raises(MNSExceptionBase):
        _copy(queue, "a", 60)
    assert bool(mns.journal("SendMessage")) is carried_out
    dead.send_message(Message("b"))
