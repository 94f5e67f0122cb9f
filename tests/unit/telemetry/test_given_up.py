"""Dead letters as open exposures: restored after a restart, closed by a look or by a person, never by forgetting."""

from __future__ import annotations

import json

import pytest

from consumer.core.event import Event, OtherMessage, decode
from consumer.core.message import Peeked
from consumer.core.outcome import Disposition, Outcome
from consumer.engine.dead_letter import SCHEMA
from consumer.telemetry.exposure import OpenExposures
from consumer.telemetry.given_up import GivenUp, given_up
from tests.unit.bodies import event_body
from tests.unit.telemetry.records import EVALUATED_AT_MS, SETTLED_AT_MS, event, report, rule

_RULE = rule().name
_KEY = (_RULE, event().account_id, event().region, event().resource_id)
_MINUTE_MS = 60_000
_DAY_SECONDS = 86_400


def letter(name: str = "", at_ms: int = SETTLED_AT_MS) -> GivenUp:
    """A letter about a resource, as it was read from the queue."""
    key = (*_KEY[:3], name or _KEY[3])
    return GivenUp(key, EVALUATED_AT_MS, "AccessDenied", at_ms)


def look(exposures: OpenExposures, *found: GivenUp, minute: int, complete: bool = True) -> None:
    """What the dead-letter queue shows so many minutes later."""
    at = SETTLED_AT_MS + minute * _MINUTE_MS
    exposures.letters(found, complete=complete, looked_at_ms=at, retention_seconds=14 * _DAY_SECONDS)


def test_a_new_process_knows_what_was_given_up_before_it() -> None:
    """As soon as it has looked; before that it says that it does not know."""
    exposures = OpenExposures()
    assert not exposures.letters_known
    look(exposures, letter(), minute=1)
    assert exposures.letters_known
    assert exposures.oldest() == {_RULE: EVALUATED_AT_MS / 1000}
    assert exposures.given_up() == {(_RULE, "AccessDenied"): 1}


def test_a_queue_that_shows_only_a_part_is_not_known() -> None:
    """What it shows counts all the same."""
    exposures = OpenExposures()
    look(exposures, letter(), minute=1, complete=False)
    assert not exposures.letters_known
    assert exposures.given_up() == {(_RULE, "AccessDenied"): 1}


def test_a_letter_that_a_person_settled_closes_it() -> None:
    """Missing once may be a command that reads the queue; missing twice is gone."""
    exposures = OpenExposures()
    exposures.observe(report(Outcome.REJECTED, disposition=Disposition.DEAD_LETTERED))
    look(exposures, minute=1)
    assert exposures.given_up()
    look(exposures, letter(), minute=2)
    look(exposures, minute=3)
    assert exposures.given_up()
    look(exposures, minute=4)
    assert exposures.oldest() == {}


def test_looks_that_show_only_a_part_settle_nothing() -> None:
    """The letter may be among those that are not shown."""
    exposures = OpenExposures()
    look(exposures, letter(), minute=1)
    for minute in range(2, 20):
        look(exposures, letter("another"), minute=minute, complete=False)
    assert exposures.given_up() == {(_RULE, "AccessDenied"): 2}


def test_a_letter_that_was_written_during_the_look_is_not_missing() -> None:
    """The look began before it."""
    exposures = OpenExposures()
    exposures.observe(report(Outcome.REJECTED, disposition=Disposition.DEAD_LETTERED))
    look(exposures, minute=0)
    look(exposures, minute=1)
    assert exposures.given_up()


def test_a_letter_that_expired_settles_nothing() -> None:
    """Its retention is over; nobody has looked at the resource."""
    exposures = OpenExposures()
    look(exposures, letter(), minute=1)
    for day in (15, 16, 17):
        look(exposures, minute=day * 1_440)
    assert exposures.given_up()


def test_a_resource_that_was_seen_safe_is_not_opened_by_its_old_letter() -> None:
    """The letter still lies there for a person; a newer one counts again."""
    exposures = OpenExposures()
    exposures.observe(report(Outcome.ALREADY_COMPLIANT))
    look(exposures, letter(at_ms=SETTLED_AT_MS - 1), minute=1)
    assert exposures.oldest() == {}
    look(exposures, letter(at_ms=SETTLED_AT_MS + 1), minute=2)
    assert exposures.given_up()


def test_a_settled_letter_leaves_open_what_still_waits_on_the_queue() -> None:
    """Sent back by a person, the message is held for another reason now."""
    exposures = OpenExposures(keeping_up_since=lambda: None)
    exposures.observe(report(Outcome.REJECTED, disposition=Disposition.DEAD_LETTERED))
    exposures.observe(report(Outcome.HELD, hidden_seconds=900.0))
    assert exposures.given_up() == {(_RULE, "rejected"): 1}, "the letter is still there"
    for minute in (1, 2):
        look(exposures, minute=minute)
    assert exposures.given_up() == {}
    assert exposures.oldest()


def test_a_letter_that_had_to_be_forgotten_is_reported() -> None:
    """Memory is bounded; what it lost makes the rest incomplete until the whole queue was seen again."""
    exposures = OpenExposures(remembered=2)
    look(exposures, letter("a"), letter("b"), minute=1)
    assert exposures.letters_known
    exposures.observe(report(Outcome.REJECTED, disposition=Disposition.DEAD_LETTERED))
    assert not exposures.letters_known


def _peeked(body: str) -> Peeked:
    return Peeked("id", body, 0, SETTLED_AT_MS)


def _decoded() -> Event:
    found = decode(event_body())
    assert not isinstance(found, OtherMessage)
    return found


def test_our_letters_say_which_resource_why_and_when() -> None:
    """The key is made from the original event, as the engine's reports make it."""
    body = json.dumps(
        {
            "schema": SCHEMA,
            "reason": "AccessDenied",
            "outcome": "rejected",
            "dead_lettered_at_ms": SETTLED_AT_MS + 5,
            "body_encoding": "plain",
            "body": event_body(),
        }
    )
    found, about = given_up(_peeked(body), [rule()]), _decoded()
    assert found == GivenUp(
        (_RULE, about.account_id, about.region, about.resource_id),
        about.evaluated_at_ms,
        "AccessDenied",
        SETTLED_AT_MS + 5,
    )


def test_a_letter_of_somebody_else_is_the_event_itself() -> None:
    """MNS moves messages there by itself where a queue says so."""
    found = given_up(_peeked(event_body()), [rule()])
    assert found is not None
    assert (found.reason, found.at_ms) == ("foreign", SETTLED_AT_MS)


@pytest.mark.parametrize(
    "body", ["", "no event at all", "[1]", "null", '{"schema": 1}', "[" * 50_000, json.dumps({"schema": SCHEMA})]
)
def test_letters_without_a_resource_are_no_exposure(body: str) -> None:
    """Whatever stands there: nothing is raised, and nothing opened."""
    assert given_up(_peeked(body), [rule()]) is None


def test_a_letter_that_no_rule_is_about_is_none() -> None:
    """Its rule was taken out of the configuration."""
    assert given_up(_peeked(event_body()), []) is None
