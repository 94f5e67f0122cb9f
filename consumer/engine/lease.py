"""Leases: the time during which a delivery is ours, and the thread that keeps renewing it.

From the receive on, buffered deliveries included, every unsettled delivery is renewed at about half its life, so that
slow work never lets the queue hand the same message to somebody else. Renewing swaps the receipt handle; whoever uses
a handle holds the lease meanwhile, so the settler can never send one that a renewal has just replaced.

Ends of leases are local monotonic times, counted from before the request that set them: they err on the early side.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from consumer.core.errors import MessageGone, ServiceError
from consumer.core.observers import Hooks, Renewal
from consumer.engine.heartbeat import Pulse

_TIDY_AT_LEAST = 1024


class LeaseState(Enum):
    """Where a lease stands; it never goes back to an earlier state."""

    HELD = auto()
    LOST = auto()
    """The queue has given the message to somebody else, or will."""
    ENDED = auto()
    """Settled: there is nothing left to keep."""


class Lease:
    """One delivery's lease, shared by its worker, the lease keeper and the settler."""

    def __init__(self, message_id: str, receipt_handle: str, taken_at: float, seconds: float) -> None:
        self.message_id = message_id
        self.taken_at = taken_at
        self._lock = threading.Lock()
        # Written only while the lock is held; read without it where a slightly old value does no harm.
        self._receipt_handle = receipt_handle
        self._expires_at = taken_at + seconds
        self._state = LeaseState.HELD

    def held(self, now: float) -> bool:
        """Whether the delivery is still ours, as far as can be known here."""
        return self._state is LeaseState.HELD and now < self._expires_at

    @property
    def state(self) -> LeaseState:
        """Where the lease stands."""
        return self._state

    @property
    def expires_at(self) -> float:
        """The monotonic moment until which it lasts unless renewed."""
        return self._expires_at

    @contextmanager
    def exclusively(self) -> Iterator[str]:
        """Use the newest receipt handle; nobody else renews or settles meanwhile."""
        with self._lock:
            yield self._receipt_handle

    def try_exclusively(self) -> bool:
        """Take the lease if nobody uses it; the caller then has to `release` it."""
        return self._lock.acquire(blocking=False)

    def release(self) -> None:
        """Give back what `try_exclusively` took."""
        self._lock.release()

    @property
    def receipt_handle(self) -> str:
        """The newest handle; only for who holds the lease exclusively."""
        return self._receipt_handle

    def renewed(self, receipt_handle: str, expires_at: float) -> None:
        """The queue has replaced the handle and started the time anew; only for who holds the lease exclusively."""
        self._receipt_handle = receipt_handle
        self._expires_at = expires_at

    def lose(self) -> None:
        """It is no longer ours. A settled lease stays settled."""
        if self._state is LeaseState.HELD:
            self._state = LeaseState.LOST

    def end(self) -> None:
        """The delivery is settled."""
        self._state = LeaseState.ENDED


class RenewingQueue(Protocol):
    """The part of the queue gateway that a lease keeper needs."""

    def hide(self, receipt_handle: str, seconds: int) -> str: ...


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """How leases are kept."""

    lease_seconds: int = 60
    """How far each renewal reaches."""
    max_total_seconds: float = 900.0
    """No renewal later than this after the receive: what takes longer is given up to the queue."""
    retry_seconds: float = 1.0
    """The pause after a renewal that failed for a passing reason."""


class LeaseKeeper:
    """Renews every lease it was given at about half its life, until it ends, is lost or has been kept long enough."""

    def __init__(
        self,
        queue: RenewingQueue,
        policy: LeasePolicy,
        hooks: Hooks,
        pulse: Pulse,
        *,
        jitter: Callable[[float, float], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._policy = policy
        self._hooks = hooks
        self._pulse = pulse
        self._jitter = jitter
        self._monotonic = monotonic
        self._due: list[tuple[float, int, Lease]] = []
        self._sequence = 0
        self._tidy_at = _TIDY_AT_LEAST
        self._changed = threading.Condition()
        self._closed = False

    def keep(self, lease: Lease) -> None:
        """Keep this lease from now on."""
        with self._changed:
            self._schedule(lease, self._half_life(lease.expires_at))
            if self._due[0][2] is lease:
                self._changed.notify()  # otherwise the keeper wakes up early enough without

    def close(self) -> None:
        """Stop keeping; only when nothing is in hand any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def run(self) -> None:
        """Renew what is due, for ever."""
        while not self._closed:
            lease = self._next_due()
            if lease is not None:
                self._pulse.beat("renewing a lease")
                self.renew(lease)

    def renew(self, lease: Lease) -> None:
        """Renew one lease whose time has come, and plan its next renewal.

        A lease that somebody is using right now is being settled; it is looked at again shortly, in case that fails.
        """
        now = self._monotonic()
        if lease.state is not LeaseState.HELD:
            return
        if now >= lease.expires_at:
            self._lost(lease, "expired")
        elif now - lease.taken_at + self._policy.lease_seconds > self._policy.max_total_seconds:
            self._hooks.renewal(Renewal(lease.message_id, "capped"))
            self._again(lease, lease.expires_at)  # not renewed any more; comes back once, to be counted as lost
        elif lease.try_exclusively():
            try:
                self._renew_exclusively(lease)
            finally:
                lease.release()
        else:
            self._again(lease, min(now + self._policy.retry_seconds, lease.expires_at))

    def _renew_exclusively(self, lease: Lease) -> None:
        if lease.state is not LeaseState.HELD:
            return  # settled between the look and the lock
        sent_at = self._monotonic()
        try:
            handle = self._queue.hide(lease.receipt_handle, self._policy.lease_seconds)
        except MessageGone:
            self._lost(lease, "lost")
        except ServiceError as error:
            # Unanswered or refused for now: the old lease still runs, so there is time for another try.
            self._hooks.renewal(Renewal(lease.message_id, error.code))
            self._again(lease, min(sent_at + self._policy.retry_seconds, lease.expires_at))
        else:
            lease.renewed(handle, sent_at + self._policy.lease_seconds)
            self._hooks.renewal(Renewal(lease.message_id, "renewed"))
            self._again(lease, self._half_life(lease.expires_at))

    def _lost(self, lease: Lease, result: str) -> None:
        lease.lose()
        self._hooks.renewal(Renewal(lease.message_id, result))

    def _half_life(self, expires_at: float) -> float:
        now = self._monotonic()
        return now + (expires_at - now) * self._jitter(0.4, 0.5)

    def _again(self, lease: Lease, at: float) -> None:
        with self._changed:
            self._schedule(lease, at)

    def _schedule(self, lease: Lease, at: float) -> None:
        self._sequence += 1
        heapq.heappush(self._due, (at, self._sequence, lease))
        if len(self._due) > self._tidy_at:
            # Under load most leases end long before their time comes: forget those, or they are half a minute's worth.
            self._due = [entry for entry in self._due if entry[2].state is LeaseState.HELD]
            heapq.heapify(self._due)
            self._tidy_at = max(_TIDY_AT_LEAST, 2 * len(self._due))

    def _next_due(self) -> Lease | None:
        """The lease whose time has come, or None after a wait in which something may have changed."""
        with self._changed:
            while self._due and self._due[0][2].state is not LeaseState.HELD:
                heapq.heappop(self._due)
            now = self._monotonic()
            if self._due and self._due[0][0] <= now:
                return heapq.heappop(self._due)[2]
            idle_seconds = (
                min(self._due[0][0] - now, self._pulse.idle_seconds) if self._due else self._pulse.idle_seconds
            )
            self._pulse.rest()
            if not self._closed:
                self._changed.wait(idle_seconds)
            return None
