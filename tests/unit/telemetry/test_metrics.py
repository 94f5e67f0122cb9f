"""What a scrape shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from itertools import count

import pytest
from prometheus_client import generate_latest

from consumer.core.observers import ApiCall, LeaseRenewal, Retry, SettleError
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.engine.in_flight import Books, InFlight
from consumer.engine.lease import Lease
from consumer.engine.poll_board import PollState
from consumer.telemetry.exposure import OpenExposures
from consumer.telemetry.gauges import LiveMetric
from consumer.telemetry.metrics import STAGES
from tests.patience import PATIENCE_SECONDS
from tests.unit.telemetry.records import EVALUATED_AT_MS, SETTLED_AT_MS, event, message, report
from tests.unit.telemetry.scrape import families, metrics, samples, tell_everything, value


def test_known_series_start_at_zero() -> None:
    """Before anything happens, every rule has every outcome at 0, so that the first increase is seen."""
    zeros = {(name, *sorted(labels)) for (name, labels), amount in samples(metrics()).items() if amount == 0}
    for name in ("no-public-read", "no-public-write", "other"):
        assert {("remediator_outcomes_total", ("outcome", o.value), ("rule", name)) for o in Outcome} <= zeros
    assert {("remediator_stage_duration_seconds_count", ("stage", stage)) for stage in STAGES} <= zeros
    assert {("remediator_messages_settled_total", ("disposition", d.value)) for d in Disposition} <= zeros
    results = ("renewed", "lost", "expired", "capped")
    assert {("remediator_lease_renewals_total", ("result", result)) for result in results} <= zeros
    assert ("remediator_exposure_seconds_count", ("rule", "no-public-read")) in zeros


def test_what_has_no_value_is_absent() -> None:
    """Without a poll or an open exposure there is no timestamp, rather than one of 1970."""
    names = {name for name, _ in samples(metrics())}
    assert "remediator_last_poll_success_timestamp_seconds" not in names
    assert "remediator_oldest_open_exposure_timestamp_seconds" not in names
    assert not any(name.endswith("_created") for name in names)


def test_settings_are_shown() -> None:
    """Build, slots, modes and the moment of loading describe the process."""
    found = metrics(poll_state=lambda: PollState(1_790_000_001.5), wall=lambda: 1_790_000_000.25)
    labels = next(dict(labels) for name, labels in samples(found) if name == "remediator_build_info")
    assert (labels["version"], labels["revision"]) == ("1.2.3", "abc123")
    assert value(found, "worker_slots") == 8
    assert value(found, "rule_mode", rule="no-public-read") == 1
    assert value(found, "rule_mode", rule="no-public-write") == 0
    assert value(found, "config_last_load_success_timestamp_seconds") == 1_790_000_000.25
    assert value(found, "last_poll_success_timestamp_seconds") == 1_790_000_001.5


def test_outcomes_are_counted_by_rule() -> None:
    """A rule that is not configured, and none at all, count as other; a released delivery counts nowhere."""
    found = metrics()
    found.report(report(Outcome.GONE))
    found.report(report(Outcome.NOT_OURS, rule=""))
    found.report(report(Outcome.FAILED, rule="from-another-configuration"))
    found.report(report(None, disposition=Disposition.RELEASED))
    assert value(found, "outcomes_total", rule="no-public-read", outcome="gone") == 1
    assert value(found, "outcomes_total", rule="other", outcome="not_ours") == 1
    assert value(found, "outcomes_total", rule="other", outcome="failed") == 1
    counted = [amount for (name, _), amount in samples(found).items() if name == "remediator_outcomes_total"]
    assert sum(counted) == 3


def test_a_scrape_takes_one_look_at_the_books() -> None:
    """Received, settled and in flight come from the same moment, so they balance in every scrape."""
    looks = count(1)

    def books() -> Books:
        n = next(looks)
        settled = {**dict.fromkeys(Disposition, 0), Disposition.DELETED: n}
        return Books(received=10 * n, settled=settled, buffered=2 * n, working=3 * n, settling=4 * n)

    found = metrics(books=books)
    first = next(looks)
    assert _unbalanced(samples(found)) == 0
    assert next(looks) == first + 2


def test_the_books_balance_while_deliveries_move() -> None:
    """Scrapes taken while threads receive, work and settle never show a delivery twice or not at all."""
    hand = InFlight(8)
    found = metrics(books=hand.books)
    done = threading.Event()
    threads = [threading.Thread(target=_deliver, args=(hand, done)) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        unbalanced = [_unbalanced(samples(found)) for _ in range(40)]
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not any(unbalanced)
    assert (value(found, "messages_settled_total", disposition="deleted") or 0) > 0


def _deliver(hand: InFlight, done: threading.Event) -> None:
    one = message()
    delivery = Delivery(one, Lease(one.message_id, one.receipt_handle, 0.0, 30.0), 0.0)
    while True:
        if hand.reserve(1, 0.1):
            hand.receive([delivery], 1)
        if (found := hand.next(0.1)) is not None:
            hand.worked([found])
            hand.settle(Disposition.DELETED)
        if done.is_set():
            return


def _unbalanced(found: dict[tuple[str, frozenset[tuple[str, str]]], float]) -> float:
    def total(name: str) -> float:
        return sum(amount for (sample, _), amount in found.items() if sample == f"remediator_{name}")

    return total("messages_received_total") - total("messages_settled_total") - total("messages_in_flight")


def test_exposure_ends_with_the_verified_fix() -> None:
    """Twelve seconds passed until the settlement and two of them went into settling, so ten were exposed."""
    found = metrics()
    found.report(report(Outcome.FIXED))
    assert value(found, "exposure_seconds_sum", rule="no-public-read") == pytest.approx(10.0)
    assert value(found, "exposure_seconds_bucket", rule="no-public-read", le="5.0") == 0
    assert value(found, "exposure_seconds_bucket", rule="no-public-read", le="10.0") == 1
    assert value(found, "exposure_seconds_bucket", rule="no-public-read", le="86400.0") == 1


def test_a_fix_counts_when_the_lease_was_lost_after_it() -> None:
    """The resource is safe, whatever became of the message; the outcome still says lease_lost."""
    found = metrics()
    lost = report(Outcome.LEASE_LOST, ending=Ending(Outcome.FIXED), disposition=Disposition.LEASE_LOST)
    found.report(lost)
    assert value(found, "exposure_seconds_count", rule="no-public-read") == 1
    assert value(found, "outcomes_total", rule="no-public-read", outcome="lease_lost") == 1
    assert value(found, "outcomes_total", rule="no-public-read", outcome="fixed") == 0


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.FIXED])
def test_only_a_fix_is_an_exposure(outcome: Outcome) -> None:
    """Every other ending leaves the histogram alone."""
    found = metrics()
    found.report(report(outcome))
    assert value(found, "exposure_seconds_count", rule="no-public-read") == 0


def test_stages_are_observed() -> None:
    """The stages of the report, and those before the receive that only the event's and queue's times tell."""
    found = metrics()
    found.report(report(Outcome.FIXED))
    assert value(found, "stage_duration_seconds_sum", stage="notify") == pytest.approx(1.0)
    assert value(found, "stage_duration_seconds_sum", stage="enqueue") == pytest.approx(2.0)
    assert value(found, "stage_duration_seconds_sum", stage="apply") == pytest.approx(0.2)
    assert value(found, "stage_duration_seconds_sum", stage="settle") == pytest.approx(2.0)


def test_time_before_the_receive_counts_once_per_message() -> None:
    """A later delivery of the same message adds nothing to notify and enqueue."""
    found = metrics()
    found.report(report(Outcome.HELD, message=message(dequeue_count=2)))
    assert value(found, "stage_duration_seconds_count", stage="notify") == 0
    assert value(found, "stage_duration_seconds_count", stage="enqueue") == 0
    assert value(found, "stage_duration_seconds_count", stage="wait") == 1


def test_what_is_not_known_is_not_observed() -> None:
    """A rescued message lacks the queue's stamp, and a stage that the table does not list has no series."""
    found = metrics()
    found.report(report(Outcome.HELD, message=message(enqueued_at_ms=0), stage_seconds=(("daydream", 1.0),)))
    assert value(found, "stage_duration_seconds_count", stage="notify") == 1
    assert value(found, "stage_duration_seconds_count", stage="enqueue") == 0
    assert value(found, "stage_duration_seconds_count", stage="daydream") is None


def test_clocks_that_disagree_never_make_a_negative_duration() -> None:
    """An event from the future counts as 0 seconds everywhere."""
    found = metrics()
    late = EVALUATED_AT_MS + 3_600_000
    found.report(report(Outcome.FIXED, event=event(evaluated_at_ms=late, notified_at_ms=late - 5_000)))
    assert value(found, "stage_duration_seconds_sum", stage="notify") == 0
    assert value(found, "stage_duration_seconds_sum", stage="enqueue") == 0
    assert value(found, "exposure_seconds_sum", rule="no-public-read") == 0


def test_requests_retries_renewals_and_settle_errors_are_counted() -> None:
    """Each record of the hooks is one more in its counter."""
    found = metrics()
    found.api_call(ApiCall("oss", "PutBucketAcl", "ok", 0.02, "5F29"))
    found.api_call(ApiCall("oss", "PutBucketAcl", "AccessDenied", 0.03, "5F30"))
    found.retry(Retry("oss", "PutBucketAcl", "timeout", 0.1))
    found.renewal(LeaseRenewal("message", "lost"))
    found.settle_error(SettleError("message", "hide", "InternalError"))
    assert value(found, "api_requests_total", service="oss", operation="PutBucketAcl", code="AccessDenied") == 1
    assert value(found, "api_request_duration_seconds_count", service="oss", operation="PutBucketAcl") == 2
    assert value(found, "retries_total", service="oss", operation="PutBucketAcl", reason="timeout") == 1
    assert value(found, "lease_renewals_total", result="lost") == 1
    assert value(found, "settle_errors_total", action="hide", code="InternalError") == 1


def test_a_lying_service_cannot_make_series_without_end() -> None:
    """However many error codes a service invents, a few are told apart, and known ones always."""
    found = metrics()
    for number in range(500):
        found.api_call(ApiCall("oss", "GetBucketInfo", f"Invented{number}", 0.1, ""))
    found.api_call(ApiCall("oss", "GetBucketInfo", 'x"}\n' * 50, 0.1, ""))
    found.api_call(ApiCall("oss", "GetBucketInfo", "NoSuchBucket", 0.1, ""))
    codes = {dict(labels)["code"] for name, labels in samples(found) if name == "remediator_api_requests_total"}
    assert len(codes) == 42
    assert {"other", "NoSuchBucket", "Invented0"} <= codes


def test_the_message_id_is_an_exemplar_and_never_a_label() -> None:
    """OpenMetrics links the bucket of an exposure to its message."""
    found = metrics()
    found.report(report(Outcome.FIXED))
    buckets = families(found)["remediator_exposure_seconds"].samples
    exemplars = [sample.exemplar for sample in buckets if sample.exemplar]
    assert [exemplar.labels for exemplar in exemplars] == [{"message_id": message().message_id}]
    assert message().message_id not in generate_latest(found.registry).decode()


@pytest.mark.parametrize("message_id", ["x" * 200, 'a"}\n# EOF', ""])
def test_an_odd_message_id_is_no_exemplar(message_id: str) -> None:
    """An id that does not fit into an exemplar costs the exemplar, not the observation."""
    found = metrics()
    found.report(report(Outcome.FIXED, message=message(message_id=message_id)))
    assert value(found, "exposure_seconds_count", rule="no-public-read") == 1
    assert not any(sample.exemplar for sample in families(found)["remediator_exposure_seconds"].samples)


def test_failures_of_listeners_are_shown() -> None:
    """What the hooks count is read at every scrape."""
    failures = count(3)
    found = metrics()
    found.watch_listeners(lambda: next(failures))
    assert value(found, "listener_failures_total") == 3
    assert value(found, "listener_failures_total") == 4


def test_a_reading_may_be_added() -> None:
    """A metric with a source of its own needs no more than its name, its labels and how to read it."""
    found = metrics()
    found.expose(LiveMetric("breaker_open", "gauge", "Whether it is.", ("rule",), lambda: {("no-public-read",): 1}))
    assert value(found, "breaker_open", rule="no-public-read") == 1


def test_promtool_finds_nothing_to_criticise() -> None:
    """Names, types, units and help texts follow Prometheus' own conventions."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert "CI" not in os.environ, "CI installs promtool and never skips"
        pytest.skip("promtool is not installed (Debian package: prometheus)")
    exposures = OpenExposures(wall=lambda: SETTLED_AT_MS / 1000)
    found = metrics(poll_state=lambda: PollState(1_790_000_000.0), exposures=exposures)
    tell_everything(found, exposures)
    text = generate_latest(found.registry)
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
