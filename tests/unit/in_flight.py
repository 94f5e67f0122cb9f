"""Deliveries for what is in flight: fresh, parked and received before; and threads that wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from consumer.core.parked import Carried, History
from consumer.engine.delivery import Delivery
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock, delivery, received

CLOCK = Clock()


def deliveries(count: int) -> list[Delivery]:
    """So many deliveries."""
    return [delivery(CLOCK, received(f"m-{number}")) for number in range(count)]


def parked(number: int) -> Delivery:
    """A delivery of a parked copy."""
    history = History("first", 1, 2, receipts=1, attempts=0, reason="held:over_limit")
    return delivery(CLOCK, replace(received(f"p-{number}"), carried=Carried(history)))


def again(number: int) -> Delivery:
    """A delivery of a message that has been received before, and was hidden."""
    return delivery(CLOCK, replace(received(f"a-{number}"), dequeue_count=2))


class Waiter:
    """A thread that waits for up to an hour; its wait has begun when this is made."""

    def __init__(self, condition: threading.Condition, wait: Callable[[], object]) -> None:
        self._begun = threading.Event()
        self._found: list[object] = []
        condition_wait = condition.wait

        def announced(timeout: float | None = None) -> bool:
            self._begun.set()  # the lock is held from here until the wait has begun
            return condition_wait(timeout)

        condition.wait = announced  # type: ignore[method-assign]
        self._thread = threading.Thread(target=lambda: self._found.append(wait()), daemon=True)
        self._thread.start()
        assert self._begun.wait(PATIENCE_SECONDS)

    def found(self) -> object:
        """What it came back with, long before its time."""
        self._thread.join(PATIENCE_SECONDS)
        assert self._found, "nobody woke the waiting thread"
        return self._found[0]
