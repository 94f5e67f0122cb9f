"""A lease: the time during which a delivery is ours.

Renewing swaps the receipt handle; whoever uses a handle holds the lease meanwhile, so the settler can never send one
that a renewal has just replaced. `consumer.engine.lease_keeper` renews.

Ends of leases are local monotonic times, counted from before the request that set them: they err on the early side.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto


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
        self.in_work = False
        """Whether a worker has begun on the delivery; such a lease is renewed before those that only wait."""
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

    @property
    def held_until(self) -> float:
        """The monotonic moment until which it is ours unless renewed; long ago once it is lost or over."""
        return self._expires_at if self._state is LeaseState.HELD else float("-inf")

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
