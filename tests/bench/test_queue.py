"""The canned server's queue behaves as MNS does where a consumer can notice."""

from __future__ import annotations

import pytest

from bench.server.queue import Queue


@pytest.fixture
def queue() -> Queue:
    """A queue that hides what is received for 30 seconds, with three messages sent at the moment 0."""
    made = Queue(visibility_seconds=30)
    for number in range(3):
        made.send(f"bucket-{number}", "{}", 0.0)
    return made


def test_a_received_message_is_hidden_until_its_visibility_ends(queue: Queue) -> None:
    """Nobody receives it again before, everybody can afterwards, and it counts its deliveries."""
    assert len(queue.receive(16, 1.0)) == 3
    assert queue.receive(16, 30.9) == []
    again = queue.receive(16, 31.0)
    assert {message.bucket for message in again} == {"bucket-0", "bucket-1", "bucket-2"}
    assert {message.dequeue_count for message in again} == {2}


def test_a_receive_never_gives_more_than_was_requested(queue: Queue) -> None:
    """The rest stays visible."""
    assert [message.bucket for message in queue.receive(2, 0.0)] == ["bucket-0", "bucket-1"]
    assert queue.counts(0.0) == (1, 2)


def test_a_change_of_visibility_replaces_the_receipt_handle(queue: Queue) -> None:
    """The old handle deletes nothing any more, the new one does."""
    old = queue.receive(1, 0.0)[0].handle
    changed = queue.change_visibility(old, 60, 10.0)
    assert changed is not None
    assert changed.handle != old
    assert queue.delete(old, 11.0) is None
    assert queue.change_visibility(old, 60, 11.0) is None
    assert queue.delete(changed.handle, 11.0) is changed


def test_a_change_of_visibility_counts_from_now(queue: Queue) -> None:
    """The message comes back when the new time ends, neither at the old one nor later."""
    handle = queue.receive(1, 0.0)[0].handle
    queue.change_visibility(handle, 60, 10.0)
    assert "bucket-0" not in {message.bucket for message in queue.receive(16, 69.0)}
    assert "bucket-0" in {message.bucket for message in queue.receive(16, 70.0)}


def test_a_handle_is_good_only_until_its_message_is_visible_again(queue: Queue) -> None:
    """A late deletion fails, so that the message is not lost to who holds it now."""
    handle = queue.receive(1, 0.0)[0].handle
    assert queue.delete(handle, 30.0) is None
    assert queue.counts(30.0) == (3, 0)


def test_a_deleted_message_never_comes_back(queue: Queue) -> None:
    """Not after its visibility timeout either, and its handle is good once."""
    handle = queue.receive(1, 0.0)[0].handle
    assert queue.delete(handle, 1.0) is not None
    assert queue.delete(handle, 1.0) is None
    assert len(queue.receive(16, 100.0)) == 2


def test_the_next_return_is_that_of_a_message_that_is_still_hidden(queue: Queue) -> None:
    """Deleted messages do not count."""
    first = queue.receive(1, 0.0)[0].handle
    queue.receive(1, 5.0)
    assert queue.next_return() == 30.0
    queue.delete(first, 6.0)
    assert queue.next_return() == 35.0
