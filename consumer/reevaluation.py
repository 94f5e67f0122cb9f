"""Asks Cloud Config to look again at what was fixed, so that it does not go on telling an old result.

It listens to settled deliveries, in a thread of its own and never faster than agreed: nothing waits for it, and what it
cannot ask is counted and forgotten, for rules that watch changes look again by themselves.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Protocol

from consumer.errors import ServiceError
from consumer.hooks import ApiCall, Renewal, Report, Retry, SettleError
from consumer.outcome import Outcome
from consumer.pulse import Pulse

MOST_WAITING = 1_000
RESULTS = ("asked", "failed", "dropped")
"""What can become of a fix: asked about, refused by the service, or never asked because too many waited."""


class Evaluator(Protocol):
    """What can be asked; `consumer.cloud_config` implements it."""

    def evaluate(self, resource_id: str) -> None:
        """Ask for an evaluation of one resource.

        Raises:
            ServiceError: the service did not take the request.
        """
        ...


class Reevaluation:
    """A `consumer.hooks.Listener` with a thread; the line is shared between both."""

    def __init__(
        self,
        evaluator: Evaluator,
        stopping: threading.Event,
        pulse: Pulse,
        *,
        account_id: str,
        max_per_minute: int,
        pause: Callable[[float], object] | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._evaluator = evaluator
        self._stopping = stopping
        self._pulse = pulse
        self._account_id = account_id
        self._interval_seconds = 60.0 / max_per_minute
        self._pause = pause or stopping.wait
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._changed = threading.Condition()
        self._results: Counter[str] = Counter()

    def run(self) -> None:
        """Ask about one resource after the other until the process stops; what still waits then is forgotten."""
        while not self._stopping.is_set():
            self._pulse.rest()
            if self.step(self._pulse.idle_seconds):
                self._pulse.beat("pausing", self._interval_seconds)
                self._pause(self._interval_seconds)

    def step(self, wait_seconds: float) -> bool:
        """Ask about the resource that has waited longest; false if none came in so long."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(wait_seconds)
            if not self._waiting:
                return False
            resource_id, _ = self._waiting.popitem(last=False)
        self._pulse.beat("asking for an evaluation")
        try:
            self._evaluator.evaluate(resource_id)
        except ServiceError:
            self._count("failed")
        else:
            self._count("asked")
        return True

    def results(self) -> dict[str, int]:
        """How many fixes came to what."""
        with self._changed:
            return {result: self._results[result] for result in RESULTS}

    def report(self, report: Report) -> None:
        """Put a fixed resource of our own account in line, once; a member's has its own Cloud Config."""
        if report.outcome is not Outcome.FIXED or report.event is None or report.event.account_id != self._account_id:
            return
        with self._changed:
            if report.event.resource_id in self._waiting:
                return
            if len(self._waiting) >= self._most_waiting:
                self._results["dropped"] += 1
                return
            self._waiting[report.event.resource_id] = None
            self._changed.notify()

    def api_call(self, call: ApiCall) -> None:
        """Not of interest here."""

    def retry(self, retry: Retry) -> None:
        """Not of interest here."""

    def renewal(self, renewal: Renewal) -> None:
        """Not of interest here."""

    def settle_error(self, error: SettleError) -> None:
        """Not of interest here."""

    def _count(self, result: str) -> None:
        with self._changed:
            self._results[result] += 1
