"""Announcements that a service does not take, and an announcer that is stopped."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.announcements.announcer import DRAIN_SECONDS, KEPT_SECONDS, PublishResult
from consumer.announcements.records import Kind
from consumer.announcements.selection import Selection
from consumer.core.errors import PermanentError, PermissionMissing, Throttled, Unanswered
from consumer.core.outcome import Outcome
from tests.unit.announcements.stage import CONTESTED, Stage, named
from tests.unit.fakes import service_error


def test_a_failure_is_retried_later_each_time_and_nothing_overtakes() -> None:
    """With backoff up to a minute; the log says once that it fails and once that it works again."""
    stage = Stage()
    stage.topic.failures.extend(service_error(kind) for kind in (Throttled, Unanswered, PermissionMissing))
    stage.announcer.report(named("first"))
    stage.announcer.report(named("second"))
    for pause in (1, 2, 4):
        stage.publish()
        tries = stage.topic.tries
        stage.pass_time(pause - 0.01)
        assert stage.publish() == []
        assert stage.topic.tries == tries, "not before its time"
        stage.pass_time(0.02)

    assert stage.publish() == ["fixed", "fixed"]
    assert [document["data"]["resource"]["id"] for document in stage.topic.documents] == ["first", "second"]
    assert stage.said == ["announcements.failing", "announcements.recovered"]


@pytest.mark.parametrize(("code", "kept"), [("InvalidArgument", False), ("TopicNotExist", True)])
def test_only_a_message_that_is_refused_itself_is_given_up_at_once(code: str, kept: bool) -> None:
    """A topic that is not there refuses all of them until somebody makes it."""
    stage = Stage()
    stage.topic.failures.append(service_error(PermanentError, code))
    stage.announcer.report(named("first"))
    stage.publish()

    assert stage.announcer.waiting() == kept
    assert stage.count(PublishResult.FAILED) == (not kept)


def test_what_has_waited_for_too_long_is_given_up() -> None:
    """One that nobody could publish for an hour is no news any more."""
    stage = Stage()
    stage.announcer.report(named("old"))
    stage.topic.failures.append(service_error(Unanswered))
    stage.pass_time(KEPT_SECONDS)
    assert stage.announcer.waiting_seconds() == KEPT_SECONDS
    stage.publish()

    assert stage.count(PublishResult.FAILED) == 1
    assert stage.announcer.waiting_seconds() == 0


def test_what_is_too_old_makes_room_at_once() -> None:
    """After an hour without a topic the line is full of old news, and fresh ones must not be dropped for it."""
    stage = Stage(most_waiting=3)
    for number in range(3):
        stage.announcer.report(named(f"old-{number}"))
    stage.topic.failures.append(service_error(Unanswered))
    stage.pass_time(KEPT_SECONDS)
    stage.publish()
    stage.announcer.report(named("fresh"))
    stage.pass_time(2)

    assert stage.publish() == ["fixed"]
    assert (stage.count(PublishResult.FAILED), stage.count(PublishResult.DROPPED)) == (3, 0)


def test_what_the_service_refuses_for_good_is_not_tried_with_every_delivery() -> None:
    """It would be refused again, and again."""
    stage = Stage()
    stage.topic.failures.append(service_error(PermanentError, "InvalidArgument"))
    for _ in range(3):
        stage.announcer.report(named("photos", Outcome.HELD, ending=CONTESTED))
        stage.publish()

    assert stage.topic.tries == 1


def test_a_stop_publishes_what_is_left_digests_too() -> None:
    """Also what is reported while the last deliveries are settled."""
    working = [named("late"), named("last")]
    stage = Stage(
        Selection(digested=frozenset({Kind.WOULD_FIX})),
        in_flight=lambda: len(working) and stage.announcer.report(working.pop()) is None,
    )
    stage.announcer.report(named("first"))
    stage.announcer.report(named("observed", Outcome.WOULD_FIX))
    stage.stopping.set()
    stage.announcer.run()

    assert sorted(stage.topic.kinds) == ["fixed", "fixed", "fixed", "would_fix"]
    assert stage.count(PublishResult.DROPPED) == 0


def test_a_stop_waits_for_no_service_that_does_not_answer() -> None:
    """One try, and the rest is counted as dropped."""
    stage = Stage()
    stage.topic.failures.extend(service_error(Unanswered) for _ in range(9))
    for number in range(5):
        stage.announcer.report(named(f"bucket-{number}"))
    stage.stopping.set()
    stage.announcer.run()

    assert stage.topic.tries == 1
    assert stage.count(PublishResult.DROPPED) == 5
    stage.announcer.report(named("later"))
    assert stage.count(PublishResult.DROPPED) == 6, "what comes after the end is counted as well"


def test_a_stop_is_over_in_time_however_much_is_left() -> None:
    """A service that is slow gets its seconds and no more."""
    stage = Stage()
    publish = stage.topic.publish

    def slow(body: str, tag: str) -> str:
        stage.clock.advance(1)
        return publish(body, tag)

    stage.topic.publish = slow  # type: ignore[method-assign]
    for number in range(100):
        stage.announcer.report(named(f"bucket-{number}"))
    stage.stopping.set()
    stage.announcer.run()

    assert stage.count(PublishResult.PUBLISHED) <= DRAIN_SECONDS + 1
    assert stage.count(PublishResult.PUBLISHED) + stage.count(PublishResult.DROPPED) == 100


def test_a_fault_in_one_announcement_costs_no_other_and_no_process() -> None:
    """The thread goes on: what ends it would end the worker."""

    def broken(resource: Any) -> str:
        if resource.resource_id == "broken":
            raise ZeroDivisionError
        return ""

    stage = Stage(owner=broken)
    stage.announcer.report(named("broken"))
    stage.announcer.report(named("photos"))

    assert stage.publish() == ["fixed"]
    assert stage.count(PublishResult.FAILED) == 1
    assert stage.said == ["announcements.failing"]
