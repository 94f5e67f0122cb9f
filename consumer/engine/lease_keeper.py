"""Which lease is renewed when: every unsettled delivery's at about half its life, from the receive on.

Buffered deliveries are renewed too, so that slow work never lets the queue deliver the same message to another
consumer. The queue renews one message per request, so several threads renew side by side (`consumer.engine.renewer`),
and what is in work comes first. Where even that is too slow, no more is received than can be kept, and what nobody has
begun to work on is released.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from consumer.engine.in_flight import InFlight
from consumer.engine.lease import Lease, LeaseState
from consumer.engine.settlement import Settlements

_TIDY_AT_LEAST = 1024
_EARLIEST_SHARE, _LATEST_SHARE = 0.4, 0.5
"""Between these shares of its life a lease is renewed."""
_BEHIND_SHARE = 0.4
"""A renewal that begins when this share of the time between its moment and the lease's end is over comes too late."""
_RELIEF_SECONDS = 1.0
_ASSUMED_SECONDS = 0.1
"""How long a renewal takes, before any was made."""
_SLOWER_WEIGHT, _FASTER_WEIGHT = 0.5, 0.1
"""Of the latest renewal in the average of how long one takes: slow ones count for more than fast ones."""
_USABLE_SHARE = 0.5
"""Of the renewals that the threads could make in time, so that there is room for one that has to be repeated."""


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """How leases are kept."""

    lease_seconds: int = 60
    """How far each renewal reaches."""
    max_total_seconds: float = 900.0
    """No renewal later than this after the receive: what takes longer is given up to the queue."""
    retry_seconds: float = 1.0
    """The pause after a renewal that failed for a passing reason."""
    threads: int = 4
    """How many renew side by side."""


class LeaseKeeper:
    """Which lease is renewed when; shared by the pollers, which bring leases, and the threads that renew them."""

    def __init__(
        self,
        policy: LeasePolicy,
        in_flight: InFlight,
        settlements: Settlements,
        *,
        jitter: Callable[[float, float], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.policy = policy
        self._in_flight = in_flight
        self._settlements = settlements
        self._jitter = jitter
        self._monotonic = monotonic
        self._planned: list[tuple[float, int, Lease]] = []
        """A heap by the moment of the next renewal."""
        self._due: list[tuple[float, int, Lease]] = []
        """Those whose moment has come, in no order."""
        self._sequence = 0
        self._tidy_at = _TIDY_AT_LEAST
        self._changed = threading.Condition()
        self._renewal_seconds = _ASSUMED_SECONDS
        self._lease_seconds = float(policy.lease_seconds)
        """How long the latest lease lasts from its receive: the queue's own timeout, or ours if it is shorter."""
        self._behind = False
        self._relieved_at = 0.0
        self._closed = False
        self._limit_receiving()

    @property
    def closed(self) -> bool:
        """Whether nothing is kept any more."""
        return self._closed

    def keep(self, lease: Lease) -> None:
        """Keep this lease from now on."""
        seconds = min(lease.expires_at - lease.taken_at, self.policy.lease_seconds)
        if seconds != self._lease_seconds:
            self._lease_seconds = seconds
            self._limit_receiving()
        self.plan(lease, self.half_life(lease.expires_at))

    def plan(self, lease: Lease, at: float) -> None:
        """Look at this lease again at a monotonic moment."""
        with self._changed:
            self._sequence += 1
            heapq.heappush(self._planned, (at, self._sequence, lease))
            self._tidy()
            if self._planned[0][2] is lease:
                self._changed.notify()  # otherwise a waiting thread wakes up early enough anyway

    def half_life(self, expires_at: float) -> float:
        """When a lease that ends then is to be renewed."""
        now = self._monotonic()
        return now + (expires_at - now) * self._jitter(_EARLIEST_SHARE, _LATEST_SHARE)

    def take(self, wait_seconds: float) -> Lease | None:
        """The most urgent lease whose time has come: in work before waiting, then the one that ends first.

        None if none is due after `wait_seconds` or after a wait in which something may have changed.
        """
        with self._changed:
            if not self._collect_due() and not self._closed:
                left = self._planned[0][0] - self._monotonic() if self._planned else wait_seconds
                self._changed.wait(min(left, wait_seconds))
                self._collect_due()
            if not self._due:
                return None
            entry = min(self._due, key=lambda due: (not due[2].in_work, due[2].expires_at))
            self._due.remove(entry)
            self._behind = self._monotonic() - entry[0] > _BEHIND_SHARE * (entry[2].expires_at - entry[0])
            if self._due:
                self._changed.notify()
            return entry[2]

    def took(self, seconds: float) -> None:
        """Record how long a renewal took: no more is received than can be kept at that pace."""
        weight = _SLOWER_WEIGHT if seconds > self._renewal_seconds else _FASTER_WEIGHT
        self._renewal_seconds += (seconds - self._renewal_seconds) * weight
        self._limit_receiving()

    def _limit_receiving(self) -> None:
        in_time = self._lease_seconds * _EARLIEST_SHARE * self.policy.threads / max(self._renewal_seconds, 1e-6)
        self._in_flight.limit(int(in_time * _USABLE_SHARE))

    def relieve(self) -> None:
        """Release what nobody has begun to work on if renewals come too late; at most once a second."""
        now = self._monotonic()
        if not self._behind or now < self._relieved_at + _RELIEF_SECONDS:
            return
        self._relieved_at = now
        for delivery in self._in_flight.withdraw_untouched():
            delivery.resolved_at = now
            self._settlements.release(delivery)

    def close(self) -> None:
        """Stop keeping; only when nothing is in flight any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _collect_due(self) -> bool:
        now = self._monotonic()
        while self._planned and (self._planned[0][0] <= now or self._planned[0][2].state is not LeaseState.HELD):
            self._due.append(heapq.heappop(self._planned))
        self._due = [entry for entry in self._due if entry[2].state is LeaseState.HELD]
        return bool(self._due)

    def _tidy(self) -> None:
        """Forget settled leases: under load most end long before their moment, and thousands of them would pile up."""
        if len(self._planned) > self._tidy_at:
            self._planned = [entry for entry in self._planned if entry[2].state is LeaseState.HELD]
            heapq.heapify(self._planned)
            self._tidy_at = max(_TIDY_AT_LEAST, 2 * len(self._planned))
