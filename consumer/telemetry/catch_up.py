"""What catch-up has shown: fixes without a notification, and the latest whole run that is known.

A fix proves that nobody was notified before. Under a rule that observes, or holds, there is none: so each run says how
many violations of the last day are listed, and notifications are counted; what is listed beyond those was missed. That
needs no knowledge of single resources, which no replica has of what another one was notified of.

A run ends after the process that made it, so its figures reach a scrape through a worker: events say that catch-up
brought them, and a message says that a run has finished. Both may be forged by whoever may write to the queue. A forged
event can only add to what was missed, and so raise an alert; a forged end of a run can put off the alert on the absence
of runs, once, and is never believed to lie ahead. Rules that it names are counted only if they are configured here.
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

_SAME_MS = 900_000
"""A violation that began up to so long after a notified one is taken for the same: two records of one may differ."""

_EventKey = tuple[str, str, str]


class CatchUps:
    """What reports show of catch-up; observed by every thread that settles."""

    def __init__(self, rules: Sequence[str], expected_within_seconds: int, remembered: int = _REMEMBERED) -> None:
        """`expected_within_seconds` is 0 where catch-up does not run by itself."""
        self._rules = rules
        self._expected_within_seconds = expected_within_seconds
        self._remembered = remembered
        self._notified: OrderedDict[_EventKey, int] = OrderedDict()
        """When the latest violation began that a notification came for, in milliseconds since the epoch."""
        self._missed: Counter[str] = Counter()
        self._notifications: Counter[str] = Counter()
        self._latest: Finished | None = None
        self._whole: Finished | None = None
        self._lock = threading.Lock()

    def report(self, report: Report) -> None:
        """A delivery was settled."""
        event, ending = report.event, report.ending
        with self._lock:
            if event is None:
                if ending and ending.outcome is Outcome.NOT_OURS and ending.detail == FINISHED:
                    self._ended(report)
            elif not event.caught_up:
                self._notified_by(event, report)
            elif ending and ending.outcome is Outcome.FIXED and not self._was_notified(event):
                self._missed[report.rule] += 1

    def expose(self, metrics: Metrics) -> None:
        """Export it."""
        text = "Fixes brought by catch-up, of which this replica has seen no notification."
        metrics.expose(LiveMetric("missed_upstream", "counter", text, ("rule",), self._counted))
        text = "Notifications of the evaluator that a rule took, each counted once."
        metrics.expose(LiveMetric("notifications", "counter", text, ("rule",), self._counted_notifications))
        name, text = "catch_up_last_success_timestamp_seconds", "When a whole run of catch-up last ended, as it says."
        metrics.expose(LiveMetric(name, "gauge", text, (), lambda: only(_at(self._whole))))
        name, text = (
            "catch_up_last_run_timestamp_seconds",
            "When a run of catch-up last ended, whole or not, as it says.",
        )
        metrics.expose(LiveMetric(name, "gauge", text, (), lambda: only(_at(self._latest))))
        text = "1 for a rule for which the last run has found none of the evaluator's, 0 for the others."
        metrics.expose(LiveMetric("catch_up_unmatched", "gauge", text, ("rule",), self._unmatched))
        text = "Violations of the day before the last whole run that it found listed, by rule."
        metrics.expose(LiveMetric("catch_up_recent_violations", "gauge", text, ("rule",), self._recent))
        text = "What the evaluator listed as non-compliant in the last whole run."
        metrics.expose(LiveMetric("catch_up_listed_resources", "gauge", text, (), lambda: only(self._listed())))
        name, text = "catch_up_expected_within_seconds", "Within which time a whole run is expected after another."
        metrics.expose(LiveMetric(name, "gauge", text, (), lambda: only(float(self._expected_within_seconds) or None)))

    def _ended(self, report: Report) -> None:
        finished, now_ms = read_finished(report.message.body), report.settled_at_ms
        if finished is None or doubt(finished.at_ms, now_ms):
            return  # what says that it will end tomorrow would keep the alert silent until then
        believed = replace(finished, at_ms=believed_ms(finished.at_ms, now_ms))
        if self._latest is None or finished.at_ms > self._latest.at_ms:
            self._latest = believed
        if finished.complete and (self._whole is None or finished.at_ms > self._whole.at_ms):
            self._whole = believed

    def _notified_by(self, event: Event, report: Report) -> None:
        """Count each notification once: at its first receipt, or at the first here of one whose first had no report.

        A parked copy had one. That another replica had it, too, may be counted twice: better than a notification that
        nobody has counted, which would pass for one that never came.
        """
        if report.message.fresh or not (report.message.carried.history or _key(event) in self._notified):
            self._notifications[report.rule] += 1
        self._remember(event, report.settled_at_ms)

    def _remember(self, event: Event, now_ms: int) -> None:
        key = _key(event)
        self._notified[key] = max(min(event.evaluated_at_ms, now_ms), self._notified.get(key, 0))
        self._notified.move_to_end(key)
        if len(self._notified) > self._remembered:
            self._notified.popitem(last=False)

    def _was_notified(self, event: Event) -> bool:
        began_ms = self._notified.get(_key(event))
        return began_ms is not None and event.evaluated_at_ms <= began_ms + _SAME_MS

    def _counted(self) -> Values:
        with self._lock:
            return {(rule,): float(self._missed[rule]) for rule in self._rules}

    def _counted_notifications(self) -> Values:
        with self._lock:
            return {(rule,): float(self._notifications[rule]) for rule in self._rules}

    def _recent(self) -> Values:
        counts = dict(self._whole.recent) if self._whole else {}
        return {(rule,): float(counts.get(rule, 0)) for rule in self._rules} if self._whole else {}

    def _unmatched(self) -> Values:
        latest = self._latest
        return {(rule,): float(rule in latest.unmatched_rules) for rule in self._rules} if latest else {}

    def _listed(self) -> float | None:
        return float(self._whole.listed) if self._whole else None


def _at(run: Finished | None) -> float | None:
    return run.at_ms / 1000 if run else None


def _key(event: Event) -> _EventKey:
    return event.config_rule_id, event.account_id, event.resource_id
