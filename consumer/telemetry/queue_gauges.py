"""What the queues say they hold, as a metric that is read at the scrape."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from consumer.core.queue_attributes import Figures
from consumer.telemetry.gauges import LiveMetric, Values
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
