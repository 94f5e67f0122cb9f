"""What the queues hold, as a scraper sees it."""

from __future__ import annotations

from consumer.core.queue_attributes import Figures
from consumer.telemetry.queue_gauges import expose_figures
from tests.unit.telemetry.scrape import metrics, samples, value


def test_each_figure_is_a_series_of_its_queue_and_state() -> None:
    """A 0 that the queue told is shown as one."""
    found = metrics()
    expose_figures(
        found,
        lambda: {"config-events": Figures(3, 2, 0), "config-events-dead": Figures(active=1)},
        dead_letter_queue="config-events-dead",
    )

    assert value(found, "queue_messages", queue="config-events", role="main", state="active") == 3
    assert value(found, "queue_messages", queue="config-events", role="main", state="inactive") == 2
    assert value(found, "queue_messages", queue="config-events", role="main", state="delayed") == 0
    assert value(found, "queue_messages", queue="config-events-dead", role="dead_letter", state="active") == 1


def test_an_unknown_figure_has_no_series() -> None:
    """Absent beats zero: for one figure, for a queue, and for the metric as a whole."""
    found, told = metrics(), {"config-events": Figures(inactive=2), "config-events-dead": Figures()}
    expose_figures(found, lambda: told)
    assert {labels for name, labels in samples(found) if name == "remediator_queue_messages"} == {
        frozenset({("queue", "config-events"), ("role", "main"), ("state", "inactive")})
    }

    told.clear()
    assert "remediator_queue_messages" not in {name for name, _ in samples(found)}
