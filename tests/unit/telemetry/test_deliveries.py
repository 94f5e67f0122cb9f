"""The lines about deliveries and requests, as they are written in the end."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from consumer.core.observers import ApiCall, LeaseRenewal, Report, Retry, SettleError
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.parked import Carried, History
from consumer.reevaluation.agreement import Concluded, Conclusion, Fix
from consumer.telemetry import log
from tests.unit.telemetry.records import SETTLED_AT_MS, event, message, report


class Log:
    """A listener at debug, and the lines it has written."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        log.configure("json", "debug", self._stream)
        self.listener = log.LogListener()

    def lines(self) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self._stream.getvalue().splitlines()]
        for line in found:
            del line["timestamp"], line["logger"]
        return found

    def of(self, settled: Report) -> dict[str, Any]:
        self.listener.report(settled)
        return self.lines()[-1]


@pytest.fixture
def written() -> Log:
    return Log()


def test_a_fix_is_one_line_with_everything(written: Log) -> None:
    """Who, what, from where to where, how long: in one line, under stable names."""
    assert written.of(report(Outcome.FIXED)) == {
        "event": "delivery.settled",
        "level": "info",
        "message_id": "5F290C926D472878-2-14D9529A8FA-200000001",
        "outcome": "fixed",
        "disposition": "deleted",
        "attempts": 0,
        "dequeue_count": 1,
        "rule": "no-public-read",
        "remediation": "oss.bucket-acl",
        "mode": "enforce",
        "resource_type": "ACS::OSS::Bucket",
        "resource": "holiday-photos",
        "region": "cn-hangzhou",
        "account": "1234567890123456",
        "config_rule_id": "cr-0123456789abcdef",
        "event_request_id": "2F5C7A90-0000-4000-8000-000000000001",
        "before": "public-read",
        "after": "private",
        "exposure_seconds": 10.0,
        "request_ids": ["5FB604FB57C72EE21AA4A341", "8CE1254E65939FAD17CEAF63"],
        "stage_seconds": {
            "notify": 1.0,
            "enqueue": 2.0,
            "wait": 0.5,
            "decode": 0.001,
            "inspect": 0.1,
            "apply": 0.2,
            "verify": 0.1,
            "settle": 2.0,
        },
    }


def test_a_failure_says_why_and_for_how_long_it_is_hidden(written: Log) -> None:
    """Reason, sentence and class of the error, the number of attempts, and no exposure."""
    ending = Ending(Outcome.FAILED, "timeout", "oss PutBucketAcl: timeout", error_class="Unanswered")
    line = written.of(report(Outcome.FAILED, ending=ending, attempts=3, message=message(dequeue_count=5)))
    assert (line["reason"], line["detail"], line["error_class"]) == (
        "timeout",
        "oss PutBucketAcl: timeout",
        "Unanswered",
    )
    assert (line["attempts"], line["dequeue_count"], line["hidden_seconds"]) == (3, 5, 900.0)
    assert "exposure_seconds" not in line


def test_a_parked_delivery_says_as_what_and_where_it_comes_from(written: Log) -> None:
    """The id of its copy, the wait, and what is known of the copies before it."""
    history = History("origin", SETTLED_AT_MS - 9_000, SETTLED_AT_MS - 8_000, 4, 2, "failed:timeout")
    parked: dict[str, Any] = {
        "disposition": Disposition.PARKED,
        "hidden_seconds": 0,
        "parked_seconds": 240,
        "parked_as": "copy",
    }
    line = written.of(report(Outcome.FAILED, message=replace(message(), carried=Carried(history)), **parked))
    assert (line["disposition"], line["parked_as"], line["parked_seconds"]) == ("parked", "copy", 240)
    assert (line["origin_id"], line["receipts"]) == ("origin", 5)
    assert (line["first_enqueued_ms"], line["first_received_ms"]) == (SETTLED_AT_MS - 9_000, SETTLED_AT_MS - 8_000)
    assert "hidden_seconds" not in line


def test_what_does_not_apply_is_left_out(written: Log) -> None:
    """An undecodable message has no rule, no resource and no exposure."""
    line = written.of(report(Outcome.INVALID, event=None, rule="", remediation="", mode=""))
    assert not line.keys() & {"rule", "remediation", "mode", "resource", "region", "account", "exposure_seconds"}


def test_a_lost_lease_shows_the_ending_it_hides(written: Log) -> None:
    """The fix is in the line although the outcome is lease_lost."""
    lost = report(Outcome.LEASE_LOST, ending=Ending(Outcome.FIXED), disposition=Disposition.LEASE_LOST)
    line = written.of(lost)
    assert (line["outcome"], line["ending"], line["exposure_seconds"]) == ("lease_lost", "fixed", 10.0)


def test_a_released_delivery_has_no_outcome(written: Log) -> None:
    """It was released untouched, which is no news."""
    line = written.of(report(None, disposition=Disposition.RELEASED, event=None, rule=""))
    assert (line["disposition"], line["level"]) == ("released", "info")
    assert "outcome" not in line


@pytest.mark.parametrize(
    ("level", "outcomes"),
    [
        ("info", {Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.GONE, Outcome.EXEMPT, Outcome.SUPERSEDED}),
        ("info", {Outcome.NOT_OURS, Outcome.WOULD_FIX}),
        ("warning", {Outcome.HELD, Outcome.FAILED, Outcome.LEASE_LOST}),
        ("error", {Outcome.REJECTED, Outcome.INVALID, Outcome.EXHAUSTED}),
    ],
)
def test_the_level_follows_the_outcome(written: Log, level: str, outcomes: set[Outcome]) -> None:
    """A repair is information, a delay a warning, a dead end an error."""
    assert {written.of(report(outcome))["level"] for outcome in outcomes} == {level}


def test_every_outcome_has_a_line(written: Log) -> None:
    """An outcome without a level would cost its line."""
    assert [written.of(report(outcome))["outcome"] for outcome in Outcome] == [outcome.value for outcome in Outcome]


def test_requests_are_lines_at_debug(written: Log) -> None:
    """Each with its code, its time and the request id that support asks for."""
    written.listener.api_call(ApiCall("oss", "GetBucketInfo", "ok", 0.25, "5F29"))
    written.listener.api_call(ApiCall("oss", "PutBucketAcl", "AccessDenied", 0.5, "5F30"))
    written.listener.retry(Retry("oss", "PutBucketAcl", "timeout", 0.125))
    answered, failed, retried = written.lines()
    assert answered == {
        "event": "api.answered",
        "level": "debug",
        "service": "oss",
        "operation": "GetBucketInfo",
        "code": "ok",
        "seconds": 0.25,
        "request_id": "5F29",
    }
    assert (failed["event"], failed["level"], failed["code"]) == ("api.failed", "debug", "AccessDenied")
    assert (retried["event"], retried["level"], retried["reason"]) == ("api.retried", "debug", "timeout")


def test_failing_polls_are_reported_once_until_they_work_again(written: Log) -> None:
    """An outage is two lines and not one for every poll; an empty receive is a success."""
    for code in ("ok", "timeout", "timeout", "reset", "empty", "ok"):
        written.listener.api_call(ApiCall("mns", "BatchReceiveMessage", code, 1.0, ""))
    told = [(line["event"], line["level"]) for line in written.lines() if line["level"] != "debug"]
    assert told == [("poll.failed", "warning"), ("poll.recovered", "info")]


@pytest.mark.parametrize(
    ("result", "event", "level"),
    [
        ("renewed", "lease.renewed", "debug"),
        ("lost", "lease.lost", "warning"),
        ("expired", "lease.lost", "warning"),
        ("capped", "lease.capped", "warning"),
        ("timeout", "lease.renewal_failed", "warning"),
    ],
)
def test_leases_are_reported(written: Log, result: str, event: str, level: str) -> None:
    """Only what is not going well is for everybody."""
    written.listener.renewal(LeaseRenewal("message", result))
    [line] = written.lines()
    assert (line["event"], line["level"], line["message_id"]) == (event, level, "message")


def test_failed_settlements_are_reported(written: Log) -> None:
    """With what was tried and how it failed."""
    written.listener.settle_error(SettleError("message", "delete", "InternalError"))
    assert written.lines() == [
        {
            "event": "settle.failed",
            "level": "warning",
            "message_id": "message",
            "action": "delete",
            "code": "InternalError",
        }
    ]


@pytest.mark.parametrize(
    ("conclusion", "level"),
    [(Conclusion.AGREED, "info"), (Conclusion.DISAGREED, "warning"), (Conclusion.NOT_KNOWN, "warning")],
)
def test_the_end_of_a_wait_for_agreement_is_one_line(written: Log, conclusion: Conclusion, level: str) -> None:
    """Which rule, which resource, and how long the evaluator was waited for."""
    written.listener.concluded(Concluded(Fix.of(report(Outcome.FIXED), event()), conclusion, 60.0))
    assert written.lines() == [
        {
            "event": f"reevaluation.{conclusion}",
            "level": level,
            "rule": "no-public-read",
            "resource": "holiday-photos",
            "region": "cn-hangzhou",
            "account": "1234567890123456",
            "config_rule_id": "cr-0123456789abcdef",
            "waited_seconds": 60.0,
        }
    ]


def test_a_time_that_cannot_be_believed_is_logged_as_it_was_claimed(written: Log) -> None:
    """In the line of that delivery, whose figures are corrected, and in no other."""
    forged = written.of(report(Outcome.HELD, event=event(evaluated_at_ms=1_262_304_000_001)))
    assert forged["claimed_evaluated_at_ms"] == 1_262_304_000_001
    assert "claimed_evaluated_at_ms" not in written.of(report(Outcome.HELD))


def on_terminal(settled: Report) -> str:
    """The line of a delivery in its readable form, without the time."""
    stream = io.StringIO()
    log.configure("console", "info", stream)
    log.LogListener().report(settled)
    return stream.getvalue().partition(" ")[2]


@pytest.mark.parametrize(
    ("outcome", "changes", "begins"),
    [
        (Outcome.FIXED, {}, "[info     ] fixed holiday-photos: public-read → private "),
        (
            Outcome.HELD,
            {"ending": Ending(Outcome.HELD, "over_limit", "full", "public-read", "private")},
            "[warning  ] held holiday-photos: public-read → private, over_limit ",
        ),
        (
            Outcome.ALREADY_COMPLIANT,
            {"ending": Ending(Outcome.ALREADY_COMPLIANT, before="private", after="private")},
            "[info     ] already_compliant holiday-photos: private ",
        ),
        (
            Outcome.INVALID,
            {"ending": Ending(Outcome.INVALID, "not_json", "no"), "event": None, "rule": ""},
            "[error    ] invalid, not_json ",
        ),
        (None, {"ending": None, "disposition": Disposition.RELEASED}, "[info     ] released holiday-photos "),
    ],
)
def test_on_a_terminal_a_delivery_begins_with_what_became_of_what(
    outcome: Outcome | None, changes: dict[str, Any], begins: str
) -> None:
    """Outcome, resource, before and after first; the event's name and every other field stay to be found."""
    line = on_terminal(report(outcome, **changes))
    assert line.startswith(begins)
    assert "[delivery.settled]" in line
    assert "message_id=5F290C926D472878-2-14D9529A8FA-200000001" in line


def test_a_long_state_is_cut_at_the_beginning_and_whole_behind() -> None:
    """A policy would push everything else off the screen."""
    policy = "{" + "x" * 300 + "}"
    line = on_terminal(report(Outcome.FIXED, ending=Ending(Outcome.FIXED, before=policy, after="private")))
    assert line.startswith(f"[info     ] fixed holiday-photos: {policy[:60]}… → private ")
    assert f"before='{policy}'" in line or f"before={policy}" in line


def test_a_hostile_name_stays_one_line_at_the_beginning_too() -> None:
    """What is read from outside is escaped there as anywhere, and a secret is dropped."""
    line = on_terminal(report(event=event(resource_id="a\n\x1b[31mb")))
    assert line.startswith("[info     ] fixed a\\n\\x1b[31mb: ")
    assert line.count("\n") == 1
    secret = on_terminal(report(ending=Ending(Outcome.FIXED, before="Signature=abc", after="private")))
    assert "Signature=abc" not in secret
    assert "[redacted] → private" in secret
