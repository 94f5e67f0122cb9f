"""Steps of tests about messages that have to wait."""

from __future__ import annotations

from consumer.core.outcome import Outcome
from consumer.engine.delivery import Delivery
from tests.unit.engine import Engine


def errors(engine: Engine) -> list[tuple[str, str]]:
    """Action and code of every settlement that did not work out."""
    return [(error.action, error.code) for error in engine.recorder.settle_errors]


def hold(engine: Engine, delivery: Delivery, *followers: Delivery, seconds: float = 900.0) -> None:
    """Hold a delivery for so long, and settle what is due."""
    engine.resolve(delivery, Outcome.HELD, *followers, hold_seconds=seconds)
    engine.settle_all()


def come_back(engine: Engine, seconds: float = 900.0) -> list[Delivery]:
    """What is received after so long."""
    engine.clock.advance(seconds)
    return engine.poll()
