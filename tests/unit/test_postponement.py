"""For how long messages wait while many do: what the service's limit on undeleted messages makes of each wait."""

from __future__ import annotations

from consumer.core.outcome import Disposition
from consumer.core.queue_attributes import QueueAttributes
from tests.unit.engine import Engine
from tests.unit.parking import hold


def test_the_more_is_hidden_the_longer_each_wait_until_short_ones_are_parked_too() -> None:
    """From a tenth of the limit on they are doubled for each further twentieth; from a quarter on nothing is hidden."""
    engine = Engine(max_undeleted=20)
    for delivery in engine.receive(7):
        hold(engine, delivery, seconds=10.0)

    assert [seconds for _, seconds in engine.queue.hidden] == [10, 10, 10, 20, 40]
    assert engine.dispositions == [*[Disposition.HIDDEN] * 5, *[Disposition.PARKED] * 2]


def test_no_wait_that_is_stretched_lasts_past_half_of_what_the_message_has_left() -> None:
    """However much is hidden: it would expire unseen."""
    engine = Engine(max_undeleted=20, park_after_seconds=1_000.0)
    engine.parking.learn(QueueAttributes(30, 400, 65_536))
    for delivery in engine.receive(5):
        hold(engine, delivery, seconds=90.0)

    assert [seconds for _, seconds in engine.queue.hidden] == [90, 90, 90, 180, 200]


def test_what_is_released_is_visible_again_at_once_however_much_is_hidden() -> None:
    """Nobody has begun to work on it, so another replica can."""
    engine = Engine(max_undeleted=20)
    *held, released = engine.receive(5)
    for delivery in held:
        hold(engine, delivery, seconds=10.0)
    engine.settlements.release(released)
    engine.settle_all()

    assert [seconds for _, seconds in engine.queue.hidden] == [10, 10, 10, 20, 1]
