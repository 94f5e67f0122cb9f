"""The metrics of one process, in a private registry; names, labels and units are listed in docs/metrics.md.

Metrics listens and counts; it never decides anything and never contacts a service. No id is ever a label: message ids
are exemplars, and error codes are bounded.
"""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, disable_created_metrics

from consumer.core.event import Event
from consumer.core.event_times import ImplausibleTime, doubt
from consumer.core.observers import ApiCall, LeaseRenewal, Report, Retry, SettleError
from consumer.core.outcome import Outcome
from consumer.engine.in_flight import Books
from consumer.engine.poll_board import PollState
from consumer.guards.chain import HOLDS
from consumer.guards.rule import Mode, Rule
from consumer.reevaluation.agreement import Concluded, Conclusion
from consumer.telemetry.exposure import OpenExposures, exposure_seconds, upstream_seconds
from consumer.telemetry.gauges import PREFIX, BooksCollector, LiveMetric, Readings, Values, only
from consumer.telemetry.label_values import OTHER, BoundedValues

STAGES = ("notify", "enqueue", "wait", "decode", "inspect", "apply", "verify", "settle")

_MINUTE, _HOUR = 60, 3_600

EXPOSURE_BUCKETS = (
    *(1, 2, 5, 10, 20, 30),
    *(_MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 2 * _HOUR, 6 * _HOUR, 12 * _HOUR, 24 * _HOUR),
)
"""From a fix within the delivery's own second to one that took a day."""

_STAGE_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, _MINUTE, 5 * _MINUTE, 30 * _MINUTE)
_API_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45)

_EXEMPLAR = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
"""Message ids that fit into an exemplar, which holds 128 characters at most."""


@dataclass(frozen=True, slots=True)
class RunningBuild:
    """What is running, as `remediator_build_info` shows it."""

    version: str
    revision: str = ""
    """Of the source, if the image says so."""


class Metrics:
    """Counts what the hooks report; a `consumer.core.observers.Listener`."""

    registry: CollectorRegistry
    """What a scrape reads."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        slots: int,
        books: Callable[[], Books],
        poll_state: Callable[[], PollState],
        build: RunningBuild,
        exposures: OpenExposures | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left this one untyped
        self.registry = CollectorRegistry(auto_describe=False)
        self._wall = wall
        self._rules = frozenset(rule.name for rule in rules)
        self._codes = BoundedValues()
        self._open = exposures or OpenExposures(wall=wall)
        self._readings = Readings()
        info = Info(f"{PREFIX}build", "What is running.", registry=self.registry)
        info.info({"version": build.version, "revision": build.revision, "python": platform.python_version()})
        self.registry.register(BooksCollector(books))
        self.registry.register(self._readings)
        self._define_delivery_metrics()
        self._define_request_metrics()
        self._initialise()
        self.config_loaded()
        self._expose_settings(rules, slots)
        self._expose_progress(poll_state)

    def expose(self, reading: LiveMetric) -> None:
        """Export a metric whose values are read from their source at every scrape."""
        self._readings.add(reading)

    def watch_listeners(self, failures: Callable[[], int]) -> None:
        """Export how many calls to listeners have failed, as `Hooks.failures` counts them."""
        text = "Calls to a listener (metrics, log, journal) that failed; no message was affected."
        self.expose(LiveMetric("listener_failures", "counter", text, (), lambda: only(failures())))

    def watch_log(self, dropped: Callable[[], int]) -> None:
        """Export how many lines of the log nobody took in time."""
        text = "Lines of the log that were dropped because its reader had stopped reading."
        self.expose(LiveMetric("log_lines_dropped", "counter", text, (), lambda: only(dropped())))

    def config_loaded(self) -> None:
        """A configuration was loaded and is in use from now on."""
        self._config_loaded_at = self._wall()

    def concluded(self, concluded: Concluded) -> None:
        """Close the exposure of a fix with which the evaluator agrees; without that it stays open for its time."""
        if concluded.conclusion is Conclusion.AGREED:
            self._open.agreed(concluded.fix)

    def api_call(self, call: ApiCall) -> None:
        """Count one request to a service."""
        self._api_requests(call.service, call.operation, self._codes.of(call.code)).inc()
        self._api_seconds(call.service, call.operation).observe(call.seconds)

    def retry(self, retry: Retry) -> None:
        """Count one more try of a request."""
        self._retries(retry.service, retry.operation, self._codes.of(retry.reason)).inc()

    def renewal(self, renewal: LeaseRenewal) -> None:
        """Count one attempt to keep a lease."""
        self._renewals(self._codes.of(renewal.result)).inc()

    def settle_error(self, error: SettleError) -> None:
        """Count a settlement that failed."""
        self._settle_errors(error.action, self._codes.of(error.code)).inc()

    def report(self, report: Report) -> None:
        """Count one settled delivery: its outcome, its stages, its exposure."""
        rule = report.rule if report.rule in self._rules else OTHER
        if report.outcome is not None:
            self._outcomes(rule, report.outcome.value).inc()
        if report.outcome is Outcome.HELD and report.ending is not None:
            self._held(rule, self._codes.of(report.ending.reason)).inc()
        for stage, seconds in (*upstream_seconds(report), *report.stage_seconds):
            if stage in STAGES:
                self._stages(stage).observe(seconds)
        if report.event is not None and (bound := _doubted(report.event, report)):
            self._corrected(bound.value).inc()
        exposed = exposure_seconds(report)
        if exposed is not None:
            self._exposure(rule).observe(exposed, _exemplar(report.message.message_id))
        self._open.observe(report)

    def _define_delivery_metrics(self) -> None:
        self._outcomes = _series(
            Counter(
                f"{PREFIX}outcomes",
                "Settled deliveries by outcome; a released delivery has none.",
                ("rule", "outcome"),
                registry=self.registry,
            )
        )
        self._held = _series(
            Counter(
                f"{PREFIX}held",
                "Deliveries that were held, by what held them back.",
                ("rule", "reason"),
                registry=self.registry,
            )
        )
        self._corrected = _series(
            Counter(
                f"{PREFIX}event_times_corrected",
                "Settled deliveries whose event claims a time that cannot be believed; what is exported is corrected.",
                ("bound",),
                registry=self.registry,
            )
        )
        self._exposure = _series(
            Histogram(
                f"{PREFIX}exposure_seconds",
                "From the evaluation that found a resource non-compliant to its verified fix.",
                ("rule",),
                buckets=EXPOSURE_BUCKETS,
                registry=self.registry,
            )
        )
        self._stages = _series(
            Histogram(
                f"{PREFIX}stage_duration_seconds",
                "How long each stage of a delivery took, from the evaluation to the settlement.",
                ("stage",),
                buckets=_STAGE_BUCKETS,
                registry=self.registry,
            )
        )
        self._settle_errors = _series(
            Counter(
                f"{PREFIX}settle_errors",
                "Settlements that failed and were tried again while the lease lasted.",
                ("action", "code"),
                registry=self.registry,
            )
        )

    def _define_request_metrics(self) -> None:
        self._api_requests = _series(
            Counter(
                f"{PREFIX}api_requests",
                "Requests by service and result: ok, empty (a receive that brought nothing) or the error code.",
                ("service", "operation", "code"),
                registry=self.registry,
            )
        )
        self._api_seconds = _series(
            Histogram(
                f"{PREFIX}api_request_duration_seconds",
                "How long requests to the services took; a receive includes its long poll.",
                ("service", "operation"),
                buckets=_API_BUCKETS,
                registry=self.registry,
            )
        )
        self._retries = _series(
            Counter(
                f"{PREFIX}retries",
                "Requests tried again inside the lease.",
                ("service", "operation", "reason"),
                registry=self.registry,
            )
        )
        self._renewals = _series(
            Counter(
                f"{PREFIX}lease_renewals",
                "Attempts to keep a lease by result: renewed, lost, expired, capped or the error code.",
                ("result",),
                registry=self.registry,
            )
        )

    def _initialise(self) -> None:
        """Start known series at 0, so that a first increase is seen as one."""
        for rule in (*sorted(self._rules), OTHER):
            for outcome in Outcome:
                self._outcomes(rule, outcome.value)
        for rule in sorted(self._rules):
            self._exposure(rule)
            for reason in HOLDS:
                self._held(rule, reason)
        for stage in STAGES:
            self._stages(stage)
        for result in ("renewed", "lost", "expired", "capped"):
            self._renewals(result)
        for bound in ImplausibleTime:
            self._corrected(bound.value)

    def _expose_settings(self, rules: Sequence[Rule], slots: int) -> None:
        modes: Values = {_one(rule.name): float(rule.mode is Mode.ENFORCE) for rule in rules}
        self.expose(LiveMetric("worker_slots", "gauge", "Deliveries that may be in flight.", (), lambda: only(slots)))
        text = "1 for a rule that enforces, 0 for one that observes."
        self.expose(LiveMetric("rule_mode", "gauge", text, ("rule",), lambda: modes))
        about: Values = {(rule.name, rule.remediation.name, rule.remediation.kind.resource_type): 1.0 for rule in rules}
        text = "Always 1: what a rule repairs and how, to be joined by the rule."
        self.expose(LiveMetric("rule_info", "gauge", text, ("rule", "remediation", "resource_type"), lambda: about))
        name, text = "config_last_load_success_timestamp_seconds", "When the configuration in use was loaded."
        self.expose(LiveMetric(name, "gauge", text, (), lambda: only(self._config_loaded_at)))

    def _expose_progress(self, poll_state: Callable[[], PollState]) -> None:
        name, text = "last_poll_success_timestamp_seconds", "When a poll was last answered."
        self.expose(LiveMetric(name, "gauge", text, (), lambda: only(poll_state().last_success_at)))


_M = TypeVar("_M", Counter, Histogram)


def _series(metric: _M) -> Callable[..., _M]:
    """One series of a metric by its label values, remembered: the library's own look-up costs more than counting."""
    return cache(metric.labels)


def _doubted(event: Event, report: Report) -> ImplausibleTime | None:
    """What is wrong with an event's time; what catch-up brings may have been so for months, and is cut all the same."""
    found = doubt(event.evaluated_at_ms, report.settled_at_ms, report.first_ms)
    return None if event.caught_up and found is ImplausibleTime.PAST else found


def _one(label_value: str) -> tuple[str, ...]:
    return (label_value,)


def _exemplar(message_id: str) -> dict[str, str] | None:
    return {"message_id": message_id} if _EXEMPLAR.fullmatch(message_id) else None
