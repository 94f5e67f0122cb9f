"""Followers: settled after the newest delivery of their case, and only if that one was settled or kept."""

from __future__ import annotations

import pytest

from consumer.core.errors import Throttled
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.engine.lease import Lease, LeaseState
from tests.unit.engine import Engine
from tests.unit.fakes import received, service_error, unanswered


def test_followers_are_deleted_after_their_leader() -> None:
    """The leader's deletion is confirmed before a follower's is sent."""
    engine = Engine()
    leader, first, second = engine.receive(3)
    engine.resolve(leader, Outcome.FIXED, first, second)
    engine.step()
    assert engine.queue.deleted == [leader.message_id]
    assert engine.books.settling == 2
    engine.settle_all()
    assert engine.queue.deleted == [leader.message_id, first.message_id, second.message_id]
    assert [report.outcome for report in engine.recorder.reports] == [
        Outcome.FIXED,
        Outcome.SUPERSEDED,
        Outcome.SUPERSEDED,
    ]
    assert engine.recorder.reports[-1].ending == Ending(Outcome.SUPERSEDED, "newer_event", "a newer event was settled")
    assert engine.in_flight.wait_until_empty(0)


def test_settling_a_follower_begins_with_the_end_of_its_leader() -> None:
    """What its leader took is neither shown as its own time nor counted against its tries."""
    engine = Engine()
    engine.clock.advance(1_000.0)
    leader, follower = engine.receive(2)
    engine.resolve(leader, Outcome.FIXED, follower)
    engine.clock.advance(5.0)
    engine.step()
    engine.clock.advance(2.0)
    engine.settle_all()

    assert [dict(report.stage_seconds)["settle"] for report in engine.recorder.reports] == [5.0, 2.0]


@pytest.mark.parametrize("outcome", [Outcome.HELD, Outcome.FAILED, Outcome.WOULD_FIX, Outcome.REJECTED])
def test_followers_of_a_kept_leader_are_superseded(outcome: Outcome) -> None:
    """A leader that stays in the queue or is dead-lettered stands for its followers too."""
    engine = Engine()
    leader, follower = engine.receive(2)
    engine.resolve(leader, outcome, follower)
    engine.settle_all()
    assert engine.queue.deleted[-1] == follower.message_id
    assert engine.recorder.reports[-1].outcome is Outcome.SUPERSEDED


def test_followers_of_a_lost_leader_are_handed_back() -> None:
    """Nobody knows what becomes of a lost leader, so its followers live on."""
    engine = Engine()
    leader, follower = engine.receive(2)
    engine.queue.hide(leader.message.receipt_handle, 5)
    engine.resolve(leader, Outcome.FIXED, follower)
    engine.settle_all()
    assert not engine.queue.deleted
    assert engine.dispositions == [Disposition.LEASE_LOST, Disposition.RELEASED]


def test_followers_wait_while_their_leader_is_tried_again() -> None:
    """A leader in doubt is neither settled nor kept."""
    engine = Engine()
    leader, follower = engine.receive(2)
    engine.queue.before.append(service_error(Throttled))
    engine.resolve(leader, Outcome.FIXED, follower)
    engine.settle_all()
    assert not engine.queue.deleted
    assert follower.lease.state is LeaseState.HELD
    engine.clock.advance(1.0)
    engine.settle_all()
    assert engine.queue.deleted == [leader.message_id, follower.message_id]


def _received_again(engine: Engine, delivery: Delivery) -> Delivery:
    """Another receipt of the same message whose handle the queue accepts as well, as a duplicate delivery may."""
    message = received(delivery.message_id, handle=delivery.message.receipt_handle)
    return Delivery(message, Lease(message.message_id, message.receipt_handle, engine.clock(), 30.0), engine.clock())


@pytest.mark.parametrize("outcome", [Outcome.HELD, Outcome.FAILED, Outcome.WOULD_FIX])
def test_an_older_receipt_of_a_kept_message_does_not_delete_it(outcome: Outcome) -> None:
    """A leader and a follower that are one message: what keeps the one keeps the other."""
    engine = Engine()
    (older,) = engine.receive()
    newer = _received_again(engine, older)
    engine.in_flight.receive([newer], engine.in_flight.reserve(1, 0))
    engine.in_flight.next(0)
    engine.queue.superseded.clear()
    hide = engine.queue.hide
    engine.queue.hide = lambda handle, _seconds: handle  # type: ignore[method-assign]
    engine.resolve(newer, outcome, older, hold_seconds=30.0)
    engine.settle_all()
    engine.queue.hide = hide  # type: ignore[method-assign]
    assert not engine.queue.deleted
    assert not engine.queue.batches
    assert engine.dispositions == [Disposition.HIDDEN, Disposition.LEASE_LOST]
    assert engine.recorder.reports[-1].ending == Ending(
        Outcome.LEASE_LOST, "received_again", "a later receipt of the same message was settled"
    )
    assert engine.books.balanced


def test_an_unanswered_hide_of_a_leader_does_not_delete_its_followers() -> None:
    """A leader that may or may not be hidden is not known to be kept; lost in the end, its followers go back."""
    engine = Engine()
    leader, follower = engine.receive(2)
    engine.queue.after.append(unanswered())
    engine.resolve(leader, Outcome.HELD, follower, hold_seconds=30.0)
    engine.settle_all()
    engine.clock.advance(1.0)
    engine.settle_all()
    assert not engine.queue.deleted
    assert engine.dispositions == [Disposition.LEASE_LOST, Disposition.RELEASED]
