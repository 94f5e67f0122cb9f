"""Announcements that a service does not take, and an announcer that is stopped."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.announcements.announcer import DRAIN_SECONDS, KEPT_SECONDS, Pace
from consumer.announcements.outbox import MOST_WAITING, PublishResult
from consumer.announcements.records import Digest, Kind, ResourceAnnouncement
from consumer.announcements.selection import Selection
from consumer.core.errors import PermanentError, PermissionMissing, Throttled, Unanswered, UnknownRefusal
from consumer.core.outcome import Ending, Outcome
from tests.unit.announcements.stage import CONTESTED, Stage, named
from tests.unit.fakes import service_error


def test_a_failure_is_retried_later_each_time_and_nothing_overtakes() -> None:
    """With backoff up to a minute; the log says once that it fails and once that it works again."""
    stage = Stage()
    stage.topic.failures.extend(service_error(kind) for kind in (Throttled, Unanswered, PermissionMissing))
    stage.intake.report(named("first"))
    stage.intake.report(named("second"))
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
    stage.intake.report(named("first"))
    stage.publish()

    assert stage.outbox.waiting() == kept
    assert stage.count(PublishResult.FAILED) == (not kept)


def test_what_has_waited_for_too_long_is_given_up() -> None:
    """One that nobody could publish for an hour is no news any more."""
    stage = Stage()
    stage.intake.report(named("old"))
    stage.topic.failures.append(service_error(Unanswered))
    stage.pass_time(KEPT_SECONDS)
    assert stage.outbox.waiting_seconds() == KEPT_SECONDS
    stage.publish()

    assert stage.count(PublishResult.FAILED) == 1
    assert stage.outbox.waiting_seconds() == 0


def test_what_is_too_old_makes_room_at_once() -> None:
    """After an hour without a topic the line is full of old news, and fresh ones must not be dropped for it."""
    stage = Stage(most_waiting=3)
    for number in range(3):
        stage.intake.report(named(f"old-{number}"))
    stage.topic.failures.append(service_error(Unanswered))
    stage.pass_time(KEPT_SECONDS)
    stage.publish()
    stage.intake.report(named("fresh"))
    stage.pass_time(2)

    assert stage.publish() == ["fixed"]
    assert (stage.count(PublishResult.FAILED), stage.count(PublishResult.DROPPED)) == (3, 0)


def test_what_the_service_refuses_for_good_is_not_tried_with_every_delivery() -> None:
    """It would be refused again, and again."""
    stage = Stage()
    stage.topic.failures.append(service_error(PermanentError, "InvalidArgument"))
    for _ in range(3):
        stage.intake.report(named("photos", Outcome.HELD, ending=CONTESTED))
        stage.publish()

    assert stage.topic.tries == 1


def test_a_stop_publishes_what_is_left_digests_too() -> None:
    """Also what is reported while the last deliveries are settled."""
    working = [named("late"), named("last")]
    stage = Stage(
        Selection(digested=frozenset({Kind.WOULD_FIX})),
        settling=lambda: len(working) and stage.intake.report(working.pop()) is None,
    )
    stage.intake.report(named("first"))
    stage.intake.report(named("observed", Outcome.WOULD_FIX))
    stage.stopping.set()
    stage.announcer.run()

    assert sorted(stage.topic.kinds) == ["fixed", "fixed", "fixed", "would_fix"]
    assert stage.count(PublishResult.DROPPED) == 0


def test_a_stop_waits_for_no_service_that_does_not_answer() -> None:
    """One try, and the rest is counted as dropped."""
    stage = Stage()
    stage.topic.failures.extend(service_error(Unanswered) for _ in range(9))
    for number in range(5):
        stage.intake.report(named(f"bucket-{number}"))
    stage.stopping.set()
    stage.announcer.run()

    assert stage.topic.tries == 1
    assert stage.count(PublishResult.DROPPED) == 5
    stage.intake.report(named("later"))
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
        stage.intake.report(named(f"bucket-{number}"))
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
    stage.intake.report(named("broken"))
    stage.intake.report(named("photos"))

    assert stage.publish() == ["fixed"]
    assert stage.count(PublishResult.FAILED) == 1
    assert stage.said == ["announcements.failing"]


def test_a_refusal_that_nobody_knows_keeps_no_other_waiting() -> None:
    """It may be about that message alone, so it goes to the end of the line, and is given up when it is an hour old."""
    stage = Stage()
    publish = stage.topic.publish

    def picky(body: str, tag: str) -> str:
        if "odd" in body:
            raise service_error(UnknownRefusal, "NoIdea")
        return publish(body, tag)

    stage.topic.publish = picky  # type: ignore[method-assign]
    for name in ("odd", "first", "second"):
        stage.intake.report(named(name))
    for _ in range(5):
        stage.publish()
        stage.pass_time(60)

    assert [document["data"]["resource"]["id"] for document in stage.topic.documents] == ["first", "second"]
    assert (stage.outbox.waiting(), stage.count(PublishResult.FAILED)) == (1, 0)
    stage.pass_time(KEPT_SECONDS)
    stage.publish()
    assert (stage.outbox.waiting(), stage.count(PublishResult.FAILED)) == (0, 1)


@pytest.mark.parametrize("code", [Throttled, Unanswered, PermissionMissing])
def test_a_failure_before_the_stop_costs_no_digest(code: Any) -> None:
    """However long the pause after it was to be: there is one more try, and the service may have recovered."""
    stage = Stage(Selection(digested=frozenset({Kind.HELD}), held_after_seconds=0))
    stage.topic.failures.extend(service_error(code) for _ in range(6))
    stage.intake.report(named("first"))
    stage.intake.report(named("held", Outcome.HELD))
    for _ in range(6):
        stage.publish()
        stage.pass_time(60)
    stage.topic.failures.append(service_error(code))
    stage.intake.report(named("second"))
    stage.publish()
    stage.pass_time(1)
    stage.stopping.set()
    stage.announcer.run()

    assert sorted(stage.topic.kinds) == ["fixed", "fixed", "held"]
    assert stage.count(PublishResult.DROPPED) == 0


def test_what_is_reported_after_the_end_is_counted_also_where_it_was_to_be_collected() -> None:
    """There will be no other digest."""
    stage = Stage(Selection(digested=frozenset({Kind.WOULD_FIX})))
    stage.stopping.set()
    stage.announcer.run()
    stage.intake.report(named("late", Outcome.WOULD_FIX))
    stage.intake.report(named("late"))

    assert stage.count(PublishResult.DROPPED) == 2


def test_while_nothing_can_be_published_memory_stays_bounded_and_nothing_is_uncounted() -> None:
    """Hours without a topic, with thousands of fixed and observed buckets whose policies fill a message each."""
    stage = Stage(Selection(digested=frozenset({Kind.WOULD_FIX})), pace=Pace(60, 60))
    stage.topic.failures.extend(service_error(PermissionMissing) for _ in range(1_000))
    policy = "\U0001f4a3" * 16_000
    fixed = Ending(Outcome.FIXED, "", policy, policy, policy)
    observed = Ending(Outcome.WOULD_FIX, "observe_mode", policy, policy, policy)
    for number in range(3_000):
        stage.intake.report(named(f"fixed-{number}", ending=fixed))
        stage.intake.report(named(f"observed-{number}", Outcome.WOULD_FIX, ending=observed))
        if number % 30 == 0:
            stage.publish()
            stage.pass_time(90)

    assert stage.outbox.waiting() <= MOST_WAITING
    assert _characters(stage) < 3 * 4_096 / 6 * MOST_WAITING + 3 * 256 / 6 * 4 * MOST_WAITING
    ended = sum(number for (kind, _), number in stage.outbox.results().items() if kind is Kind.FIXED)
    assert ended + stage.outbox.waiting() - len(stage.outbox.digests()) == 3_000


def test_a_digest_of_ten_thousand_says_how_many_it_leaves_out() -> None:
    """It fits into a message, lists as many as that allows, and the numbers add up; that texts were cut is seen."""
    stage = Stage(Selection(digested=frozenset({Kind.WOULD_FIX})), pace=Pace(60, 60))
    policy = "\U0001f4a3" * 1_000
    observed = Ending(Outcome.WOULD_FIX, "observe_mode", policy, policy, policy)
    for number in range(10_000):
        stage.intake.report(named(f"observed-{number}", Outcome.WOULD_FIX, ending=observed))
    stage.pass_time(60)
    stage.publish()

    (document,) = stage.topic.documents
    data = document["data"]
    assert data["count"] == 10_000
    assert data["left_out"] == 10_000 - len(data["entries"])
    assert len(data["entries"]) > 20
    assert data["summary"].endswith(f"({len(data['entries'])} of them listed)")
    assert all(set(entry["cut"]) == {"detail", "before", "after"} for entry in data["entries"])


def _characters(stage: Stage) -> int:
    """Of all states and details that wait or are collected."""
    waiting = [announced for _, announced in stage.outbox._waiting]
    collected = [each.announced for kept in stage.intake._digests._entries.values() for each in kept.values()]
    found: list[ResourceAnnouncement] = []
    for each in (*waiting, *collected):
        found.extend(
            each.entries if isinstance(each, Digest) else [each] if isinstance(each, ResourceAnnouncement) else []
        )
    return sum(len(each.detail + each.before + each.after + each.now) for each in found)
