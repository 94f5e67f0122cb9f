"""The announcer: what is news, once; bounded, retried, never in the way, and soon over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.announcements.announcer import KEPT_SECONDS, LOOK_SECONDS, Pace
from consumer.announcements.outbox import PublishResult
from consumer.announcements.publishing import OWNER_SECONDS
from consumer.announcements.records import Kind
from consumer.announcements.selection import Selection
from consumer.announcements.states import StateWatch
from consumer.core.errors import Unanswered
from consumer.core.observers import Report
from consumer.core.outcome import Disposition, Ending, Outcome
from tests.unit.announcements.stage import CONTESTED, Stage, named
from tests.unit.fakes import service_error
from tests.unit.telemetry.records import EVALUATED_AT_MS, message, report

HOUR_MS = 3_600_000


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
        stage.intake.report(settled)

    assert stage.publish() == ["fixed", "would_fix", "contested", "dead_lettered"]
    assert stage.topic.tags == stage.topic.kinds
    assert stage.count(PublishResult.PUBLISHED) == 4


def test_a_fix_whose_message_was_lost_is_announced() -> None:
    """The bucket was changed, whatever became of the message."""
    stage = Stage()
    stage.intake.report(replace(named("photos"), outcome=Outcome.LEASE_LOST, disposition=Disposition.LEASE_LOST))

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
        stage.intake.report(settled)
    assert len(stage.publish()) == 1

    stage.intake.report(named("photos", Outcome.ALREADY_COMPLIANT))
    stage.intake.report(settled)

    assert len(stage.publish()) == 2
    ids = [document["id"] for document in stage.topic.documents]
    assert ids[0] == ids[1]
    another = Stage(Selection(held_after_seconds=10))
    another.intake.report(settled)
    another.publish()
    assert another.topic.documents[0]["id"] == ids[0], "another replica or a restart: receivers can tell"


def test_two_fixes_are_two_announcements() -> None:
    """Each has its own id."""
    stage = Stage()
    stage.intake.report(named("photos"))
    stage.intake.report(replace(named("photos"), message=message(message_id="another")))
    stage.publish()

    first, second = stage.topic.documents
    assert first["id"] != second["id"]


def test_what_is_held_is_announced_when_it_has_been_for_long() -> None:
    """Counted from the evaluation, as far as that can be believed."""
    stage = Stage(Selection(held_after_seconds=3_600))
    held = named("photos", Outcome.HELD, ending=Ending(Outcome.HELD, "paused", "", "public-read", "private"))
    stage.intake.report(replace(held, settled_at_ms=EVALUATED_AT_MS + HOUR_MS - 1))
    assert stage.publish() == []

    stage.intake.report(replace(held, settled_at_ms=EVALUATED_AT_MS + HOUR_MS))

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
        stage.intake.report(replace(named(f"f-{rule}"), rule=rule))
        stage.intake.report(replace(named(f"w-{rule}", Outcome.WOULD_FIX), rule=rule))

    assert stage.publish() == ["would_fix", "fixed"]


def test_a_digest_holds_each_resource_once_and_comes_in_its_time() -> None:
    """What was repaired meanwhile is not in it; with nothing in it there is none."""
    stage = Stage(Selection(digested=frozenset({Kind.WOULD_FIX})), pace=Pace(60, 3_600))
    for name in ("a", "b", "c"):
        stage.intake.report(named(name, Outcome.WOULD_FIX))
    stage.intake.report(named("b", Outcome.GONE))
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
    stage.intake.report(named("fixed"))
    stage.intake.report(named("given-up", Outcome.REJECTED, disposition=Disposition.DEAD_LETTERED))
    for name in ("fixed", "given-up"):
        stage.intake.report(named(name, after))
    stage.pass_time(3_600 + LOOK_SECONDS)
    assert sorted(stage.publish()) == ["dead_lettered", "fixed"]


BROKEN_AGAIN = Ending(Outcome.HELD, "paused", "", "public-read", "private")


@pytest.mark.parametrize(
    ("later", "now"),
    [
        (named("photos", Outcome.HELD, ending=BROKEN_AGAIN), "public-read"),
        (named("photos", Outcome.HELD, ending=replace(BROKEN_AGAIN, before="x" * 5_000)), "x" * 256),
        (named("photos", Outcome.HELD, ending=Ending(Outcome.HELD, "rate")), "unknown"),
        (named("photos", Outcome.GONE, ending=Ending(Outcome.GONE)), "unknown"),
        (named("photos", Outcome.SUPERSEDED, ending=Ending(Outcome.SUPERSEDED)), "private"),
        (replace(named("photos"), ending=None), "private"),
        (named("films", Outcome.HELD, ending=BROKEN_AGAIN), "private"),
        (replace(named("photos", Outcome.HELD, ending=BROKEN_AGAIN), rule="another"), "private"),
    ],
    ids=["broken again", "by a long policy", "nobody looked", "gone", "superseded", "no ending", "other", "other rule"],
)
def test_the_state_in_a_digest_is_that_of_the_latest_ending(later: Report, now: str) -> None:
    """A fix that somebody took back since stays news; what it left is not said to stand."""
    stage = Stage(Selection(digested=frozenset({Kind.FIXED})), pace=Pace(60, 3_600))
    fixed = Ending(Outcome.FIXED, before="public-read", after="private")
    stage.intake.report(named("photos", ending=fixed))
    stage.intake.report(later)
    stage.pass_time(3_600 + LOOK_SECONDS)
    stage.publish()

    (document,) = (each for each in stage.topic.documents if each["data"]["kind"] == "fixed")
    (entry,) = document["data"]["entries"]
    assert (entry["before"], entry["after"], entry["now"]) == ("public-read", "private", now)
    assert entry["now_cut"] is (len(now) == 256)


@pytest.mark.parametrize("digested", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_what_still_holds_is_announced_once_it_can_be(full: bool, digested: bool) -> None:
    """It was not published, for too long or because too many waited, and comes back with the next delivery."""
    selection = Selection(digested=frozenset({Kind.CONTESTED}) if digested else frozenset())
    stage = Stage(selection, most_waiting=1, pace=Pace(60, 60))
    contested = named("photos", Outcome.HELD, ending=CONTESTED)
    if full:
        stage.intake.report(named("in-the-way"))
    stage.topic.failures.extend(service_error(Unanswered) for _ in range(2))
    stage.intake.report(contested)
    stage.pass_time(60)
    stage.publish()
    stage.pass_time(KEPT_SECONDS)
    stage.publish()
    assert stage.count(PublishResult.FAILED) + stage.count(PublishResult.DROPPED) == 1 + full
    assert stage.topic.kinds == []

    for _ in range(3):
        stage.intake.report(contested)
        stage.pass_time(60)
        stage.publish()

    assert stage.topic.kinds == ["contested"], "once"


def test_the_line_is_bounded_and_what_is_dropped_is_counted() -> None:
    """However many endings there are while nothing can be published."""
    stage = Stage(most_waiting=3)
    for number in range(10):
        stage.intake.report(named(f"bucket-{number}"))

    assert stage.outbox.waiting() == 3
    assert stage.outbox.results()[Kind.FIXED, PublishResult.DROPPED] == 7


def test_a_state_is_announced_once_for_each_change() -> None:
    """Not for each message that it holds; and its end is, too. Not knowing changes nothing."""
    held_by, open_rules = ["a signal"], [frozenset({"public-read"})]
    stage = Stage(states=StateWatch(lambda: held_by[0], lambda: open_rules[0]))

    def look() -> list[tuple[str, bool]]:
        stage.pass_time(LOOK_SECONDS)
        stage.publish()
        return [(document["data"]["kind"], document["data"]["active"]) for document in stage.topic.documents]

    look()
    stage.intake.report(named("held", Outcome.HELD))
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
        stage.clock.advance(OWNER_SECONDS / 2)
        return "team"

    stage = Stage(Selection(digested=frozenset({Kind.WOULD_FIX})), owner=owner, pace=Pace(60, 60))
    for number in range(10):
        stage.intake.report(named(f"bucket-{number}", Outcome.WOULD_FIX))
    stage.pass_time(60)
    stage.publish()

    owners = [entry["resource"]["owner"] for entry in stage.topic.documents[0]["data"]["entries"]]
    assert owners == ["team"] * 2 + [None] * 8
    assert len(asked) == 2


def test_what_was_announced_is_remembered_within_bounds() -> None:
    """Beyond that the one announced longest ago may be announced again."""
    from consumer.announcements.selection import News

    news = News(Selection(), remembered=2)
    observed = [named(f"bucket-{number}", Outcome.WOULD_FIX) for number in range(3)]
    assert all(news.of(each) for each in observed)
    assert news.of(observed[2]) is None
    assert news.of(observed[0]) is not None
