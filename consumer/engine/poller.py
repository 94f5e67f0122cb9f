"""Pollers: the only threads that receive, and only for slots that are free.

One poller holds the long poll of an idle replica; the others receive only while polls come back full. An answer that
is empty before its time means that the service has stopped holding our polls, and is followed by a pause: without one
that is a loop of thousands of requests a second. Near the service's throttle on what is received and not deleted, polls
are paced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from consumer.core.errors import DamagedReply, ServiceError
from consumer.core.message import Received
from consumer.core.queue_limits import MAX_BATCH
from consumer.engine.context import EngineContext
from consumer.engine.delivery import Delivery
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.lease import Lease
from consumer.engine.loop import Loop
from consumer.engine.poll_board import UNDELETED_LIMIT, UNDELETED_RESERVE
from consumer.engine.poll_pace import PollPace
from consumer.engine.timings import Timings


class PolledQueue(Protocol):
    """The part of the queue gateway that a poller needs."""

    def receive(self, count: int, wait_seconds: int) -> list[Received]: ...


class Poller(Loop):
    """One polling thread; the first one long-polls, the others only help while polls come back full."""

    def __init__(
        self,
        shared: EngineContext,
        queue: PolledQueue,
        heartbeat: Heartbeat,
        *,
        wait_seconds: int,
        first: bool,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        super().__init__(heartbeat)
        self._in_flight = shared.in_flight
        self._keeper = shared.keeper
        self._settlements = shared.settlements
        self._undeleted = shared.undeleted
        self._board = shared.board
        self._stopping = shared.stopping
        self._monotonic = shared.monotonic
        self._queue = queue
        self._wait_seconds = wait_seconds if first else 0
        self._first = first
        self._pause_for = pause or shared.stopping.wait
        self._pace = PollPace(self._wait_seconds, shared.jitter)

    @property
    def done(self) -> bool:
        """The process is stopping."""
        return self._stopping.is_set()

    def step(self) -> None:
        """Poll; a helper only while polls come back full."""
        if self._first or self._board.wait_for_full(self._heartbeat.idle_seconds):
            self.poll()

    def poll(self) -> None:
        """One poll, if there is room for what it may bring, and the pause it calls for."""
        now, in_flight = self._monotonic(), self._in_flight.books().in_flight
        self._show_undeleted_limit(now)
        if pause := self._undeleted.pause_seconds(in_flight, now):
            self._pause(min(pause, self._heartbeat.idle_seconds))
            return
        most = min(MAX_BATCH, self._undeleted.room(in_flight, now))
        reserved = self._in_flight.reserve(most, self._heartbeat.idle_seconds)
        if not reserved:
            return
        arrived: Sequence[Received] = ()
        try:
            arrived = self._receive(reserved)
        finally:
            # Whatever happened, the slots are given back; what came is in the books from here on.
            self._take_over(arrived, reserved)
        self._pause(self._pace.pause_seconds())

    def _show_undeleted_limit(self, now: float) -> None:
        """Show on the board while the service's limit on undeleted messages keeps fresh ones waiting."""
        count = self._undeleted.count(now)
        if count < self._undeleted.unreserved:
            self._board.resume()
        else:
            reason = UNDELETED_LIMIT if count >= self._undeleted.most else UNDELETED_RESERVE
            self._board.pause(reason, undeleted=count, most=self._undeleted.most)

    def _receive(self, reserved: int) -> Sequence[Received]:
        count = self._pace.batch(reserved)
        started = self._monotonic()
        self._heartbeat.beat("polling")
        try:
            arrived = self._queue.receive(count, self._wait_seconds)
        except DamagedReply as error:
            self._pace.damaged(by_service=bool(error.request_id))
            self._board.failed(error)
            return ()
        except ServiceError as error:
            self._pace.failed()
            self._board.failed(error)
            return ()
        self._pace.answered(len(arrived), self._monotonic() - started)
        self._board.succeeded(full=len(arrived) == count, waited=self._first)
        return arrived

    def _take_over(self, arrived: Sequence[Received], reserved: int) -> None:
        now = self._monotonic()
        deliveries = [self._delivery(message, now) for message in arrived]
        too_late = self._in_flight.receive(deliveries, reserved)
        for delivery in deliveries:
            self._keeper.keep(delivery.lease)
        for delivery in too_late:
            # The stop came while the poll was open: release at once what nobody here will work on.
            delivery.resolved_at = now
            self._settlements.release(delivery)

    def _delivery(self, message: Received, now: float) -> Delivery:
        """A delivery whose lease counts from the arrival of the reply; since then it may have been journaled."""
        at = now if message.arrived_at is None else message.arrived_at
        lease = Lease(message.message_id, message.receipt_handle, at, message.lease_seconds)
        return Delivery(message, lease, at, Timings(self._monotonic))

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._heartbeat.beat("pausing", seconds)
            self._pause_for(seconds)
