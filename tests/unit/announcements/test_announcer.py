"""The announcer: what is news, once; bounded, retried, never in the way, and soon over."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from consumer.announcements import announcer as module
from consumer.announcements.announcer import DRAIN_SECONDS, KEPT_SECONDS, LOOK_SECONDS, Announcer, Pace, PublishResult
from consumer.announcements.document import Writer
from consumer.announcements.records import Kind
from consumer.announcements.selection import Selection
from consumer.announcements.states import StateWatch
from consumer.core.errors import PermanentError, PermissionMissing, Throttled, Unanswered
from consumer.core.observers import Report
from consumer.core.outcome import Disposition, Ending, Outcome
from tests.unit.announcements.published import Published
from tests.unit.fakes import Clock, instant_heartbeat, service_error
from tests.unit.telemetry.records import EVALUATED_AT_MS, SETTLED_AT_MS, event, message, report

CONTESTED = Ending(Outcome.HELD, "contested", "somebody keeps breaking it", "public-read", "private")
HOUR_MS = 3_600_000


def named(name: str, outcome: Outcome = Outcome.FIXED, **changes: Any) -> Report:
    """A settled delivery about that bucket."""
    found = report(outcome, **changes)
    return replace(found, event=event(resource_id=name), message=message(message_id=f"message-{name}"))


class Stage:
    """An announcer with clocks that stand still, and a topic that keeps everything."""

    def __init__(self, selection: Selection | None = None, **given: Any) -> None:
        self.topic = Published()
        self.clock = Clock()
        self.stopping = threading.Event()
        self.said: list[str] = []
        self.wall_ms = SETTLED_AT_MS
        self.announcer = Announcer(
            self.topic,
            Writer("/config-remediator/cn-hangzhou/1234567890123456/events", lambda text: text),
            given.pop("owner", lambda _resource: ""),
            selection or Selection(),
            self.stopping,
            instant_heartbeat(self.clock),
            say=lambda name, **_fields: self.said.append(name),
            monotonic=self.clock,
            wall_ms=lambda: self.wall_ms,
            **given,
        )

    def publish(self) -> list[str]:
        """Let the thread do all it can now; what was published until then."""
        while self.announcer.step(0):
            pass
        return self.topic.kinds

    def pass_time(self, seconds: float) -> None:
        """Let both clocks move."""
        self.clock.advance(seconds)
        self.wall_ms += round(seconds * 1_000)

    def count(self, result: PublishResult) -> int:
        """How many came to this."""
        return sum(number for (_, each), number in self.announcer.results().items() if each is result)


def test_each_ending_that_a_person_wants_to_know_is_announced() -> None:
    """And nothing else: most deliveries are nobody's news."""
    stage = Stage()
    endings = [
        named("fixed"),
        named("observed", Outcome.WOULD_FIX),
        named("contested", Outcome.HELD, ending=CONTESTED),
        named("given-up", Outcome.REJECTED, disposition=Disposition.DEAD_LETTERED),
    ]
    quiet = [
        Outcome.ALREADY_COMPLIANT,
        Outcome.GONE,
        Outcome.EXEMPT,
        Outcome.SUPERSEDED,
        Outcome.NOT_OURS,
        Outcome.FAILED,
        Outcome.HELD,
        Outcome.LEASE_LOST,
    ]
    for settled in (*endings, *(named("quiet", outcome) for outcome in quiet), report(None)):
        stage.announcer.report(settled)

    assert stage.publish() == ["fixed", "would_fix", "contested", "dead_lettered"]
    assert stage.topic.tags == stage.topic.kinds
    assert stage.count(PublishResult.PUBLISHED) == 4


def test_a_fix_whose_message_was_lost_is_announced() -> None:
    """The bucket was changed, whatever became of the message."""
    stage = Stage()
    stage.announcer.report(replace(named("photos"), outcome=Outcome.LEASE_LOST, disposition=Disposition.LEASE_LOST))

    assert stage.publish() == ["fixed"]


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [(Outcome.WOULD_FIX, None), (Outcome.HELD, CONTESTED), (Outcome.HELD, Ending(Outcome.HELD, "over_limit"))],
)
def test_what_comes_back_with_every_delivery_is_announced_once(outcome: Outcome, ending: Ending | None) -> None:
    """Until the resource is safe; found again after that, it is news again. By id the same finding is the same."""
    stage = Stage(Selection(held_after_seconds=10))
    settled = named("photos", outcome, **({"ending": ending} if ending else {}))
    for _ in range(5):
        stage.announcer.report(settled)
    assert len(stage.publish()) == 1

    stage.announcer.report(named("photos", Outcome.ALREADY_COMPLIANT))
    stage.announcer.report(settled)

    assert len(stage.publish()) == 2
    ids = [document["id"] for document in stage.topic.documents]
    assert ids[0] == ids[1]
    another = Stage(Selection(held_after_seconds=10))
    another.announcer.report(settled)
    another.publish()
    assert another.topic.documents[0]["id"] == ids[0], "another replica or a restart: receivers can tell"


def test_two_fixes_are_two_announcements() -> None:
    """Each has its own id."""
    stage = Stage()
    stage.announcer.report(named("photos"))
    stage.announcer.report(replace(named("photos"), message=message(message_id="another")))
    stage.publish()

    first, second = stage.topic.documents
    assert first["id"] != second["id"]


def test_what_is_held_is_announced_when_it_has_been_for_long() -> None:
    """Counted from the evaluation, as far as that can be believed."""
    stage = Stage(Selection(held_after_seconds=3_600))
    held = named("photos", Outcome.HELD, ending=Ending(Outcome.HELD, "paused", "", "public-read", "private"))
    stage.announcer.report(replace(held, settled_at_ms=EVALUATED_AT_MS + HOUR_MS - 1))
    assert stage.publish() == []

    stage.announcer.report(replace(held, settled_at_ms=EVALUATED_AT_MS + HOUR_MS))

    assert stage.publish() == ["held"]
    assert stage.topic.documents[0]["data"]["exposure_seconds"] == 3_600


def test_a_rule_says_for_itself_what_is_announced() -> None:
    """Its own list counts instead of the one for all; an empty one silences it."""
    stage = Stage(
        Selection(
            kinds=frozenset({Kind.FIXED}),
            by_rule={"silent": frozenset(), "chatty": frozenset({Kind.WOULD_FIX})},
        )
    )
    for rule in ("silent", "chatty", "other"):
        stage.announcer.report(replace(named(f"f-{rule}"), rule=rule))
        stage.announcer.report(replace(named(f"w-{rule}", Outcome.WOULD_FIX), rule=rule))

    assert stage.publish() == ["would_fix", "fixed"]


def test_a_digest_holds_each_resource_once_and_comes_in_its_time() -> None:
    """What was repaired meanwhile is not in it; with nothing in it there is none."""
    stage = Stage(Selection(digested=frozenset({Kind.WOULD_FIX})), pace=Pace(60, 3_600))
    for name in ("a", "b", "c"):
        stage.announcer.report(named(name, Outcome.WOULD_FIX))
    stage.announcer.report(named("b", Outcome.GONE))
    stage.pass_time(3_599)
    assert stage.publish() == []

    stage.pass_time(LOOK_SECONDS)
    assert stage.publish() == ["would_fix"]
    (document,) = stage.topic.documents
    assert [entry["resource"]["id"] for entry in document["data"]["entries"]] == ["a", "c"]

    stage.pass_time(10_000)
    assert stage.publish() == ["would_fix"], "nothing new, nothing said"


@pytest.mark.parametrize("after", [Outcome.ALREADY_COMPLIANT, Outcome.GONE, Outcome.EXEMPT])
def test_what_has_happened_stays_in_its_digest(after: Outcome) -> None:
    """A second event about a bucket that was fixed, or given up, takes neither out of the news."""
    stage = Stage(Selection(digested=frozenset({Kind.FIXED, Kind.DEAD_LETTERED})), pace=Pace(60, 3_600))
    stage.announcer.report(named("fixed"))
    stage.announcer.report(named("given-up", Outcome.REJECTED, disposition=Disposition.DEAD_LETTERED))
    for name in ("fixed", "given-up"):
        stage.announcer.report(named(name, after))
    stage.pass_time(3_600 + LOOK_SECONDS)
    assert sorted(stage.publish()) == ["dead_lettered", "fixed"]


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


@pytest.mark.parametrize("digested", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_what_still_holds_is_announced_once_it_can_be(full: bool, digested: bool) -> None:
    """It was not published, for too long or because too many waited, and comes back with the next delivery."""
    selection = Selection(digested=frozenset({Kind.CONTESTED}) if digested else frozenset())
    stage = Stage(selection, most_waiting=1, pace=Pace(60, 60))
    contested = named("photos", Outcome.HELD, ending=CONTESTED)
    if full:
        stage.announcer.report(named("in-the-way"))
    stage.topic.failures.extend(service_error(Unanswered) for _ in range(2))
    stage.announcer.report(contested)
    stage.pass_time(60)
    stage.publish()
    stage.pass_time(KEPT_SECONDS)
    stage.publish()
    assert stage.count(PublishResult.FAILED) + stage.count(PublishResult.DROPPED) == 1 + full
    assert stage.topic.kinds == []

    for _ in range(3):
        stage.announcer.report(contested)
        stage.pass_time(60)
        stage.publish()

    assert stage.topic.kinds == ["contested"], "once"


def test_what_the_service_refuses_for_good_is_not_tried_with_every_delivery() -> None:
    """It would be refused again, and again."""
    stage = Stage()
    stage.topic.failures.append(service_error(PermanentError, "InvalidArgument"))
    for _ in range(3):
        stage.announcer.report(named("photos", Outcome.HELD, ending=CONTESTED))
        stage.publish()

    assert stage.topic.tries == 1


def test_the_line_is_bounded_and_what_is_dropped_is_counted() -> None:
    """However many endings there are while nothing can be published."""
    stage = Stage(most_waiting=3)
    for number in range(10):
        stage.announcer.report(named(f"bucket-{number}"))

    assert stage.announcer.waiting() == 3
    assert stage.announcer.results()[Kind.FIXED, PublishResult.DROPPED] == 7


def test_a_state_is_announced_once_for_each_change() -> None:
    """Not for each message that it holds; and its end is, too. Not knowing changes nothing."""
    held_by, open_rules = ["a signal"], [frozenset({"public-read"})]
    stage = Stage(states=StateWatch(lambda: held_by[0], lambda: open_rules[0]))

    def look() -> list[tuple[str, bool]]:
        stage.pass_time(LOOK_SECONDS)
        stage.publish()
        return [(document["data"]["kind"], document["data"]["active"]) for document in stage.topic.documents]

    look()
    stage.announcer.report(named("held", Outcome.HELD))
    assert look() == [("paused", True), ("breaker_open", True)]
    open_rules[0] = None  # type: ignore[call-overload]
    assert len(look()) == 2
    held_by[0], open_rules[0] = "", frozenset()
    assert look()[2:] == [("paused", False), ("breaker_open", False)]


def test_owners_are_looked_up_for_so_long_and_then_not_named() -> None:
    """A digest of many on a slow service must not hold up the others."""
    asked: list[str] = []

    def owner(resource: Any) -> str:
        asked.append(resource.resource_id)
        stage.clock.advance(module.OWNER_SECONDS / 2)
        return "team"

    stage = Stage(Selection(digested=frozenset({Kind.WOULD_FIX})), owner=owner, pace=Pace(60, 60))
    for number in range(10):
        stage.announcer.report(named(f"bucket-{number}", Outcome.WOULD_FIX))
    stage.pass_time(60)
    stage.publish()

    owners = [entry["resource"]["owner"] for entry in stage.topic.documents[0]["data"]["entries"]]
    assert owners == ["team"] * 2 + [None] * 8
    assert len(asked) == 2


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


def test_what_was_announced_is_remembered_within_bounds() -> None:
    """Beyond that the one announced longest ago may be announced again."""
    from consumer.announcements.selection import News

    news = News(Selection(), remembered=2)
    observed = [named(f"bucket-{number}", Outcome.WOULD_FIX) for number in range(3)]
    assert all(news.of(each) for each in observed)
    assert news.of(observed[2]) is None
    assert news.of(observed[0]) is not None
