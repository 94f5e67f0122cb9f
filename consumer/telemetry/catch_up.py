"""What catch-up has shown: fixes without a notification, and the latest whole run that is known.

A run ends after the process that made it, so its figures reach a scrape through a worker: events say that catch-up
brought them, and a message says that a run has finished. Both may be forged by whoever may write to the queue. A forged
event can only add to what was missed, and so raise an alert; a forged end of a run can put off the alert on the absence
of runs, once, and is never believed to lie ahead.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from consumer.core.event import Event
from consumer.core.event_times import believed_ms, doubt
from consumer.core.observers import Report
from consumer.core.outcome import Outcome
from consumer.reevaluation.catch_up import FINISHED, Finished, read_finished
from consumer.telemetry.gauges import LiveMetric, Values, only
from consumer.telemetry.metrics import Metrics

_REMEMBERED = 20_000
"""Resources that a notification has come for, the latest; beyond, one may count as missed that was only long held."""

_Key = tuple[str, str, str]


class CatchUps:
    """What reports show of catch-up; observed by every thread that settles."""

    def __init__(self, rules: Sequence[str], expected_within_seconds: int, remembered: int = _REMEMBERED) -> None:
        """`expected_within_seconds` is 0 where catch-up does not run by itself."""
        self._rules = rules
        self._expected_within_seconds = expected_within_seconds
        self._remembered = remembered
        self._notified: OrderedDict[_Key, None] = OrderedDict()
        self._missed: Counter[str] = Counter()
        self._finished: Finished | None = None
        self._lock = threading.Lock()

    def report(self, report: Report) -> None:
        """A delivery was settled."""
        event, ending = report.event, report.ending
        with self._lock:
            if event is None:
                if ending and ending.outcome is Outcome.NOT_OURS and ending.detail == FINISHED:
                    self._ended(report)
            elif not event.caught_up:
                self._remember(event)
            elif ending and ending.outcome is Outcome.FIXED and _key(event) not in self._notified:
                self._missed[report.rule] += 1

    def expose(self, metrics: Metrics) -> None:
        """Export it."""
        text = "Fixes brought by catch-up, of which this replica has seen no notification."
        metrics.expose(LiveMetric("missed_upstream", "counter", text, ("rule",), self._counted))
        name, text = "catch_up_last_success_timestamp_seconds", "When a whole run of catch-up last ended, as it says."
        metrics.expose(LiveMetric(name, "gauge", text, (), lambda: only(self._ended_at())))
        text = "What the evaluator listed as non-compliant in that run."
        metrics.expose(LiveMetric("catch_up_listed_resources", "gauge", text, (), lambda: only(self._listed())))
        name, text = "catch_up_expected_within_seconds", "Within which time a whole run is expected after another."
        metrics.expose(LiveMetric(name, "gauge", text, (), lambda: only(float(self._expected_within_seconds) or None)))

    def _ended(self, report: Report) -> None:
        finished, now_ms = read_finished(report.message.body), report.settled_at_ms
        if finished is None or doubt(finished.at_ms, now_ms):
            return  # what says that it will end tomorrow would keep the alert silent until then
        if self._finished is None or finished.at_ms > self._finished.at_ms:
            self._finished = replace(finished, at_ms=believed_ms(finished.at_ms, now_ms))

    def _remember(self, event: Event) -> None:
        key = _key(event)
        self._notified[key] = None
        self._notified.move_to_end(key)
        if len(self._notified) > self._remembered:
            self._notified.popitem(last=False)

    def _counted(self) -> Values:
        with self._lock:
            return {(rule,): float(self._missed[rule]) for rule in self._rules}

    def _ended_at(self) -> float | None:
        return self._finished.at_ms / 1000 if self._finished else None

    def _listed(self) -> float | None:
        return float(self._finished.listed) if self._finished else None


def _key(event: Event) -> _Key:
    return event.config_rule_id, event.account_id, event.resource_id
