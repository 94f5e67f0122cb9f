"""Settlers that send: copies to the dead-letter queue, and what has to wait to its own queue again.

A message stays until its copy is confirmed; only then its deletion is put into the queue of deletions.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from consumer.core.errors import ServiceError
from consumer.core.parked import UserProperty
from consumer.engine.context import EngineContext
from consumer.engine.dead_letter import DeadLetterTarget, compose
from consumer.engine.delivery import Delivery
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.settle_queue import Action
from consumer.engine.settler import Settler


class DeadLetterQueue(Protocol):
    """The part of the dead-letter queue's gateway that takes copies."""

    def send(self, body: str) -> str: ...


class ParkingQueue(Protocol):
    """The part of the queue gateway that parks."""

    def send(self, body: str, *, delay_seconds: int, priority: int, properties: Sequence[UserProperty]) -> str: ...


class Sender(Settler):
    """Sends copies one by one; each message stays until its copy is confirmed, and a deletion follows."""

    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Copy them, one by one."""
        for delivery in deliveries:
            if not self._settlements.held(delivery):
                # Another consumer has the message by now and may still succeed, or has parked it: no copy.
                self._settlements.lost(delivery)
                continue
            try:
                copy_id = self.timed(partial(self.send, delivery))
            except ServiceError as error:
                self._settlements.failed(delivery, self.action, error)
            else:
                self._settlements.done(delivery, self.action, copy_id)

    @abstractmethod
    def send(self, delivery: Delivery) -> str:
        """Send the copy of a delivery; returns its id once it is confirmed."""


class Copier(Sender):
    """Copies to the dead-letter queue."""

    action = Action.COPY

    def __init__(
        self,
        shared: EngineContext,
        dead_letters: DeadLetterQueue,
        origin: DeadLetterTarget,
        heartbeat: Heartbeat,
        *,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        super().__init__(shared, heartbeat)
        self._dead_letters = dead_letters
        self._origin = origin
        self._wall_ms = wall_ms

    def send(self, delivery: Delivery) -> str:
        """The dead letter."""
        return self._dead_letters.send(compose(delivery, self._origin, self._wall_ms()))


class Parker(Sender):
    """Sends what has to wait to the same queue again, with a delay."""

    action = Action.PARK

    def __init__(self, shared: EngineContext, queue: ParkingQueue, heartbeat: Heartbeat) -> None:
        super().__init__(shared, heartbeat)
        self._queue = queue

    def send(self, delivery: Delivery) -> str:
        """The same body, and its history."""
        copy = delivery.parked_copy
        if copy is None:
            raise ValueError("only a delivery that has a copy planned can be parked")
        return self._queue.send(
            delivery.message.body,
            delay_seconds=copy.delay_seconds,
            priority=copy.priority,
            properties=copy.properties,
        )
