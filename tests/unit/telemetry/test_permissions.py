"""Which actions are missing, and on what."""

from __future__ import annotations

import pytest

from consumer.core.observers import ApiCall
from consumer.core.outcome import Ending, Outcome
from consumer.telemetry.exposure import OpenExposures
from consumer.telemetry.permissions import MissingActions
from tests.unit.fakes import Clock
from tests.unit.telemetry.records import SETTLED_AT_MS, event, report
from tests.unit.telemetry.scrape import expose_open, metrics, value


def call(operation: str, code: str, service: str = "mns", queue: str = "events") -> ApiCall:
    """One request."""
    return ApiCall(service, operation, code, 0.1, "5F29", queue if service == "mns" else "")


@pytest.mark.parametrize(
    ("service", "operation", "missing"),
    [
        ("mns", "BatchDeleteMessage", ("mns:BatchDeleteMessage", "acs:mns:*:*:/queues/events/messages")),
        ("mns", "SendMessage", ("mns:SendMessage", "acs:mns:*:*:/queues/events/messages")),
        ("config", "StartConfigRuleEvaluation", ("config:StartConfigRuleEvaluation", "*")),
    ],
)
def test_a_refusal_is_missing_until_the_request_works(service: str, operation: str, missing: tuple[str, str]) -> None:
    """Other failures neither begin nor end it."""
    found = MissingActions()
    found.api_call(call(operation, "timeout", service))
    assert found.current() == {}
    found.api_call(call(operation, "AccessDenied", service))
    found.api_call(call(operation, "timeout", service))
    assert found.current() == {missing: 1.0}
    found.api_call(call(operation, "ok", service))
    assert found.current() == {}


def test_what_is_missing_on_one_queue_may_be_granted_on_another() -> None:
    """Parking and dead letters are sent by the same action, each to its own queue."""
    found = MissingActions()
    found.api_call(call("SendMessage", "AccessDenied"))
    found.api_call(call("SendMessage", "ok", queue="dead"))
    assert found.current() == {("mns:SendMessage", "acs:mns:*:*:/queues/events/messages"): 1.0}


@pytest.mark.parametrize("operation", ["GetQueueAttributes", "BatchPeekMessage"])
def test_what_the_worker_can_do_without_is_not_missing(operation: str) -> None:
    """It says unknown instead."""
    found = MissingActions()
    found.api_call(call(operation, "AccessDenied"))
    assert found.current() == {}


def test_a_refusal_that_nobody_met_again_is_forgotten() -> None:
    """The request may never be made again."""
    clock = Clock()
    found = MissingActions(monotonic=clock)
    found.api_call(call("SendMessage", "AccessDenied"))
    clock.advance(3_601)
    assert found.current() == {}


def test_what_is_missing_on_buckets_is_counted_by_action_and_account() -> None:
    """In RAM's own spelling, and never with a bucket's name."""
    exposures = OpenExposures(wall=lambda: SETTLED_AT_MS / 1000)
    found = metrics(exposures=exposures)
    expose_open(found, exposures)
    for name in ("a", "b"):
        held = Ending(Outcome.HELD, "permission_missing", missing_action="oss:PutBucketTags")
        found.report(report(Outcome.HELD, ending=held, event=event(resource_id=name)))
    resource = f"acs:oss:*:{event().account_id}:*"
    assert value(found, "permission_missing", action="oss:PutBucketTagging", resource=resource) == 2


def test_a_refused_publication_names_the_topic() -> None:
    """Its address is one, and no queue."""
    missing = MissingActions()
    missing.api_call(ApiCall("mns", "PublishMessage", "AccessDenied", 0.1, "5F29", "announcements"))

    assert list(missing.current()) == [("mns:PublishMessage", "acs:mns:*:*:/topics/announcements/messages")]
