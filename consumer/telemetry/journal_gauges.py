"""The journal's readings: how large it is, whether lines can be written, and how often some were lost."""

from __future__ import annotations

from typing import Protocol

from consumer.telemetry.gauges import LiveMetric, only
from consumer.telemetry.metrics import Metrics


class Journaling(Protocol):
    """What a journal's writer reports about itself."""

    @property
    def size_bytes(self) -> int: ...
    @property
    def trouble(self) -> str: ...
    @property
    def gaps(self) -> int: ...


def expose_journal(metrics: Metrics, journal: Journaling) -> None:
    """Export them."""
    metrics.expose(
        LiveMetric("journal_bytes", "gauge", "Size of the journal.", (), lambda: only(float(journal.size_bytes)))
    )
    text = "1 while the journal cannot be written."
    metrics.expose(LiveMetric("journal_unwritable", "gauge", text, (), lambda: only(float(bool(journal.trouble)))))
    text = "How often lines of the journal were lost: rows of lines that could not be written, and deleted journals."
    metrics.expose(LiveMetric("journal_gaps", "counter", text, (), lambda: only(float(journal.gaps))))
