"""The ledger of settling: moves deliveries through the books, and reports their disposition to the observers.

Nothing is decided here, and nothing is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from consumer.core.observers import Hooks, SettleError, StepName
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.engine.in_flight import InFlight
from consumer.engine.settle_queue import Action


class Ledger:
    """The only place that moves deliveries from working to settling to settled; shared by workers and settlers."""

    def __init__(
        self,
        in_flight: InFlight,
        hooks: Hooks,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._in_flight = in_flight
        self._hooks = hooks
        self._monotonic = monotonic
        self._wall_ms = wall_ms

    def worked(self, delivery: Delivery) -> None:
        """The work on a delivery and its followers is over, and they are to be settled."""
        self._in_flight.worked((delivery, *delivery.followers))

    def decided(self, delivery: Delivery, ending: Ending) -> None:
        """How the delivery ends is certain; reported as a step before anything is done to the message."""
        if self._hooks.has_step_listeners:
            name = StepName.VERIFIED if ending.outcome is Outcome.FIXED else StepName.DECIDED
            self._hooks.step(delivery.step(name, before=ending.before, after=ending.after, ending=ending))

    def failed(self, delivery: Delivery, action: Action, code: str) -> None:
        """Report a settling request that failed, or that was not sent for the reason that the code names."""
        self._hooks.settle_error(SettleError(delivery.message_id, action.value, code))

    def settled(self, delivery: Delivery, disposition: Disposition) -> None:
        """The disposition is certain: end the lease, count it in the books, report it."""
        now = self._monotonic()
        delivery.lease.lose() if disposition is Disposition.LEASE_LOST else delivery.lease.end()
        delivery.timings.add("settle", now - delivery.resolved_at)
        self._in_flight.settle(disposition)
        self._hooks.report(delivery.report(disposition, self._wall_ms()))
