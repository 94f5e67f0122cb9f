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
            for queue, told in figures().items()
            for state, count in told.told().items()
        }

    text = "Messages a queue said it held when it was last asked; absent where it does not say."
    metrics.expose(LiveMetric("queue_messages", "gauge", text, ("queue", "role", "state"), values))
