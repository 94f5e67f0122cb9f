"""What operators are shown of one process beside its counters: what is exposed, what is not known, and what is missing.

Listens to the flow and to looks at the queues; a message never depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from consumer.app.build import build_agreement
from consumer.config import Config
from consumer.core.observers import ApiCall, LeaseRenewal, Report, Retry, SettleError
from consumer.engine.in_flight import Books
from consumer.engine.poll_board import PollBoard
from consumer.engine.queue_depth import DepthSample
from consumer.engine.undeleted_limit import LONGEST_STRETCHED_SECONDS
from consumer.guards.rule import Mode, Rule
from consumer.telemetry.catch_up import CatchUps
from consumer.telemetry.exposure import BROUGHT_BACK_SECONDS, OpenExposures
from consumer.telemetry.exposure_gauges import expose_exposures, expose_flow
from consumer.telemetry.given_up import given_up
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.permissions import MissingActions
from consumer.telemetry.settling import SettlementWatch
from consumer.telemetry.status import Endings
from consumer.telemetry.unknown import Unknowns


def brought_back_seconds(config: Config) -> float:
    """Within which time catch-up brings back what a rule has observed and its message was deleted.

    What a run has sent, the next ones leave for a while, as far as they remember it; then it takes one more run.
    """
    expected = config.catch_up.expected_within_seconds
    return float(expected + config.catch_up.resend_after_seconds) if expected else BROUGHT_BACK_SECONDS


class StatusBoard:
    """One for the process; a `consumer.core.observers.Listener`. `Metrics` reports each delivery to its exposures."""

    def __init__(self, config: Config, rules: Sequence[Rule], board: PollBoard, books: Callable[[], Books]) -> None:
        self._rules = rules
        self._board = board
        self.missing = MissingActions()
        self.endings = Endings()
        self.settlements = SettlementWatch()
        expected = config.catch_up.expected_within_seconds
        self.exposures = OpenExposures(
            agreement=build_agreement(config),
            brought_back_seconds=brought_back_seconds(config),
            keeping_up_since=lambda: board.keeping_up_since,
        )
        self._catch_ups = CatchUps([rule.name for rule in rules], expected)
        self.unknowns = Unknowns(
            self.exposures,
            board,
            books,
            longest_hide_seconds=longest_hide_seconds(config, rules),
            dead_letters=bool(config.queue.dead_letter_queue),
        )

    def expose(self, metrics: Metrics, undeleted: Callable[[], int]) -> None:
        """Export all of it."""
        names = [rule.name for rule in self._rules]
        expose_exposures(metrics, names, self.exposures, self.missing, self.unknowns)
        expose_flow(metrics, self._board, undeleted)
        self._catch_ups.expose(metrics)

    def looked(self, look: DepthSample) -> None:
        """A queue was looked at, which shows what is open beyond what this process has received."""
        self.unknowns.look(look)
        if look.letters is not None:
            self.exposures.letters(
                tuple(found for peeked in look.letters if (found := given_up(peeked, self._rules))),
                complete=look.complete,
                looked_at_ms=round(look.started_at * 1_000),
                retention_seconds=look.retention_seconds,
            )

    def api_call(self, call: ApiCall) -> None:
        """A request was answered or refused."""
        self.missing.api_call(call)

    def settle_error(self, error: SettleError) -> None:
        """A settlement failed."""
        self.settlements.settle_error(error)

    def report(self, report: Report) -> None:
        """A delivery was settled."""
        self.settlements.report(report)
        self.endings.report(report)
        self.unknowns.report(report)
        self._catch_ups.report(report)

    def retry(self, retry: Retry) -> None:
        """Says nothing here."""

    def renewal(self, renewal: LeaseRenewal) -> None:
        """Says nothing here."""


def longest_hide_seconds(config: Config, rules: Sequence[Rule]) -> float:
    """For how long a process like this one hides a message whose resource a rule would repair."""
    retry = config.retry
    holds = [rule.hold_seconds for rule in rules if rule.mode is Mode.ENFORCE]
    kept = () if config.queue.dead_letter_queue else (retry.keep_seconds,)
    longest: float = max([LONGEST_STRETCHED_SECONDS, retry.backoff_cap_seconds, *holds, *kept])
    return longest + config.engine.lease_seconds
