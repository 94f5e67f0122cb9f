"""What is exposed, what was given up, what waits for a permission, and what is not known: read at the scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from consumer.engine.poll_board import PAUSE_REASONS, PollBoard
from consumer.telemetry.exposure import OpenExposures
from consumer.telemetry.gauges import LiveMetric, Values, only
from consumer.telemetry.label_values import OTHER, BoundedValues
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.permissions import MissingActions, on_resources
from consumer.telemetry.unknown import Unknowns


def expose_exposures(
    metrics: Metrics, rules: Collection[str], exposures: OpenExposures, missing: MissingActions, unknowns: Unknowns
) -> None:
    """Export them. Rules and accounts are bounded by the configuration, reasons by `BoundedValues`."""
    reasons = BoundedValues()

    def oldest() -> Values:
        return {(rule,): at for rule, at in exposures.oldest().items() if rule in rules}

    def given_up() -> Values:
        found: Counter[tuple[str, ...]] = Counter()
        for (rule, reason), count in exposures.given_up().items():
            found[rule if rule in rules else OTHER, reasons.of(reason)] += count
        return {labels: float(count) for labels, count in found.items()}

    def permissions() -> Values:
        waiting = exposures.missing_actions().items()
        return {
            **missing.current(),
            **{on_resources(action, account): float(count) for (action, account), count in waiting},
        }

    text = "Evaluation time of the oldest exposure that is still open, as far as this process knows."
    metrics.expose(LiveMetric("oldest_open_exposure_timestamp_seconds", "gauge", text, ("rule",), oldest))
    text = "Open exposures whose message was given up; until the resource is seen safe or a person settles the letter."
    metrics.expose(LiveMetric("given_up_resources", "gauge", text, ("rule", "reason"), given_up))
    text = "What waits for an action to be granted: resources, or 1 for requests that are about none."
    metrics.expose(LiveMetric("permission_missing", "gauge", text, ("action", "resource"), permissions))
    text = "1 while open exposures may be missing from what this process knows, by the reason."
    known = LiveMetric(
        "exposures_unknown",
        "gauge",
        text,
        ("reason",),
        lambda: {(reason.value,): float(holds) for reason, holds in unknowns.reasons().items()},
    )
    metrics.expose(known)


def expose_flow(metrics: Metrics, board: PollBoard, undeleted: Callable[[], int]) -> None:
    """Export why messages are not received, and how near that is."""
    text = "1 while polls pause by this process's own decision, by the reason."
    paused = LiveMetric(
        "polling_paused",
        "gauge",
        text,
        ("reason",),
        lambda: {(reason,): float(board.paused_for == reason) for reason in PAUSE_REASONS},
    )
    metrics.expose(paused)
    text = "Deliveries that ended without a deletion within the service's window; polls pause at engine.max_undeleted."
    metrics.expose(LiveMetric("undeleted_in_window", "gauge", text, (), lambda: only(undeleted())))
