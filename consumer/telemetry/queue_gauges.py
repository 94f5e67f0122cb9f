"""What the queues say of themselves, as metrics that are read at the scrape."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from consumer.core.queue_attributes import Figures
from consumer.telemetry.gauges import LiveMetric, Values, only
from consumer.telemetry.metrics import Metrics


def expose_figures(
    metrics: Metrics, figures: Callable[[], Mapping[str, Figures]], *, dead_letter_queue: str = ""
) -> None:
    """Export the last figures of each queue; an unknown one has no series. Queues are bounded by the configuration."""

    def values() -> Values:
        return {
            (queue, "dead_letter" if queue == dead_letter_queue else "main", state): float(count)
            for queue, known in figures().items()
            for state, count in known.known().items()
        }

    text = "Messages in a queue by its own latest figures; absent where it gives none."
    metrics.expose(LiveMetric("queue_messages", "gauge", text, ("queue", "role", "state"), values))


def expose_retention(metrics: Metrics, retention_seconds: Callable[[], int | None]) -> None:
    """Export how long the main queue keeps a message; absent while that is unknown."""

    def values() -> Values:
        known = retention_seconds()
        return {} if known is None else only(known)

    text = "How long the queue keeps a message, by which every wait is bounded; absent while it is unknown."
    metrics.expose(LiveMetric("queue_retention_seconds", "gauge", text, (), values))
