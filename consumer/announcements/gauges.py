"""What became of announcements, as metrics that are read at the scrape; bounded by the closed sets of both labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from consumer.announcements.outbox import PublishResult
from consumer.announcements.records import Kind
from consumer.telemetry.gauges import LiveMetric, only
from consumer.telemetry.metrics import Metrics


class Counted(Protocol):
    """What the outbox says about itself."""

    def results(self) -> Mapping[tuple[Kind, PublishResult], int]: ...
    def waiting(self) -> int: ...
    def waiting_seconds(self) -> float: ...


def expose_announcements(metrics: Metrics, outbox: Counted) -> None:
    """Export what became of announcements, and how many wait."""
    text = "Announcements by kind and by what became of them: published, failed or dropped."
    metrics.expose(
        LiveMetric(
            "announcements",
            "counter",
            text,
            ("kind", "result"),
            lambda: {(kind.value, result.value): float(n) for (kind, result), n in outbox.results().items()},
        )
    )
    text = "Announcements that wait to be published."
    metrics.expose(LiveMetric("announcements_waiting", "gauge", text, (), lambda: only(outbox.waiting())))
    name, text = "announcements_waiting_seconds", "How long the first of the announcements that wait has waited."
    metrics.expose(LiveMetric(name, "gauge", text, (), lambda: only(outbox.waiting_seconds())))
