"""Deliveries: what one receipt says about the time before it, which one covers which, and what listeners get of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from consumer.core.event import Event, decode
from consumer.core.observers import Report, Step, StepName
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.sent import NO_REQUESTS, ApiCall, SentRequest, SentRequests
from consumer.engine.coalescing import Groups
from consumer.engine.dead_letter import DeadLetterTarget, compose
from consumer.engine.delivery import Delivery
from consumer.engine.parked_copy import ParkedCopy
from consumer.engine.routing import Routing
from consumer.engine.sender import Parker
from consumer.guards.rule import Mode, Observed, Rule, Selector
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from consumer.resources.oss.kind import BUCKETS
from tests.unit.bodies import ACCOUNT, event_body
from tests.unit.engine import Engine
from tests.unit.fakes import Clock, FakeBucket, FakeBuckets, FakeQueue, delivery, instant_heartbeat, received
from tests.unit.pipeline_world import World

RULE = Rule("acl", Selector(), BucketAcl(BucketAclOptions()), Mode.OBSERVE, hold_seconds=60.0, observed=Observed.DELETE)
REQUESTS = SentRequests((SentRequest(7, ApiCall("oss", "GetBucketInfo", "ok", 0.5, "REQUEST-1")),), left_out=3)
BUCKET = BUCKETS.resource(ACCOUNT, "cn-beijing", "a-public-bucket")
ENDING = Ending(Outcome.HELD, "paused", "somebody paused it")


def event() -> Event:
    """The event about the bucket."""
    found = decode(event_body())
    assert isinstance(found, Event)
    return found


def looked_at() -> Delivery:
    """A delivery of which everything is filled but its ending."""
    found = delivery(Clock(), received("m-1", event_body()))
    found.event, found.rule = event(), RULE
    found.resource = BUCKET
    found.incarnation = "2021-09-06T00:00:01.000Z"
    found.timings.request_ids, found.timings.requests = ("REQUEST-1",), REQUESTS
    found.timings.add("inspect", 2.0)
    found.attempts = 4
    return found


def test_the_time_in_the_queue_is_between_the_servers_own_stamps() -> None:
    """From enqueueing to the first receive, whatever the local clock says."""
    message = replace(received("m"), dequeue_count=1, enqueued_at_ms=1_000, first_dequeued_at_ms=3_500)
    assert message.queued_seconds == 2.5


def test_only_the_first_receive_tells_how_long_a_message_waited() -> None:
    """A held message would otherwise count its hold again at every look."""
    message = replace(received("m"), dequeue_count=2, enqueued_at_ms=1_000, first_dequeued_at_ms=3_500)
    assert message.queued_seconds == 0


def test_a_step_says_whose_it_is_and_lists_its_requests_once_the_ending_is_known() -> None:
    """Rule, repair, mode and incarnation at every step; the requests only where they are complete."""
    found = looked_at()
    on_the_way = Step(
        StepName.BEFORE,
        found.message,
        event=event(),
        rule="acl",
        remediation="oss.bucket-acl",
        mode="observe",
        ending=None,
        before="public-read",
        after="private",
        incarnation="2021-09-06T00:00:01.000Z",
        request_ids=(),
        observed="delete",
        requests=NO_REQUESTS,
    )
    assert found.step(StepName.BEFORE, before="public-read", after="private") == on_the_way
    assert found.step(StepName.DECIDED, before="public-read", after="private", ending=ENDING) == replace(
        on_the_way, name=StepName.DECIDED, ending=ENDING, request_ids=("REQUEST-1",), requests=REQUESTS
    )


def test_a_step_without_a_rule_names_none() -> None:
    """What no rule takes has an ending, too: every text about a rule is empty then."""
    found = delivery(Clock(), received("m-1"))
    assert found.step(StepName.DECIDED, before="", after="", ending=ENDING) == Step(
        StepName.DECIDED, found.message, ending=ENDING
    )


def reported(**more: object) -> Report:
    """The report of that delivery, but for what the test names."""
    found = looked_at()
    report = Report(
        message=found.message,
        outcome=Outcome.HELD,
        disposition=Disposition.DELETED,
        ending=ENDING,
        event=event(),
        rule="acl",
        remediation="oss.bucket-acl",
        mode="observe",
        attempts=4,
        hidden_seconds=0,
        settled_at_ms=1_700_000_000_000,
        request_ids=("REQUEST-1",),
        parked_as="",
        parked_seconds=0,
        stage_seconds=(("inspect", 2.0),),
        confirmed=True,
    )
    return replace(report, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("disposition", "report"),
    [
        (Disposition.DELETED, reported()),
        (Disposition.HIDDEN, reported(disposition=Disposition.HIDDEN, hidden_seconds=90)),
        (Disposition.PARKED, reported(disposition=Disposition.PARKED, parked_as="copy-1", parked_seconds=7_200)),
        (Disposition.LEASE_LOST, reported(disposition=Disposition.LEASE_LOST, outcome=Outcome.LEASE_LOST)),
    ],
)
def test_a_report_says_what_became_of_the_message(disposition: Disposition, report: Report) -> None:
    """For how long it is hidden or parked only where it is; a lost lease is the outcome, whatever was to be."""
    found = looked_at()
    found.ending, found.hide_seconds = ENDING, 90
    found.parked_copy, found.copy_id = ParkedCopy(7_200, (), 9), "copy-1"
    assert found.report(disposition, 1_700_000_000_000) == report


def test_a_report_of_an_untouched_delivery_claims_nothing() -> None:
    """It was released: no outcome, no rule, no resource that anybody has seen."""
    found = delivery(Clock(), received("m-1"))
    assert found.report(Disposition.RELEASED, 5) == Report(
        message=found.message,
        outcome=None,
        disposition=Disposition.RELEASED,
        ending=None,
        event=None,
        rule="",
        remediation="",
        mode="",
        attempts=0,
        hidden_seconds=0,
        settled_at_ms=5,
    )


def test_of_two_deliveries_of_the_same_age_either_covers_the_other() -> None:
    """Two copies of one event, received by one poll: whichever is repaired for, the other one follows it."""
    one, other = looked_at(), looked_at()
    assert one.covers(other)
    assert other.covers(one)


def test_a_delivery_covers_none_of_another_rule_or_resource_and_none_that_is_newer() -> None:
    """One difference is enough."""
    one = looked_at()
    of_another_rule, elsewhere, newer = looked_at(), looked_at(), looked_at()
    of_another_rule.rule = replace(RULE, name="another")
    elsewhere.resource = BUCKETS.resource(ACCOUNT, "cn-hangzhou", "a-public-bucket")
    newer.received_at += 1
    assert [one.covers(each) for each in (of_another_rule, elsewhere, newer)] == [False, False, False]
    assert newer.covers(one)


def of_no_resource(found: Delivery) -> Delivery:
    """A delivery of which only the rule is known."""
    found.rule = RULE
    return found


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (lambda found: found.age_order, "only a delivery with an event has an age"),
        (lambda found: Groups().join(found), "only a delivery with a resource has a group"),
        (
            lambda found: World().pipeline.repair(found),
            "only a delivery with a rule and a resource can be repaired for",
        ),
        (
            lambda found: World().pipeline.repair(of_no_resource(found)),
            "only a delivery with a rule and a resource can be repaired for",
        ),
        (
            lambda found: Routing([RULE], {ACCOUNT}, "cn-beijing").confirmed(
                found, RULE, BUCKET, FakeBucket(FakeBuckets(), "b")
            ),
            "only a delivery with an event can be repaired for",
        ),
        (lambda found: compose(found, DeadLetterTarget("q"), 1), "a delivery without an ending is never dead-lettered"),
        (
            lambda found: Parker(Engine().shared, FakeQueue(Clock()), instant_heartbeat(Clock())).send(found),
            "only a delivery that has a copy planned can be parked",
        ),
    ],
)
def test_a_delivery_that_skipped_a_step_is_refused(use: Callable[[Delivery], object], text: str) -> None:
    """A fault of the worker's own ends loudly, with a sentence that says what is missing."""
    with pytest.raises(ValueError) as refused:
        use(delivery(Clock()))
    assert str(refused.value) == text
