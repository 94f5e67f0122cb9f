"""Settlers: the threads that delete and hide, each for one settle queue; `consumer.engine.sender` copies and parks.

A message is deleted here and nowhere else, and only when `consumer.engine.settlement` has put it into the queue of
deletions: for an outcome that deletes, or after its copy was confirmed, in the dead-letter queue or parked on its own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import ClassVar, Protocol, TypeVar

from consumer.core.errors import ServiceError
from consumer.engine.context import EngineContext
from consumer.engine.delivery import Delivery
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.loop import Loop
from consumer.engine.settle_queue import Action

_T = TypeVar("_T")


class DeletingQueue(Protocol):
    """The part of the queue gateway that deletes."""

    def delete(self, receipt_handles: Sequence[str]) -> dict[str, ServiceError]: ...


class HidingQueue(Protocol):
    """The part of the queue gateway that hides."""

    def hide(self, receipt_handle: str, seconds: int) -> str: ...


class Settler(Loop):
    """One thread: takes what is due out of its settle queue, sends the request, and reports how each delivery fared."""

    action: ClassVar[Action]

    def __init__(self, shared: EngineContext, heartbeat: Heartbeat) -> None:
        super().__init__(heartbeat)
        self._settle_queue = shared.settle_queues[self.action]
        self._settlements = shared.settlements
        self._hooks = shared.hooks
        self._monotonic = shared.monotonic

    @property
    def done(self) -> bool:
        """Nothing more will come."""
        return self._settle_queue.closed

    def step(self) -> bool:
        """Send one request, if one becomes due within the idle time; whether there was anything to settle."""
        due = self._settle_queue.take(self._heartbeat.idle_seconds)
        if in_time := [delivery for delivery in due if not self._settlements.give_up_late(delivery, self.action)]:
            self._hooks.sync()  # how they end is on record before anything is done to them
            self._heartbeat.beat(f"settling {len(in_time)}")
            self.settle(in_time)
            self._hooks.sync()
        return bool(due)

    def timed(self, request: Callable[[], _T]) -> _T:
        """The answer to a request for a single message; how long it took counts for the pace of the settle queue."""
        started = self._monotonic()
        try:
            return request()
        finally:
            self._settle_queue.took(self._monotonic() - started)

    @abstractmethod
    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Send the request for these deliveries."""


class Deleter(Settler):
    """Deletes up to sixteen messages at once."""

    action = Action.DELETE

    def __init__(self, shared: EngineContext, queue: DeletingQueue, heartbeat: Heartbeat) -> None:
        super().__init__(shared, heartbeat)
        self._queue = queue

    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Delete them; what the queue does not confirm is not deleted."""
        with ExitStack() as held:
            # Held until the answer is here, so that no renewal replaces a handle that is on its way.
            handles = [(held.enter_context(delivery.lease.exclusively()), delivery) for delivery in deliveries]
            failures = self._delete([handle for handle, _ in handles])
            for handle, delivery in handles:
                if error := failures.get(handle):
                    self._settlements.failed(delivery, Action.DELETE, error)
                else:
                    self._settlements.done(delivery, Action.DELETE)

    def _delete(self, handles: Sequence[str]) -> dict[str, ServiceError]:
        """The failure of every handle whose message is not known to be deleted."""
        try:
            failures = self._queue.delete(handles)
        except ServiceError as error:
            return dict.fromkeys(handles, error)  # none, some or all may be deleted; the next try shows which
        for handle in failures.keys() - set(handles):
            return dict.fromkeys(handles, failures[handle]) | failures  # it is none of ours, so it may mean any of them
        return failures


class Hider(Settler):
    """Hides one message: held, failed, released, or one whose settling was given up."""

    action = Action.HIDE

    def __init__(self, shared: EngineContext, queue: HidingQueue, heartbeat: Heartbeat) -> None:
        super().__init__(shared, heartbeat)
        self._queue = queue

    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Hide them, one by one."""
        for delivery in deliveries:
            with delivery.lease.exclusively() as handle:
                try:
                    self.timed(partial(self._queue.hide, handle, delivery.hide_seconds))
                except ServiceError as error:
                    self._settlements.failed(delivery, Action.HIDE, error)
                else:
                    self._settlements.done(delivery, Action.HIDE)
