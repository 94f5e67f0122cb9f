"""Parking with real workers: what waits is on the queue, with its history, whatever comes between send and deletion."""

from __future__ import annotations

from typing import Any

import pytest
from mns.queue import Message, QueueMeta

from consumer.aliyun.mns.queue import Queue
from consumer.core.parked import PropertyName, UserProperty
from emulator.client import Emulator
from emulator.provisioning import account
from tests.emulation import eventually
from tests.integration.conftest import QUEUE, Run, Running
from tests.integration.queues import dead_letters, messages, parked

READ = "oss-bucket-public-read-prohibited"
HOLD = {"retry__hold_seconds": "300"}
PAUSED = "\n[pause]\nenabled = true\n"
HELD_SECONDS = 300
"""Several of them make less than a quarter of an hour, beyond which the services refuse the worker's clock."""


def properties(message: dict[str, Any]) -> dict[str, str]:
    """The user properties of a message in the emulator."""
    return {found["name"]: found["value"] for found in message["user"]}


def publish(channel: Emulator) -> dict[str, Any]:
    """One event about one public bucket; returns its message."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    channel.config.publish(bucket="photos", rule=READ)
    (message,) = messages(channel, QUEUE)
    return message


def sample(running: Running, name: str, **labels: str) -> float:
    """A value in the worker's metrics."""
    return running.service.metrics.registry.get_sample_value(f"remediator_{name}", labels) or 0.0


def settled(running: Running) -> int:
    """How many deliveries are settled, once nothing is in flight; 0 before."""
    books = running.service.metrics.registry
    states = ("buffered", "working", "settling")
    flying = sum(books.get_sample_value("remediator_messages_in_flight", {"state": state}) or 0 for state in states)
    reported = sum(
        each.value
        for family in books.collect()
        for each in family.samples
        if each.name == "remediator_messages_settled_total"
    )
    received = books.get_sample_value("remediator_messages_received_total")
    return int(reported) if received == reported and flying == 0 else 0


def at_rest(running: Running, count: int) -> bool:
    """Whether so many deliveries are settled and nothing is in flight."""
    return settled(running) == count


def unite(channel: Emulator, running: Running) -> None:
    """Wait until two copies have become one; those that come in different receives miss each other in that cycle."""
    before = 0

    def united() -> bool:
        nonlocal before
        if (count := settled(running)) > before and len(parked(channel)) == 2:
            before = count
            channel.advance(HELD_SECONDS + 1)
        return len(parked(channel)) == 1 and settled(running) > 0

    eventually(united)


def test_a_held_message_is_on_the_queue_once_with_its_history(channel: Emulator, run: Run) -> None:
    """Cycle after cycle one copy, the body as it came; its receipts grow and everything else stays as it was first."""
    original = publish(channel)
    histories = []
    with run(PAUSED, **HOLD) as running:
        for cycle in (1, 2):
            eventually(lambda cycle=cycle: at_rest(running, cycle))  # type: ignore[misc]
            (copy,) = parked(channel)
            histories.append(properties(copy))
            channel.advance(HELD_SECONDS + 1)
        eventually(lambda: at_rest(running, 3))
        assert sample(running, "messages_settled_total", disposition="parked") == 3
        assert sample(running, "undeleted_in_window") == 0
    (copy,) = parked(channel)
    assert (copy["body"], copy["priority"]) == (original["body"], 9)
    first, second = histories
    assert first[PropertyName.ORIGIN_ID] == original["id"]
    assert int(first[PropertyName.FIRST_ENQUEUED]) == original["enqueue_ms"]
    assert first[PropertyName.REASON] == "held:paused"
    assert second == {**first, PropertyName.RECEIPTS: "2"}
    assert properties(copy) == {**first, PropertyName.RECEIPTS: "3"}


def test_attempts_are_counted_over_restarts_and_the_letter_names_the_original(channel: Emulator, run: Run) -> None:
    """Each process sees the message once, and the third failure is the last; the letter has the first id and times."""
    original = publish(channel)
    channel.faults.add("error", "GetBucketInfo", service="oss", status=500, code="InternalError")
    # Half of it, the shortest pause, is more than the minute up to which a message is hidden and not parked.
    waits = {"retry__backoff_base_seconds": "130", "retry__backoff_cap_seconds": "130"}
    for attempt in (1, 2):
        with run(retry__request_attempts="1", **waits):
            eventually(lambda: len(parked(channel)) == 1)
        (copy,) = parked(channel)
        assert properties(copy)[PropertyName.ATTEMPTS] == str(attempt)
        channel.advance(131)
    with run(retry__request_attempts="1", **waits):
        eventually(lambda: len(dead_letters(channel)) == 1 and not messages(channel, QUEUE))
    (letter,) = dead_letters(channel)
    assert (letter["outcome"], letter["attempts"], letter["receipts"]) == ("exhausted", 3, 3)
    assert (letter["origin_id"], letter["message_id"]) == (original["id"], copy["id"])
    assert (letter["enqueued_at_ms"], letter["body"]) == (original["enqueue_ms"], original["body"])


def test_what_dies_between_send_and_deletion_leaves_a_duplicate_that_goes_by_itself(
    channel: Emulator, run: Run
) -> None:
    """The original comes back beside its copy; both in flight, one is parked and the other one superseded."""
    original = publish(channel)
    fault = channel.faults.add("error", "BatchDeleteMessage", service="mns", status=403, code="AccessDenied")
    with run(PAUSED, **HOLD) as running:
        eventually(lambda: at_rest(running, 1))
        assert sample(running, "settle_errors_total", action="delete", code="AccessDenied") == 1
    assert {message["id"] == original["id"] for message in messages(channel, QUEUE)} == {True, False}
    channel.faults.remove(fault)
    channel.advance(HELD_SECONDS + 1)
    with run(PAUSED, **HOLD) as running:
        eventually(lambda: settled(running) >= 2)
        unite(channel, running)
        eventually(lambda: sample(running, "outcomes_total", rule="public-read", outcome="superseded") == 1)


def test_a_send_that_nobody_answers_deletes_nothing_until_another_is_confirmed(channel: Emulator, run: Run) -> None:
    """Two copies of which nobody knows the first: no loss, and the next cycle has one again."""
    with run(PAUSED, **HOLD) as running:
        eventually(lambda: not running.service.not_ready())  # so that the fault does not strike the start's own look
        channel.faults.add("lost_reply", "SendMessage", service="mns", count=1)
        publish(channel)
        eventually(lambda: len(parked(channel)) == 2)
        unite(channel, running)
        confirmed = sample(running, "messages_settled_total", disposition="parked")
    sent = [entry for entry in channel.journal(operation="SendMessage") if entry.resource == f"queues/{QUEUE}"]
    assert len(sent) == confirmed + 1


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (400, "InvalidArgument"), (404, "QueueNotExist")])
def test_what_the_queue_does_not_take_is_hidden_and_counted(
    channel: Emulator, run: Run, status: int, code: str
) -> None:
    """The worker goes on as it did before there was parking, and says what it lacks."""
    original = publish(channel)
    channel.faults.add("error", "SendMessage", service="mns", status=status, code=code)
    with run(PAUSED, **HOLD) as running:
        eventually(lambda: at_rest(running, 1))
        assert sample(running, "messages_settled_total", disposition="hidden") == 1
        assert sample(running, "settle_errors_total", action="park", code=code) == 1
        resource = f"acs:mns:*:*:/queues/{QUEUE}/messages"
        missing = sample(running, "permission_missing", action="mns:SendMessage", resource=resource)
        assert missing == (1 if status == 403 else 0)
        assert running.service.not_ready() == ""
    (kept,) = messages(channel, QUEUE)
    assert (kept["id"], kept["body"]) == (original["id"], original["body"])


def test_parking_resumes_by_itself_when_the_right_is_granted(channel: Emulator, run: Run) -> None:
    """Nobody restarts anything: the next message that waits after the pause is parked."""
    publish(channel)
    fault = channel.faults.add("error", "SendMessage", service="mns", status=403, code="AccessDenied")
    with run(PAUSED, **HOLD) as running:
        eventually(lambda: at_rest(running, 1))
        channel.faults.remove(fault)
        running.service._wiring.shared.parking._paused_until = 0.0  # half a minute later
        channel.advance(HELD_SECONDS + 1)
        eventually(lambda: len(parked(channel)) == 1)
        eventually(lambda: sample(running, "messages_settled_total", disposition="parked") == 1)


def test_a_message_that_leaves_no_room_for_its_history_is_parked_without(
    channel: Emulator, queue: Queue, run: Run
) -> None:
    """An event may fill its 64 KB: the copy has the same body, byte for byte, and nothing beside it."""
    body = publish(channel)["body"]
    (message,) = queue.receive(16, 1)
    queue.delete([message.receipt_handle])
    full = body + " " * (65_536 - len(body))
    queue.send(full)
    with run(PAUSED, **HOLD) as running:
        eventually(lambda: at_rest(running, 1))
        assert sample(running, "undeleted_in_window") == 0
    (copy,) = parked(channel)
    assert (copy["body"], copy["user"]) == (full, [])


def test_no_message_can_be_made_so_that_it_is_hidden_instead_of_parked(
    channel: Emulator, queue: Queue, run: Run
) -> None:
    """Thirty with many properties, of a group or of 64 KB, where twenty that stay undeleted stop all polls."""
    body = publish(channel)["body"]
    (message,) = queue.receive(16, 1)
    queue.delete([message.receipt_handle])
    crowd = [UserProperty(f"n{number}", "v") for number in range(46)]
    with account(channel) as owner:
        sender = owner.get_queue(QUEUE)
        sender.set_encoding(False)
        for _ in range(10):
            sender.send_message(Message(body, message_group_id="group"))
    for _ in range(10):
        queue.send(body, properties=crowd)
        queue.send(body + " " * (65_536 - len(body)))
    with run(PAUSED, **HOLD, engine__max_undeleted="20") as running:
        eventually(lambda: at_rest(running, 30))
        channel.config.publish(bucket="photos", rule=READ)
        eventually(lambda: at_rest(running, 31))
        assert sample(running, "undeleted_in_window") == 0
        assert running.service.not_ready() == ""


def test_slow_messages_that_come_back_leave_a_worker_for_a_fresh_event(channel: Emulator, run: Run) -> None:
    """Four that failed come back at once and take minutes each; the second of two workers repairs what is fresh."""
    channel.config.set_channel(non_compliance=False)
    slow = [f"slow-{number}" for number in range(4)]
    channel.create_buckets([*slow, "photos"], acl="public-read")
    failing = channel.faults.add("error", "GetBucketInfo", service="oss", status=500, code="InternalError")
    for name in slow:
        channel.config.publish(bucket=name, rule=READ)
    waits = {"retry__backoff_base_seconds": "130", "retry__backoff_cap_seconds": "130", "retry__request_attempts": "1"}
    with run(engine__workers="2", oss__call_timeout_seconds="120", **waits) as running:
        eventually(lambda: len(parked(channel)) == len(slow))
        channel.faults.remove(failing)
        channel.faults.add("latency", "GetBucketInfo", service="oss", resource="*slow-*", seconds=300)
        channel.advance(131)
        books = running.service._wiring.in_flight.books
        eventually(lambda: (books().working, books().buffered) == (1, len(slow) - 1))
        channel.config.publish(bucket="photos", rule=READ)
        eventually(lambda: channel.acls()["photos"] == "private")
        eventually(lambda: books().working == 1)
        assert all(channel.acls()[name] == "public-read" for name in slow)
        channel.faults.clear()
        channel.advance(300)


@pytest.mark.parametrize("attempts", ["0", "999999"])
def test_forged_properties_neither_spare_nor_cost_a_message_its_try(
    channel: Emulator, queue: Queue, run: Run, attempts: str
) -> None:
    """A repair that works is made, whatever the message says of itself: nothing is dead-lettered without a failure."""
    body = publish(channel)["body"]
    (message,) = queue.receive(16, 1)
    queue.delete([message.receipt_handle])
    now_ms = message.enqueued_at_ms
    forged = {
        PropertyName.ORIGIN_ID: ("somebody-else-s", "STRING"),
        PropertyName.FIRST_ENQUEUED: ("1", "NUMBER"),
        PropertyName.FIRST_RECEIVED: (str(now_ms), "NUMBER"),
        PropertyName.RECEIPTS: ("999999", "NUMBER"),
        PropertyName.ATTEMPTS: (attempts, "NUMBER"),
        PropertyName.REASON: ("held:forged", "STRING"),
    }
    queue.send(body, properties=[UserProperty(name, *value) for name, value in forged.items()])
    with run():
        eventually(lambda: not messages(channel, QUEUE))
    assert channel.acls() == {"photos": "private"}
    assert dead_letters(channel) == []


def set_retention(channel: Emulator, seconds: int) -> None:
    """Let the queue keep what is sent to it from now on for so long."""
    meta = QueueMeta()
    meta.set_message_retention_period(seconds)
    with account(channel) as owner:
        owner.get_queue(QUEUE).set_attributes(meta)


def come_back_and_again(channel: Emulator, running: Running, delay_seconds: int) -> None:
    """The one message comes back six times, after so long each time."""
    for cycle in range(1, 6):
        eventually(lambda cycle=cycle: at_rest(running, cycle))  # type: ignore[misc]
        channel.advance(delay_seconds + 1)
    eventually(lambda: at_rest(running, 6))
    (copy,) = parked(channel)
    assert properties(copy)[PropertyName.RECEIPTS] == "6"
    assert not channel.journal(operation="MessageExpired")


def test_a_retention_that_is_shorter_than_the_hold_loses_nothing(channel: Emulator, run: Run) -> None:
    """Held for five minutes on a queue that keeps messages for two: parked for one, again and again."""
    set_retention(channel, 120)
    publish(channel)
    with run(PAUSED, **HOLD) as running:
        come_back_and_again(channel, running, 60)


def test_a_retention_that_is_shortened_while_a_worker_runs_loses_nothing(channel: Emulator, run: Run) -> None:
    """Nobody restarts it: the next sample of the queue shows the change."""
    sampled = {"metrics__queue_sample_seconds": "1", "metrics__queue_sample_idle_seconds": "1"}
    with run(PAUSED, **HOLD, **sampled) as running:
        eventually(lambda: not running.service.not_ready())
        assert sample(running, "queue_retention_seconds") == 345_600
        set_retention(channel, 120)
        eventually(lambda: sample(running, "queue_retention_seconds") == 120)
        publish(channel)
        come_back_and_again(channel, running, 60)


def test_a_retention_that_may_not_be_read_loses_nothing(channel: Emulator, run: Run) -> None:
    """It may be the shortest there is, so what waits comes back twice a minute; metrics and status page say so."""
    set_retention(channel, 60)
    channel.faults.add("error", "GetQueueAttributes", service="mns", status=403, code="AccessDenied")
    publish(channel)
    with run(PAUSED, **HOLD) as running:
        come_back_and_again(channel, running, 30)
        registry = running.service.metrics.registry
        assert registry.get_sample_value("remediator_queue_retention_seconds") is None
        assert [trouble for trouble in running.service._troubles() if "keeps a message is not known" in trouble]
