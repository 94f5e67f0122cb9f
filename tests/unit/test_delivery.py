"""Deliveries: what one receipt says about the time before it."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.fakes import received


def test_the_time_in_the_queue_is_between_the_servers_own_stamps() -> None:
    """From enqueueing to the first receive, whatever the local clock says."""
    message = replace(received("m"), dequeue_count=1, enqueued_at_ms=1_000, first_dequeued_at_ms=3_500)
    assert message.queued_seconds == 2.5


def test_only_the_first_receive_tells_how_long_a_message_waited() -> None:
    """A held message would otherwise count its hold again at every look."""
    message = replace(received("m"), dequeue_count=2, enqueued_at_ms=1_000, first_dequeued_at_ms=3_500)
    assert message.queued_seconds == 0
