"""What reports tell of catch-up: fixes that nothing else asked for, and ends of whole runs; forged ones included."""

from __future__ import annotations

import json

import pytest

from consumer.core.outcome import Ending, Outcome
from consumer.core.parked import Carried, History
from consumer.reevaluation.catch_up import Finished, finished_body, read_finished
from consumer.telemetry.catch_up import CatchUps
from tests.unit.telemetry.records import EVALUATED_AT_MS, SETTLED_AT_MS, event, finished_run, message, report
from tests.unit.telemetry.scrape import metrics, value

RULE = "no-public-read"
HISTORY = History("5F290C926D472878-2-14D9529A8FA-200000001", EVALUATED_AT_MS, EVALUATED_AT_MS, 2, 0, "observed")


def exported(runs: CatchUps, name: str, **labels: str) -> float | None:
    """One value of a scrape."""
    found = metrics()
    runs.expose(found)
    return value(found, name, **labels)


def missed(runs: CatchUps) -> float | None:
    """How many fixes count as missed upstream."""
    return exported(runs, "missed_upstream_total", rule=RULE)


def test_a_fix_that_only_catch_up_requested_was_missed_upstream() -> None:
    """Series begin at 0, so that the first one is seen as an increase."""
    runs = CatchUps([RULE], 0)
    assert missed(runs) == 0
    runs.report(report(event=event(caught_up=True)))
    assert missed(runs) == 1


def test_a_resource_that_a_notification_has_come_for_was_not_missed() -> None:
    """Its own message was held, and the copy that catch-up sent came first when the hold was over."""
    runs = CatchUps([RULE], 0)
    runs.report(report(Outcome.HELD, ending=Ending(Outcome.HELD, "over_limit")))
    runs.report(report(event=event(caught_up=True)))
    runs.report(report(event=event(caught_up=True, resource_id="another")))
    assert missed(runs) == 1


def test_a_later_violation_of_a_resource_that_was_notified_once_can_be_missed() -> None:
    """That a notification came for it last week says nothing of the one that got lost today."""
    runs = CatchUps([RULE], 0)
    runs.report(report(Outcome.FIXED))
    runs.report(report(event=event(caught_up=True, evaluated_at_ms=EVALUATED_AT_MS + 60_000)))
    assert missed(runs) == 0, "the list may say a little later when it began"
    later = EVALUATED_AT_MS + 7 * 86_400_000
    runs.report(report(event=event(caught_up=True, evaluated_at_ms=later), settled_at_ms=later + 60_000))
    assert missed(runs) == 1


def test_a_notification_that_claims_to_be_of_tomorrow_hides_nothing_for_long() -> None:
    """It counts as of the moment in which it was settled."""
    runs = CatchUps([RULE], 0)
    runs.report(report(event=event(evaluated_at_ms=SETTLED_AT_MS + 10**12)))
    later = SETTLED_AT_MS + 7_200_000
    runs.report(report(event=event(caught_up=True, evaluated_at_ms=later), settled_at_ms=later + 60_000))
    assert missed(runs) == 1


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.FIXED])
def test_only_fixes_count(outcome: Outcome) -> None:
    """What was already well was seen by somebody, and what was not changed may be counted when it is."""
    runs = CatchUps([RULE], 0)
    runs.report(report(outcome, event=event(caught_up=True)))
    assert missed(runs) == 0


def notified(runs: CatchUps) -> float | None:
    """How many notifications were counted."""
    return exported(runs, "notifications_total", rule=RULE)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_notification_that_a_rule_took_is_counted_once(outcome: Outcome) -> None:
    """Whatever became of it; what catch-up brought is none."""
    runs = CatchUps([RULE], 0)
    assert notified(runs) == 0
    runs.report(report(outcome))
    runs.report(report(outcome, message=message(dequeue_count=2)))
    runs.report(report(outcome, message=message(carried=Carried(HISTORY))))
    runs.report(report(outcome, event=event(caught_up=True)))
    assert notified(runs) == 1


def test_a_notification_whose_first_receipt_had_no_report_is_counted_at_a_later_one() -> None:
    """Whoever received it first was killed: it would pass for one that never came."""
    runs = CatchUps([RULE], 0)
    for _ in range(2):
        runs.report(report(message=message(dequeue_count=3)))
    assert notified(runs) == 1


def test_a_run_says_how_much_of_the_last_day_it_found_listed() -> None:
    """Of a whole run only, by the rules that are configured here; one that a version before sent says nothing of it."""
    runs = CatchUps([RULE, "other"], 7_200)
    assert exported(runs, "catch_up_recent_violations", rule=RULE) is None
    finished = Finished(SETTLED_AT_MS - 9_000, 7, 0, recent=((RULE, 4), ("no-such", 2)))
    runs.report(finished_run(0, body=finished_body(finished)))
    partial = Finished(SETTLED_AT_MS - 5_000, 7, 0, complete=False, recent=((RULE, 9),))
    runs.report(finished_run(0, body=finished_body(partial)))
    names = (RULE, "other", "no-such")
    assert [exported(runs, "catch_up_recent_violations", rule=name) for name in names] == [4, 0, None]

    before = json.loads(finished_body(Finished(SETTLED_AT_MS - 1_000, 7, 0)))
    del before["recent"]
    runs.report(finished_run(0, body=json.dumps(before)))
    assert exported(runs, "catch_up_recent_violations", rule=RULE) == 0


def test_what_is_remembered_is_bounded() -> None:
    """The latest notifications are; the one that came longest ago is forgotten first."""
    runs = CatchUps([RULE], 0, remembered=2)
    for name in ("a", "b", "a", "c"):
        runs.report(report(Outcome.ALREADY_COMPLIANT, event=event(resource_id=name)))
    for name in ("a", "c"):
        runs.report(report(event=event(caught_up=True, resource_id=name)))
    assert missed(runs) == 0
    runs.report(report(event=event(caught_up=True, resource_id="b")))
    assert missed(runs) == 1


def test_the_end_of_a_run_is_exported_until_a_later_one() -> None:
    """An older one that was delivered late changes nothing."""
    runs = CatchUps([RULE], 7_200)
    assert exported(runs, "catch_up_last_success_timestamp_seconds") is None
    for at_ms in (SETTLED_AT_MS - 5_000, SETTLED_AT_MS - 1_000, SETTLED_AT_MS - 9_000):
        runs.report(finished_run(at_ms))
    assert exported(runs, "catch_up_last_success_timestamp_seconds") == (SETTLED_AT_MS - 1_000) / 1000
    assert exported(runs, "catch_up_listed_resources") == 7
    assert exported(runs, "catch_up_expected_within_seconds") == 7_200
    assert exported(CatchUps([RULE], 0), "catch_up_expected_within_seconds") is None


def test_a_run_that_was_not_whole_is_no_success_and_says_what_it_could_not_see() -> None:
    """It ended; what it lists is not all, and a rule that nothing triggers is known by its name until the next run."""
    runs = CatchUps([RULE, "other"], 7_200)
    assert exported(runs, "catch_up_unmatched", rule=RULE) is None
    runs.report(finished_run(SETTLED_AT_MS - 9_000))
    body = finished_body(Finished(SETTLED_AT_MS - 5_000, 1, 0, complete=False, unmatched_rules=("other", "no-such")))
    runs.report(finished_run(0, body=body))
    assert exported(runs, "catch_up_last_success_timestamp_seconds") == (SETTLED_AT_MS - 9_000) / 1000
    assert exported(runs, "catch_up_last_run_timestamp_seconds") == (SETTLED_AT_MS - 5_000) / 1000
    assert exported(runs, "catch_up_listed_resources") == 7
    assert [exported(runs, "catch_up_unmatched", rule=rule) for rule in (RULE, "other", "no-such")] == [0, 1, None]

    runs.report(finished_run(SETTLED_AT_MS - 1_000))
    assert exported(runs, "catch_up_unmatched", rule="other") == 0


def test_the_message_of_a_run_fits_into_the_queue_however_many_rules_nothing_fits() -> None:
    """A message takes 64 KB; the log and the document have all of them."""
    names = tuple(f"{number:063}" for number in range(10_000))
    body = finished_body(Finished(SETTLED_AT_MS, 0, 0, complete=False, unmatched_rules=names))
    assert len(body) < 48_000
    found = read_finished(body)
    assert found is not None
    assert found.unmatched_rules == names[:500]
    half = Finished(SETTLED_AT_MS, 0, 0, unmatched_rules=names[:250], recent=tuple((name, 2**30) for name in names))
    assert len(finished_body(half)) < 60_000
    found = read_finished(finished_body(half))
    assert found is not None
    assert found.recent == half.recent[:250]


@pytest.mark.parametrize("ahead_ms", [1_000_000, 10**12])
def test_a_run_that_claims_to_end_tomorrow_did_not_happen(ahead_ms: int) -> None:
    """It would keep the alert on missing runs silent until then."""
    runs = CatchUps([RULE], 7_200)
    runs.report(finished_run(SETTLED_AT_MS + ahead_ms))
    assert exported(runs, "catch_up_last_success_timestamp_seconds") is None


def test_a_clock_that_is_a_little_ahead_is_cut() -> None:
    """To the moment in which the message was settled."""
    runs = CatchUps([RULE], 7_200)
    runs.report(finished_run(SETTLED_AT_MS + 60_000))
    assert exported(runs, "catch_up_last_success_timestamp_seconds") == SETTLED_AT_MS / 1000


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "{}",
        finished_body(Finished(SETTLED_AT_MS, 7, 3)).replace("7", "-7"),
        finished_body(Finished(SETTLED_AT_MS, 7, 3)).replace(":7,", ":true,"),
        finished_body(Finished(SETTLED_AT_MS, 7, 3)).replace(":7,", ':"7",'),
        finished_body(Finished(SETTLED_AT_MS, 10**40, 3)),
        finished_body(Finished(10**60, 7, 3)),
        finished_body(Finished(SETTLED_AT_MS, 7, 3)).replace("CatchUpFinished", "Other"),
        finished_body(Finished(SETTLED_AT_MS, 7, 3)).replace("true", "1"),
        finished_body(Finished(SETTLED_AT_MS, 7, 3)).replace("[]", "[7]"),
        finished_body(Finished(SETTLED_AT_MS, 7, 3)).replace("[]", '"all"'),
        finished_body(Finished(SETTLED_AT_MS, 7, 3, unmatched_rules=("x" * 64,))),
        finished_body(Finished(SETTLED_AT_MS, 7, 3, recent=(("x" * 64, 1),))),
        finished_body(Finished(SETTLED_AT_MS, 7, 3, recent=((RULE, -1),))),
        finished_body(Finished(SETTLED_AT_MS, 7, 3, recent=((RULE, 10**40),))),
        finished_body(Finished(SETTLED_AT_MS, 7, 3)).replace("{}", "[]"),
        finished_body(Finished(SETTLED_AT_MS, 7, 3)).replace("{}", '{"a": true}'),
    ],
)
def test_what_says_what_cannot_be_says_nothing(body: str) -> None:
    """Whoever may write to the queue writes it; nothing is raised and nothing is exported."""
    runs = CatchUps([RULE], 7_200)
    runs.report(finished_run(SETTLED_AT_MS, body=body or " "))
    assert exported(runs, "catch_up_last_success_timestamp_seconds") is None
    assert exported(runs, "catch_up_listed_resources") is None
