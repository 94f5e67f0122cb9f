"""Metrics that are read from their source at the moment of the scrape, instead of being kept here a second time.

A reading without a value has no series: absent beats zero. Sources are looks into memory (the pause switch also looks
for its file); they never contact a service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from consumer.core.outcome import Disposition
from consumer.engine.in_flight import Books

PREFIX = "remediator_"

Values = Mapping[tuple[str, ...], float]
"""Values by label values; the empty tuple is the key of a metric without labels."""


@dataclass(frozen=True, slots=True)
class LiveMetric:
    """One metric and where its values come from."""

    name: str
    """Without the prefix, and without `_total`."""
    kind: Literal["gauge", "counter"]
    help: str
    labels: tuple[str, ...]
    read: Callable[[], Values]


def only(value: float | None) -> Values:
    """The value of a metric without labels; None leaves the metric out."""
    return {} if value is None else {(): value}


class Readings(Collector):
    """Collects readings in the order in which they were added."""

    def __init__(self) -> None:
        self._readings: tuple[LiveMetric, ...] = ()

    def add(self, reading: LiveMetric) -> None:
        """Export one more reading from now on."""
        self._readings = (*self._readings, reading)

    def collect(self) -> Iterable[Metric]:
        """The present values."""
        for reading in self._readings:
            values = reading.read()
            if values:
                yield _family(reading.kind, reading.name, reading.help, reading.labels, values)


class BooksCollector(Collector):
    """Received, settled and in flight, all of one moment, so that they balance in every scrape."""

    def __init__(self, books: Callable[[], Books]) -> None:
        self._books = books

    def collect(self) -> Iterable[Metric]:
        """The books."""
        books = self._books()
        yield _family(
            "counter", "messages_received", "Messages received, every delivery once.", (), only(books.received)
        )
        yield _family(
            "counter",
            "messages_settled",
            "Deliveries settled, by what became of the message.",
            ("disposition",),
            {(disposition.value,): books.settled.get(disposition, 0) for disposition in Disposition},
        )
        yield _family(
            "gauge",
            "messages_in_flight",
            "Deliveries in flight: waiting for a worker, in work, or waiting to be settled.",
            ("state",),
            {("buffered",): books.buffered, ("working",): books.working, ("settling",): books.settling},
        )


def _family(
    kind: Literal["gauge", "counter"], name: str, documentation: str, labels: tuple[str, ...], values: Values
) -> Metric:
    make = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    family = make(PREFIX + name, documentation, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family
