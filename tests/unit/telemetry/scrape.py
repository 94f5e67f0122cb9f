"""Metrics under test, and what a scraper makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from prometheus_client import Metric, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from consumer.announcements.gauges import expose_announcements
from consumer.announcements.outbox import PublishResult
from consumer.announcements.records import Kind
from consumer.core.observers import ApiCall, LeaseRenewal, Retry, SettleError
from consumer.core.outcome import Ending, Outcome
from consumer.core.queue_attributes import Figures
from consumer.engine.in_flight import Books, InFlight
from consumer.engine.poll_board import PollBoard, PollState
from consumer.guards.chain import Guards
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.exemptions import Exemption
from consumer.guards.limits import Limit, LocalLimits
from consumer.guards.memory import GuardMemory
from consumer.guards.rule import Mode, Rule
from consumer.guards.shared.store import Store, StoreAddress
from consumer.guards.window import TimeWindow
from consumer.telemetry.catch_up import CatchUps
from consumer.telemetry.exposure import OpenExposures
from consumer.telemetry.exposure_gauges import expose_exposures, expose_flow
from consumer.telemetry.guard_gauges import expose_guards, expose_reevaluation, expose_store
from consumer.telemetry.journal_gauges import expose_journal
from consumer.telemetry.metrics import Metrics, RunningBuild
from consumer.telemetry.permissions import MissingActions
from consumer.telemetry.queue_gauges import expose_figures, expose_retention
from consumer.telemetry.unknown import Unknowns
from tests.unit.telemetry.records import SETTLED_AT_MS, event, finished_run, report, rule


def metrics(
    rules: Sequence[Rule] = (),
    *,
    books: Callable[[], Books] | None = None,
    poll_state: Callable[[], PollState] = PollState,
    exposures: OpenExposures | None = None,
    wall: Callable[[], float] = lambda: SETTLED_AT_MS / 1000,
) -> Metrics:
    """Metrics of a process with two rules, if not told otherwise."""
    return Metrics(
        rules or (rule(), rule("no-public-write", Mode.OBSERVE)),
        slots=8,
        books=books or InFlight(8).books,
        poll_state=poll_state,
        build=RunningBuild("1.2.3", "abc123"),
        exposures=exposures,
        wall=wall,
    )


def samples(found: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of one scrape in the text format, by name and labels."""
    text = generate_latest(found.registry).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Metrics, name: str, **labels: str) -> float | None:
    """One sample without its prefix in the name; None if the scrape does not have it."""
    return samples(found).get((f"remediator_{name}", frozenset(labels.items())))


def families(found: Metrics) -> dict[str, Metric]:
    """Every metric of one scrape in OpenMetrics, by the name it has there."""
    text = generate_openmetrics(found.registry).decode()
    return {family.name: family for family in parse_openmetrics(text)}


class Member:
    """A member account whose credentials were needed."""

    expires_at = SETTLED_AT_MS / 1000 + 3_600


class Asked:
    """A re-evaluation that was asked for."""

    def results(self) -> dict[str, int]:
        """What became of the fixes."""
        return {"asked": 1, "failed": 0, "dropped": 0}


def guards() -> Guards:
    """Guards with one of everything."""
    exemption = Exemption("static-sites", "web", "public by design", SETTLED_AT_MS / 1000, resources=("static-*",))
    limits = LocalLimits(Limit(1000, 3600), {"no-public-read": Limit(20, 60)})
    return Guards(GuardMemory(limits=limits, contest=LocalContest(ContestPolicy())), exemptions=(exemption,))


def expose_open(found: Metrics, exposures: OpenExposures, board: PollBoard | None = None) -> None:
    """Export what is exposed, of a process that has just started."""
    board = board or PollBoard()
    unknowns = Unknowns(exposures, board, InFlight(8).books, longest_hide_seconds=60.0, dead_letters=True)
    expose_exposures(found, [rule().name, "no-public-write"], exposures, MissingActions(), unknowns)
    expose_flow(found, board, lambda: 3)


class Announced:
    """Announcements, one of which could not be published."""

    def results(self) -> dict[tuple[Kind, PublishResult], int]:
        """What became of them."""
        return {(Kind.FIXED, PublishResult.FAILED): 1}

    def waiting(self) -> int:
        """None waits."""
        return 0

    def waiting_seconds(self) -> float:
        """None waits."""
        return 0.0


class Journal:
    """A journal that could not be written once."""

    size_bytes, trouble, gaps = 1_000, "", 1


def tell_everything(found: Metrics, exposures: OpenExposures) -> None:
    """Have every metric appear that has a source."""
    expose_open(found, exposures)
    found.watch_listeners(lambda: 0)
    found.watch_log(lambda: 0)
    windowed = replace(rule(), windows=(TimeWindow.parsed("Mon-Fri 09:00-17:00 Asia/Shanghai"),))
    expose_guards(found, (windowed,), guards(), {"9876543210987654": Member()})  # type: ignore[dict-item]
    expose_store(found, Store(StoreAddress("redis://127.0.0.1:1/0", "test", 0.1)))
    expose_reevaluation(found, Asked())  # type: ignore[arg-type]
    expose_announcements(found, Announced())
    expose_journal(found, Journal())
    expose_figures(found, lambda: {"config-events": Figures(3, 2, 0)})
    expose_retention(found, lambda: 345_600)
    runs = CatchUps(["no-public-read"], 3_600)
    runs.expose(found)
    runs.report(finished_run(SETTLED_AT_MS))
    found.api_call(ApiCall("mns", "BatchReceiveMessage", "ok", 0.2, "5F29"))
    found.retry(Retry("oss", "PutBucketAcl", "timeout", 0.1))
    found.renewal(LeaseRenewal("message", "renewed"))
    found.settle_error(SettleError("message", "delete", "timeout"))
    found.report(report(Outcome.FIXED))
    missing = Ending(Outcome.HELD, "permission_missing", missing_action="oss:PutBucketAcl")
    found.report(report(Outcome.HELD, ending=missing))
    rejected = Ending(Outcome.REJECTED, "not_owner")
    found.report(report(Outcome.REJECTED, ending=rejected, event=event(resource_id="another")))
