"""Times in events are claims: what is exported of them stays within what can be believed, and the log has the claim."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event_times import OLDEST_BELIEVED_MS, ImplausibleTime, believed_ms, doubt
from consumer.core.outcome import Ending, Outcome
from consumer.core.parked import OLDEST_MS, Carried, History, carried, written
from consumer.telemetry.exposure import OpenExposures, exposure_seconds, upstream_seconds
from tests.unit.telemetry.records import SETTLED_AT_MS, event, report
from tests.unit.telemetry.scrape import metrics, value

IN_2010, IN_2199 = 1_262_304_000_001, 7_226_582_400_000
OLDEST_SECONDS = OLDEST_BELIEVED_MS / 1000
NOW = SETTLED_AT_MS


@given(st.integers(0, 10**13))
def test_what_is_believed_lies_within_the_bounds_and_is_the_claim_where_that_does(claimed: int) -> None:
    """Whatever is claimed; and a claim that is believed is not changed, but for clocks that run ahead a little."""
    believed = believed_ms(claimed, NOW)
    assert NOW - OLDEST_BELIEVED_MS <= believed <= NOW
    if doubt(claimed, NOW) is None:
        assert believed == min(claimed, NOW)
    else:
        assert believed != claimed


@pytest.mark.parametrize(
    ("claimed", "wrong"),
    [
        (NOW, None),
        (NOW - OLDEST_BELIEVED_MS, None),
        (NOW - OLDEST_BELIEVED_MS - 1, ImplausibleTime.PAST),
        (NOW + 900_000, None),
        (NOW + 900_001, ImplausibleTime.FUTURE),
        (IN_2010, ImplausibleTime.PAST),
        (IN_2199, ImplausibleTime.FUTURE),
    ],
)
def test_where_belief_ends(claimed: int, wrong: ImplausibleTime | None) -> None:
    """A day in the topic, seven in the queue, seven as a dead letter, one until the evaluator looks again."""
    assert doubt(claimed, NOW) is wrong


@pytest.mark.parametrize(("claimed", "seconds"), [(IN_2010, OLDEST_SECONDS), (IN_2199, 0.0)])
def test_an_exposure_counts_from_what_can_be_believed(claimed: int, seconds: float) -> None:
    """Not 5.3e8 seconds, and never less than none; the times before the receive alike."""
    one = report(Outcome.FIXED, event=event(evaluated_at_ms=claimed, notified_at_ms=claimed))
    exposed = exposure_seconds(one)
    assert exposed is not None
    assert abs(exposed - seconds) < 60
    assert all(0 <= found <= OLDEST_SECONDS for _, found in upstream_seconds(one))


@pytest.mark.parametrize("how", ["kept", "superseded", "given up"])
def test_the_oldest_exposure_is_one_that_can_be_believed(how: str) -> None:
    """A forged event does not make 2010 the oldest open exposure, whatever becomes of it."""
    open_now = OpenExposures(wall=lambda: NOW / 1000)
    open_now.observe(report(Outcome.HELD, hidden_seconds=60.0))
    forged = event(evaluated_at_ms=IN_2010)
    outcome = {"kept": Outcome.HELD, "superseded": Outcome.SUPERSEDED, "given up": Outcome.REJECTED}[how]
    open_now.observe(report(outcome, event=forged, ending=Ending(outcome), hidden_seconds=60.0))
    (oldest,) = open_now.oldest().values()
    assert oldest >= NOW / 1000 - OLDEST_SECONDS


@pytest.mark.parametrize(("claimed", "bound"), [(IN_2010, "past"), (IN_2199, "future")])
def test_the_case_is_counted(claimed: int, bound: str) -> None:
    """By which bound it breaks; both begin at 0."""
    found = metrics()
    assert {value(found, "event_times_corrected_total", bound=each) for each in ("past", "future")} == {0.0}
    found.report(report(Outcome.HELD, event=event(evaluated_at_ms=claimed)))
    found.report(report(Outcome.HELD))
    assert value(found, "event_times_corrected_total", bound=bound) == 1.0


def test_a_message_that_waited_parked_for_a_month_is_believed_to_be_that_old() -> None:
    """Its exposure is not cut to sixteen days and counted as forged; a forged history gains its bound and no more."""
    month_ms = 30 * 86_400_000
    history = History("origin", NOW - month_ms, NOW - month_ms + 1, 1, 0, "held:paused")
    message = replace(report(Outcome.FIXED).message, carried=Carried(history))
    evaluated = event(evaluated_at_ms=NOW - month_ms - 60_000)
    exposed = exposure_seconds(report(Outcome.FIXED, event=evaluated, message=message))
    assert exposed is not None
    assert abs(exposed - month_ms / 1_000 - 60) < 60
    found = metrics()
    found.report(report(Outcome.HELD, event=evaluated, message=message))
    assert value(found, "event_times_corrected_total", bound="past") == 0
    found.report(report(Outcome.HELD, event=evaluated))
    assert value(found, "event_times_corrected_total", bound="past") == 1
    forged = carried(written(replace(history, first_enqueued_ms=1, first_received_ms=2)), NOW)
    absurd = report(Outcome.FIXED, event=event(evaluated_at_ms=1), message=replace(message, carried=forged))
    most = exposure_seconds(absurd)
    assert most is not None
    assert most <= (OLDEST_MS + OLDEST_BELIEVED_MS) / 1_000 + 60


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_a_first_copy_can_only_make_a_claim_easier_to_believe(claimed: int, first: int) -> None:
    """Never is a moment moved further than without it, and never into the future."""
    assert believed_ms(claimed, NOW, first) <= believed_ms(claimed, NOW)
    if doubt(claimed, NOW) is None:
        assert doubt(claimed, NOW, first) is None
