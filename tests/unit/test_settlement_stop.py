"""Settling while the process is stopping: nothing is waited for that nobody needs."""

from __future__ import annotations

from consumer.core.errors import (
    PermissionMissing,
    Throttled,
    Unanswered,
)
from consumer.core.outcome import Disposition, Outcome
from consumer.engine.settle_queue import Action
from tests.unit.engine import Engine
from tests.unit.fakes import service_error
from tests.unit.settling import fail


def test_while_stopping_a_dead_letter_queue_that_fails_keeps_nobody_waiting() -> None:
    """The second failure of one copy hides all that wait, so that the process ends in its grace."""
    engine = Engine()
    for delivery in engine.receive(8):
        engine.resolve(delivery, Outcome.INVALID)
    engine.settlements.hurry()
    engine.dead_letters.before.extend([service_error(Unanswered)] * 9)
    for _ in range(9):
        engine.step(Action.COPY)
        engine.clock.advance(1.0)
    engine.settle_all()
    assert engine.dispositions == [Disposition.HIDDEN] * 8
    assert not engine.dead_letters.bodies
    assert engine.in_flight.wait_until_empty(0)


def test_while_stopping_hides_are_tried_until_the_lease_ends() -> None:
    """A hide is what brings a message to another replica at once; it is worth the whole grace."""
    engine = Engine()
    engine.queue.visibility_seconds = 60
    (delivery,) = engine.receive()
    engine.settlements.hurry()
    engine.resolve(delivery, None)
    fail(engine, Throttled, 6)
    for _ in range(50):
        engine.settle_all()
        engine.clock.advance(1.0)
    assert engine.dispositions == [Disposition.RELEASED]


def test_while_stopping_a_hide_that_is_refused_takes_no_other_with_it() -> None:
    """Nothing is better than hiding, so each is tried for itself."""
    engine = Engine()
    first, second = engine.receive(2)
    engine.settlements.hurry()
    fail(engine, PermissionMissing, 1)
    engine.resolve(first, None)
    engine.resolve(second, None)
    engine.settle_all()
    assert engine.dispositions == [Disposition.LEASE_LOST, Disposition.RELEASED]
