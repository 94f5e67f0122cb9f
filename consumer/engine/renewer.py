"""Renews leases: the threads that keep messages hidden from others while they are in flight here."""

from __future__ import annotations

from typing import Protocol

from consumer.core.errors import MessageGone, ServiceError
from consumer.core.observers import LeaseRenewal
from consumer.engine.context import EngineContext
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.lease import Lease, LeaseState
from consumer.engine.loop import Loop


class RenewingQueue(Protocol):
    """The part of the queue gateway that renews."""

    def hide(self, receipt_handle: str, seconds: int) -> str: ...


class Renewer(Loop):
    """One thread that renews, over a connection of its own."""

    def __init__(self, shared: EngineContext, queue: RenewingQueue, heartbeat: Heartbeat) -> None:
        super().__init__(heartbeat)
        self._queue = queue
        self._keeper = shared.keeper
        self._policy = shared.keeper.policy
        self._hooks = shared.hooks
        self._monotonic = shared.monotonic

    @property
    def done(self) -> bool:
        """Nothing is kept any more."""
        return self._keeper.closed

    def step(self) -> bool:
        """Renew one lease, if one becomes due within the idle time; whether there was one."""
        lease = self._keeper.take(self._heartbeat.idle_seconds)
        if lease is None:
            return False
        self._heartbeat.beat("renewing a lease")
        self._keeper.relieve()
        self.renew(lease)
        return True

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
            self._hooks.renewal(LeaseRenewal(lease.message_id, "capped"))
            self._keeper.plan(lease, lease.expires_at)  # not renewed any more; comes back once, to be counted as lost
        elif lease.try_exclusively():
            try:
                self._renew_exclusively(lease)
            finally:
                lease.release()
        else:
            self._keeper.plan(lease, min(now + self._policy.retry_seconds, lease.expires_at))

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
            self._hooks.renewal(LeaseRenewal(lease.message_id, error.code))
            self._keeper.plan(lease, min(sent_at + self._policy.retry_seconds, lease.expires_at))
        else:
            lease.renewed(handle, sent_at + self._policy.lease_seconds)
            self._hooks.renewal(LeaseRenewal(lease.message_id, "renewed"))
            self._keeper.plan(lease, self._keeper.half_life(lease.expires_at))
        self._keeper.took(self._monotonic() - sent_at)

    def _lost(self, lease: Lease, result: str) -> None:
        lease.lose()
        self._hooks.renewal(LeaseRenewal(lease.message_id, result))
