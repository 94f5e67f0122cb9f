"""The visibility state machine by itself, on times that the tests make up."""

from __future__ import annotations

import pytest

from emulator.mns.attributes import Counts, QueueAttributes
from emulator.mns.errors import MnsRefusal
from emulator.mns.message import Draft, Message, State
from emulator.mns.queue import Queue

VISIBILITY_MS = 30_000


class Recorded:
    """A listener that remembers what it was told and moves nothing unless asked to."""

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.offered: list[str] = []
        self.moves = False

    def expired(self, _: Queue, message: Message) -> None:
        self.gone.append(message.body)

    def exhausted(self, _: Queue, message: Message) -> bool:
        self.offered.append(message.body)
        return self.moves


@pytest.fixture
def listener() -> Recorded:
    return Recorded()


@pytest.fixture
def queue(listener: Recorded) -> Queue:
    return Queue("q", QueueAttributes(), listener, now_ms=0)


def bodies(queue: Queue, now_ms: int, limit: int = 16) -> list[str]:
    return [receipt.message.body for receipt in queue.receive(limit, now_ms)]


def test_a_received_message_is_hidden_for_the_visibility_timeout(queue: Queue) -> None:
    """A received message comes back when its timeout has passed, not a millisecond earlier."""
    queue.send(Draft("a"), 0)
    assert bodies(queue, 0) == ["a"]
    assert bodies(queue, VISIBILITY_MS - 1) == []
    assert bodies(queue, VISIBILITY_MS) == ["a"]


def test_dequeue_count_and_first_dequeue_time(queue: Queue) -> None:
    """Every receive counts, and the first one's time stays."""
    queue.send(Draft("a"), 0)
    first = queue.receive(1, 500)[0]
    second = queue.receive(1, 500 + VISIBILITY_MS)[0]
    assert (first.dequeue_count, second.dequeue_count) == (1, 2)
    assert first.first_dequeue_ms == second.first_dequeue_ms == 500
    assert second.next_visible_ms == 500 + 2 * VISIBILITY_MS


def test_each_receive_makes_a_new_handle_and_kills_the_old_one(queue: Queue) -> None:
    """Only the handle of the latest receive deletes."""
    queue.send(Draft("a"), 0)
    old = queue.receive(1, 0)[0].receipt_handle
    new = queue.receive(1, VISIBILITY_MS)[0].receipt_handle
    assert old != new
    with pytest.raises(MnsRefusal, match="MessageNotExist"):
        queue.delete(old, VISIBILITY_MS)
    assert queue.delete(new, VISIBILITY_MS).body == "a"


def test_a_handle_dies_with_its_timeout(queue: Queue) -> None:
    """A handle is refused once its message is visible again, received by somebody else or not."""
    queue.send(Draft("a"), 0)
    handle = queue.receive(1, 0)[0].receipt_handle
    with pytest.raises(MnsRefusal, match="MessageNotExist"):
        queue.delete(handle, VISIBILITY_MS)
    assert queue.counts(VISIBILITY_MS) == Counts(active=1, inactive=0, delayed=0)


def test_change_of_visibility_replaces_the_handle_and_counts_from_the_call(queue: Queue) -> None:
    """The new timeout starts at the call, and only the new handle is good."""
    queue.send(Draft("a"), 0)
    old = queue.receive(1, 0)[0].receipt_handle
    changed = queue.change_visibility(old, 60, now_ms=20_000)
    assert changed.next_visible_ms == 80_000
    with pytest.raises(MnsRefusal, match="MessageNotExist"):
        queue.change_visibility(old, 60, now_ms=20_000)
    assert bodies(queue, 79_999) == []
    assert bodies(queue, 80_000) == ["a"]


def test_visibility_can_be_shortened(queue: Queue) -> None:
    """A message released with a timeout of one second is there a second later."""
    queue.send(Draft("a"), 0)
    queue.change_visibility(queue.receive(1, 0)[0].receipt_handle, 1, now_ms=0)
    assert queue.next_change_ms() == 1000
    assert bodies(queue, 1000) == ["a"]


def test_priority_comes_before_age(queue: Queue) -> None:
    """1 is received before 16, and within one priority the older one first."""
    for body, priority in (("low", 16), ("first", 8), ("second", 8), ("high", 1)):
        queue.send(Draft(body, priority=priority), 0)
    assert bodies(queue, 0) == ["high", "first", "second", "low"]


def test_a_delayed_message_can_be_deleted_or_rescheduled_before_it_is_due(queue: Queue) -> None:
    """A message's own delay beats the queue's; until then its handle deletes and reschedules it."""
    queue.override(QueueAttributes(delay_seconds=60), 0)
    assert queue.send(Draft("now", delay_seconds=0), 0).state is State.ACTIVE
    later, never = queue.send(Draft("later"), 0), queue.send(Draft("never", delay_seconds=5), 0)
    assert queue.counts(0) == Counts(active=1, inactive=0, delayed=2)
    queue.delete(never.receipt_handle or "", 0)
    queue.change_visibility(later.receipt_handle or "", 2, 0)
    assert bodies(queue, 1999) == ["now"]
    assert bodies(queue, 2000) == ["later"]


def test_retention_ends_in_every_state(queue: Queue, listener: Recorded) -> None:
    """Visible, hidden and delayed messages expire alike, and each is told once."""
    queue.override(QueueAttributes(message_retention_period_seconds=60, visibility_timeout_seconds=600), 0)
    queue.send(Draft("hidden"), 0)
    handle = queue.receive(1, 0)[0].receipt_handle
    queue.send(Draft("delayed", delay_seconds=600), 0)
    queue.send(Draft("visible"), 0)
    assert queue.counts(59_999) == Counts(active=1, inactive=1, delayed=1)
    assert queue.counts(60_000) == Counts(active=0, inactive=0, delayed=0)
    assert sorted(listener.gone) == ["delayed", "hidden", "visible"]
    with pytest.raises(MnsRefusal, match="MessageNotExist"):
        queue.delete(handle, 60_000)


def test_peek_changes_nothing(queue: Queue) -> None:
    """Peeking shows what could be received, in that order, and leaves it."""
    for body in "abc":
        queue.send(Draft(body), 0)
    assert [message.body for message in queue.peek(2, 0)] == ["a", "b"]
    assert queue.peek(1, 0)[0].dequeue_count == 0
    assert bodies(queue, 0) == ["a", "b", "c"]


def test_left_visible_a_message_reaches_two_consumers(queue: Queue) -> None:
    """A duplicate delivery: two receives of one message, of which only the later handle deletes."""
    queue.send(Draft("a"), 0)
    first = queue.receive(1, 0, leave_visible=True)[0]
    second = queue.receive(1, 0)[0]
    assert (second.message.id, second.dequeue_count) == (first.message.id, 2)
    with pytest.raises(MnsRefusal, match="MessageNotExist"):
        queue.delete(first.receipt_handle, 0)
    queue.delete(second.receipt_handle, 0)
    assert queue.counts(0) == Counts(0, 0, 0)


def test_left_visible_a_message_can_be_deleted_before_the_second_consumer(queue: Queue) -> None:
    """Deleted in time, a duplicate never shows; too late, its handle is as dead as any other."""
    queue.send(Draft("a"), 0)
    queue.send(Draft("b"), 0)
    first, second = queue.receive(2, 0, leave_visible=True)
    queue.delete(first.receipt_handle, 0)
    with pytest.raises(MnsRefusal, match="MessageNotExist"):
        queue.delete(second.receipt_handle, VISIBILITY_MS)
    assert bodies(queue, VISIBILITY_MS) == ["b"]


def test_a_message_is_offered_to_the_dead_letter_queue_when_it_comes_back_too_often(
    queue: Queue, listener: Recorded
) -> None:
    """After its last allowed receive a message is moved instead of coming back; unmoved, it comes back."""
    queue.max_receive_count = 2
    queue.send(Draft("a"), 0)
    assert bodies(queue, 0) == ["a"]
    assert bodies(queue, VISIBILITY_MS) == ["a"]
    assert bodies(queue, 2 * VISIBILITY_MS) == ["a"]
    listener.moves = True
    assert bodies(queue, 3 * VISIBILITY_MS) == []
    assert listener.offered == ["a", "a"]
    assert queue.counts(3 * VISIBILITY_MS) == Counts(0, 0, 0)


def test_handles_of_another_queue_are_unknown(queue: Queue, listener: Recorded) -> None:
    """Two queues never mint the same handle, not even a queue that was made anew under the same name."""
    again = Queue("q", QueueAttributes(), listener, now_ms=0)
    for each in (queue, again):
        each.send(Draft("a"), 0)
    again.receive(1, 0)
    with pytest.raises(MnsRefusal, match="MessageNotExist"):
        again.delete(queue.receive(1, 0)[0].receipt_handle, 0)


def test_handles_mean_nothing_in_a_query(queue: Queue) -> None:
    """Clients put handles into queries unencoded, so none may contain a character with a meaning there."""
    for _ in range(200):
        queue.send(Draft("a"), 0)
    handles = [receipt.receipt_handle for receipt in queue.receive(200, 0)]
    assert not set("".join(handles)) & set("+&%=?#/ ")


def test_stale_index_entries_do_not_pile_up(queue: Queue) -> None:
    """A queue that is always emptied stays small, whatever passed through it."""
    for now_ms in range(20_000):
        queue.send(Draft("a"), now_ms)
        queue.delete(queue.receive(1, now_ms)[0].receipt_handle, now_ms)
    assert len(queue._hidden._heap) < 2000
    assert len(queue._expiries._heap) < 2000
