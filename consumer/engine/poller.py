"""Pollers: the only threads that receive, and only for slots that are free.

One poller holds the long poll of an idle replica; the others receive only while polls come back full. An answer that
is empty before its time means that the service has stopped holding our polls, and is followed by a pause: without one
that is a loop of thousands of requests a second. Near the service's throttle on what is received and not deleted, polls
are paced.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.core.errors import DamagedReply, ServiceError
from consumer.core.message import Received
from consumer.core.queue_limits import MAX_BATCH
from consumer.engine.delivery import Delivery
from consumer.engine.heartbeat import Pulse
from consumer.engine.in_flight import InFlight
from consumer.engine.lease import Lease
from consumer.engine.lease_keeper import LeaseKeeper
from consumer.engine.settlement import Settlements
from consumer.engine.timings import Stages
from consumer.engine.undeleted_limit import UndeletedLimit

_EARLY_SHARE = 0.5
"""An empty answer before this share of the wait came too early."""

_LONGEST_ERROR_PAUSE_SECONDS = 30.0

_MOST_DAMAGED_IN_A_ROW = 256
"""So many damaged replies in a row are polled past without a pause: alone, each damaged message costs one poll."""

UNDELETED_LIMIT = "undeleted_limit"
"""Nothing is received: the service is about to throttle this consumer, which has received much without deleting it."""

UNDELETED_RESERVE = "undeleted_reserve"
"""Little is received: the reserve for messages that come for the first time has to last for a whole window."""

PAUSE_REASONS = (UNDELETED_LIMIT, UNDELETED_RESERVE)
"""Everything for which pollers receive less than there is, by their own decision."""

KEEPING_UP_SECONDS = 120.0
"""A replica keeps up while no more than this passes between polls that leave nothing behind."""


class PolledQueue(Protocol):
    """The part of the queue gateway that a poller needs."""

    def receive(self, count: int, wait_seconds: int) -> list[Received]: ...


@dataclass(frozen=True, slots=True)
class PollState:
    """What the last poll came to, for readiness and metrics."""

    last_success_at: float | None = None
    """Local wall-clock seconds since the epoch."""
    last_error: ServiceError | None = None
    """None while polls succeed."""


class PollBoard:
    """What pollers tell each other and the outside; shared."""

    def __init__(self, wall: Callable[[], float] = time.time, say: Callable[..., None] = lambda *_, **__: None) -> None:
        """`say` takes the name of a log event and its fields: a pause begins or ends."""
        self._wall = wall
        self._say = say
        self._state = PollState()
        self._paused_for = ""
        self._caught_up: tuple[float, float] | None = None
        """Since when polls have left nothing behind, and the last one that did not."""
        self._full = threading.Event()
        self._woken = False

    @property
    def state(self) -> PollState:
        """The last poll of any poller."""
        return self._state

    @property
    def paused_for(self) -> str:
        """For which reason polls pause, of `PAUSE_REASONS`; empty while they do not."""
        return self._paused_for

    @property
    def keeping_up_since(self) -> float | None:
        """Since when polls have left nothing behind, without a gap, in seconds since the epoch; None if they do not."""
        if self._caught_up is None or self._wall() - self._caught_up[1] > KEEPING_UP_SECONDS:
            return None
        return self._caught_up[0]

    def pause(self, reason: str, **fields: float) -> None:
        """Polls pause; told once for each pause, with the fields."""
        if self._paused_for != reason:
            self._paused_for = reason
            self._say("polling.paused", reason=reason, **fields)

    def resume(self) -> None:
        """Polls go on."""
        if self._paused_for:
            reason, self._paused_for = self._paused_for, ""
            self._say("polling.resumed", reason=reason)

    def succeeded(self, *, full: bool, waited: bool = True) -> None:
        """A poll was answered; a full one calls the other pollers.

        One that was not full and waited has left nothing behind. Without a wait the service asks a part of itself only.
        """
        now = self._wall()
        self._state = PollState(now, None)
        if waited and not full:
            since = self.keeping_up_since
            self._caught_up = (now if since is None else min(since, now), now)
        if full:
            self._full.set()
        elif not self._woken:
            self._full.clear()

    def failed(self, error: ServiceError) -> None:
        """A poll was not answered."""
        self._state = PollState(self._state.last_success_at, error)

    def wait_for_full(self, seconds: float) -> bool:
        """Whether polls come back full, waiting up to `seconds` for that."""
        return self._full.wait(seconds)

    def wake(self) -> None:
        """Let no poller wait any more, because the process is stopping."""
        self._woken = True
        self._full.set()


class Poller:
    """One polling thread; the first one waits on the service, the others only help out."""

    def __init__(
        self,
        queue: PolledQueue,
        in_flight: InFlight,
        keeper: LeaseKeeper,
        settlements: Settlements,
        undeleted: UndeletedLimit,
        board: PollBoard,
        stopping: threading.Event,
        pulse: Pulse,
        *,
        wait_seconds: int,
        first: bool,
        jitter: Callable[[float, float], float],
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._queue = queue
        self._in_flight = in_flight
        self._keeper = keeper
        self._settlements = settlements
        self._undeleted = undeleted
        self._board = board
        self._stopping = stopping
        self._pulse = pulse
        self._wait_seconds = wait_seconds if first else 0
        self._first = first
        self._jitter = jitter
        self._monotonic = monotonic
        self._pause_for = pause or stopping.wait
        self._failures = 0
        self._damaged_in_a_row = 0
        self._early_answers = 0
        self._one_by_one = 0
        """Polls that still ask for a single message, after a reply that could not be read."""

    def run(self) -> None:
        """Poll until the process stops."""
        while not self._stopping.is_set():
            self._pulse.rest()
            if self._first or self._board.wait_for_full(self._pulse.idle_seconds):
                self.step()

    def step(self) -> None:
        """One poll, if there is room for what it may bring, and the pause it calls for."""
        now, in_flight = self._monotonic(), self._in_flight.books().in_flight
        self._say_what_is_left(now)
        if pause := self._undeleted.pause_seconds(in_flight, now):
            self._pause(min(pause, self._pulse.idle_seconds))
            return
        most = min(MAX_BATCH, self._undeleted.room(in_flight, now))
        reserved = self._in_flight.reserve(most, self._pulse.idle_seconds)
        if not reserved:
            return
        arrived: Sequence[Received] = ()
        try:
            arrived = self._poll(reserved)
        finally:
            # Whatever happened, the slots are given back; what came is in the books from here on.
            self._take_over(arrived, reserved)
        self._pause(self._pause_seconds())

    def _say_what_is_left(self, now: float) -> None:
        """Let it be known while the service's bound on undeleted messages keeps fresh ones waiting."""
        count = self._undeleted.count(now)
        if count < self._undeleted.unreserved:
            self._board.resume()
        else:
            reason = UNDELETED_LIMIT if count >= self._undeleted.most else UNDELETED_RESERVE
            self._board.pause(reason, undeleted=count, most=self._undeleted.most)

    def _poll(self, reserved: int) -> Sequence[Received]:
        count = 1 if self._one_by_one else reserved
        started = self._monotonic()
        self._pulse.beat("polling")
        try:
            arrived = self._queue.receive(count, self._wait_seconds)
        except DamagedReply as error:
            self._damaged(error)
            return ()
        except ServiceError as error:
            self._failures += 1
            self._board.failed(error)
            return ()
        self._failures = self._damaged_in_a_row = 0
        self._one_by_one = max(0, self._one_by_one - 1)
        early = not arrived and self._monotonic() - started < self._wait_seconds * _EARLY_SHARE
        self._early_answers = self._early_answers + 1 if early else 0
        self._board.succeeded(full=len(arrived) == count, waited=self._first)
        return arrived

    def _damaged(self, error: DamagedReply) -> None:
        """One message may be what damages the reply: alone it hides no others, and it is hidden now, so poll on.

        Only where the service itself answered: a page of somebody in between says nothing about any message.
        """
        self._one_by_one = MAX_BATCH
        self._damaged_in_a_row += 1
        if not error.request_id or self._damaged_in_a_row > _MOST_DAMAGED_IN_A_ROW:
            self._failures += 1
        self._board.failed(error)

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
        return Delivery(message, lease, at, Stages(self._monotonic))

    def _pause_seconds(self) -> float:
        """Nothing after a good poll; after failures and early empty answers longer each time, with jitter."""
        if self._failures:
            full = min(2.0 ** min(self._failures - 1, 10), _LONGEST_ERROR_PAUSE_SECONDS)
        elif self._early_answers:
            full = min(2.0 ** min(self._early_answers - 1, 10), float(self._wait_seconds))
        else:
            return 0.0
        return self._jitter(full / 2, full)

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._pulse.beat("pausing", seconds)
            self._pause_for(seconds)
