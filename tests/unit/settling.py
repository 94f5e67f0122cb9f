"""Steps of tests about requests of settling that fail."""

from __future__ import annotations

from consumer.core.errors import (
    ServiceError,
)
from consumer.engine.delivery import Delivery
from consumer.engine.settle_queue import Action
from tests.unit.engine import Engine
from tests.unit.fakes import service_error


def fail(engine: Engine, kind: type[ServiceError], times: int = 1_000) -> None:
    """The queue fails its next requests without an effect."""
    engine.queue.before.extend([service_error(kind, "Refused")] * times)


def recover(engine: Engine) -> None:
    """The queue works again."""
    engine.queue.before.clear()


def deletions(engine: Engine, delivery: Delivery, seconds: int) -> list[int]:
    """In which of the next seconds a deletion is sent, while leases are kept."""
    sent = []
    for second in range(seconds):
        before = len(engine.queue.batches)
        engine.step(Action.DELETE)
        if len(engine.queue.batches) > before:
            sent.append(second)
        engine.clock.advance(1.0)
    assert delivery.message_id in engine.queue.messages
    return sent
