"""A consumer of a few lines that parks everything it receives, on the real SDK; and the same with one careless step.

The witness judges what the emulator's journal shows of each. No code of the worker takes part.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from mns.account import Account
from mns.message_property import MessagePropertyValue
from mns.mns_exception import MNSExceptionBase
from mns.queue import Message

from emulator.client import Emulator
from emulator.cloudconfig.rules import default_rule_id
from emulator.process import in_thread
from emulator.provisioning import setup_channel
from witness import Ending, Expectations, Verdict, judge, watch

QUEUE, DEAD = "main", "dead"
READ = "oss-bucket-public-read-prohibited"


class Consumer:
    """Receives a message, sends it again with its history, and then deletes it."""

    delay_seconds = 1

    def __init__(self, emulator: Emulator) -> None:
        self.key = emulator.add_identity()
        self._account = Account(
            emulator.mns, self.key.access_key_id, self.key.access_key_secret, logger=logging.getLogger("consumer")
        )
        self.queue: Any = self._account.get_queue(QUEUE)
        self.queue.set_encoding(False)

    def close(self) -> None:
        self._account.mns_client.close_connection()

    def step(self) -> None:
        """One message, parked; whatever fails leaves it where it is."""
        message = self.queue.receive_message(5)
        with contextlib.suppress(MNSExceptionBase):
            self.send(self.copy(message))
            self.delete(message)

    def copy(self, message: Any) -> Message:
        """What is sent again."""
        before = {name: value.get_raw_value() for name, value in (message.user_properties or {}).items()}
        history = {
            "origin-id": before.get("remediator-origin-id", message.message_id),
            "first-enqueued-ms": before.get("remediator-first-enqueued-ms", message.enqueue_time),
            "first-received-ms": before.get("remediator-first-received-ms", message.first_dequeue_time),
            "receipts": int(before.get("remediator-receipts", 0)) + message.dequeue_count,
            "attempts": int(before.get("remediator-attempts", 0)) + 1,
            "reason": "failed:anything",
        }
        copy = Message(self.body(message), self.delay_seconds)
        copy.set_user_properties(
            {f"remediator-{name}": MessagePropertyValue.create_string(str(value)) for name, value in history.items()}
        )
        return copy

    def body(self, message: Any) -> str:
        return str(message.message_body)

    def send(self, copy: Message) -> None:
        self.queue.send_message(copy)

    def delete(self, message: Any) -> None:
        self.queue.delete_message(message.receipt_handle)


class DeletesFirst(Consumer):
    """The deletion is confirmed before the copy is sent."""

    def step(self) -> None:
        message = self.queue.receive_message(5)
        self.delete(message)
        self.send(self.copy(message))


class AnotherBody(Consumer):
    """Decodes and encodes again on the way."""

    def body(self, message: Any) -> str:
        return f" {message.message_body}"


class IgnoresRefusal(Consumer):
    """Deletes whatever became of the copy."""

    def send(self, copy: Message) -> None:
        with contextlib.suppress(MNSExceptionBase):
            super().send(copy)


class StartsAnew(Consumer):
    """Every copy is the first of its kind."""

    def copy(self, message: Any) -> Message:
        message.user_properties = {}
        return super().copy(message)


class TooLong(Consumer):
    """Parks for longer than the queue keeps anything."""

    delay_seconds = 604_800


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with in_thread() as running:
        setup_channel(running, queue=QUEUE, dead_letter_queue=DEAD, visibility_timeout_seconds=1)
        running.create_buckets(["one"], acl="public-read")
        yield running


def verdict(emulator: Emulator, consumer: Consumer) -> Verdict:
    known = emulator.endpoints
    expected = Expectations(
        account_id=known.account_id,
        queue=QUEUE,
        dead_letter_queue=DEAD,
        rules=(watch(READ, default_rule_id(READ)),),
        worker_access_keys=frozenset({consumer.key.access_key_id}),
        converged=False,
    )
    return judge(emulator.journal(), expected)


def run(emulator: Emulator, kind: type[Consumer], steps: int = 3) -> Verdict:
    consumer = kind(emulator)
    try:
        for _ in range(steps):
            consumer.step()
            emulator.advance(consumer.delay_seconds)
        return verdict(emulator, consumer)
    finally:
        consumer.close()


def test_the_careful_one_loses_nothing(emulator: Emulator) -> None:
    """Three rounds: the last copy is kept, the others were parked, and all lead to the first message."""
    found = run(emulator, Consumer)
    assert found.violations == ()
    assert found.endings == {Ending.PARKED: 3, Ending.KEPT: 1}
    assert {story.origin_id for story in found.messages} == {found.messages[0].message_id}


@pytest.mark.parametrize(
    ("kind", "operation", "settings"),
    [
        ("lost_reply", "SendMessage", {}),
        ("error_after", "SendMessage", {"status": 500, "code": "InternalServerError"}),
        ("error", "SendMessage", {"status": 429, "code": "TooManyRequests"}),
        ("reset_before", "SendMessage", {}),
        ("error", "DeleteMessage", {"status": 403, "code": "AccessDenied"}),
        ("reset_after", "DeleteMessage", {}),
    ],
)
def test_the_careful_one_loses_nothing_under_fire(
    emulator: Emulator, kind: str, operation: str, settings: dict[str, object]
) -> None:
    """Copies twice, deletions that come back: every message is still there in one shape or another."""
    emulator.faults.add(kind, operation, service="mns", count=2, **settings)
    assert run(emulator, Consumer).violations == ()


CARELESS: dict[type[Consumer], list[tuple[int, str]]] = {
    DeletesFirst: [(1, "deleted, but")],
    AnotherBody: [(1, "deleted, but"), (4, "sent to the queue, but no copy")],
    IgnoresRefusal: [(1, "deleted, but")],
    StartsAnew: [(4, "sent to the queue, but no copy")],
    TooLong: [(3, "sent again with a delay")],
}


@pytest.mark.parametrize(("kind", "expected"), CARELESS.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_each_careless_one_is_caught(emulator: Emulator, kind: type[Consumer], expected: list[tuple[int, str]]) -> None:
    """By what the services saw, and by nothing else."""
    if kind is IgnoresRefusal:
        emulator.faults.add("error", "SendMessage", service="mns", status=403, code="AccessDenied", count=1)
    steps = 1 if kind in (IgnoresRefusal, TooLong, AnotherBody) else 2
    found = sorted((each.promise, each.sentence) for each in run(emulator, kind, steps).violations)
    for promise, beginning in expected:
        assert any(known == promise and sentence.startswith(beginning) for known, sentence in found), found
