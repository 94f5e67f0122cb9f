"""A verdict is given only where the rounds prove it, whatever the rounds are like."""

from __future__ import annotations

from random import Random
from statistics import fmean

import pytest

from bench.estimate import FEWEST_ROUNDS, Bound, Decision, Interval, interval, quiet
from bench.figures import Spread

MOST, LEAST, BELOW = Bound.AT_MOST, Bound.AT_LEAST, Bound.BELOW


def test_the_interval_of_a_known_sample() -> None:
    """Five values with mean 3 and standard deviation 1.5811: 3 ± 4.604 x 0.70711, by any table of Student's t."""
    found = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(-0.2555, abs=1e-3), pytest.approx(6.2555, abs=1e-3))


@pytest.mark.parametrize("count", range(FEWEST_ROUNDS))
def test_too_few_rounds_prove_nothing(count: int) -> None:
    """One or two can agree by chance."""
    assert interval([1.0] * count) is None


def test_rounds_without_a_difference_are_judged_by_their_value() -> None:
    """As counts of requests are."""
    found = interval([0.125] * 3)
    assert found == Interval(0.125, 0.125)
    assert found.decide(MOST, 0.2) is Decision.MET
    assert found.decide(MOST, 0.1) is Decision.NOT_MET


@pytest.mark.parametrize(
    ("bound", "low", "high", "expected"),
    [
        (MOST, 1.0, 1.1, Decision.MET),
        (MOST, 1.0, 1.2, Decision.UNDECIDED),
        (MOST, 1.11, 1.2, Decision.NOT_MET),
        (LEAST, 1.1, 1.2, Decision.MET),
        (LEAST, 1.0, 1.2, Decision.UNDECIDED),
        (LEAST, 1.0, 1.09, Decision.NOT_MET),
        (BELOW, 1.0, 1.1, Decision.UNDECIDED),
        (BELOW, 1.1, 1.1, Decision.NOT_MET),
    ],
)
def test_a_target_inside_the_interval_is_undecided(bound: Bound, low: float, high: float, expected: Decision) -> None:
    """Every value in it has to say the same."""
    assert Interval(low, high).decide(bound, 1.1) is expected


def test_more_rounds_than_the_table_has_take_its_last_value() -> None:
    """Which is a little too wide, never too narrow."""
    values = [1.0, 1.2] * 50
    found = interval(values)
    assert found is not None
    assert 0.025 < found.high - fmean(values) < 0.03


def looks(draw: Random, true: float, noise: float, *, outliers: float = 0.0) -> Decision:
    """What a run says that looks after every round from the third to the twelfth, and stops once it is decided."""
    values: list[float] = []
    for number in range(1, 13):
        value = draw.gauss(true, true * noise)
        values.append(value * (1.5 if draw.random() < outliers else 1.0))
        found = interval(values)
        decision = Decision.UNDECIDED if found is None else found.decide(MOST, 1.1)
        if number >= FEWEST_ROUNDS and decision is not Decision.UNDECIDED:
            return decision
    return Decision.UNDECIDED


@pytest.mark.parametrize(
    ("true", "noise", "outliers", "wrong"),
    [
        (1.1001, 0.01, 0.0, Decision.MET),
        (1.1001, 0.2, 0.0, Decision.MET),
        (1.0999, 0.01, 0.0, Decision.NOT_MET),
        (1.0999, 0.2, 0.0, Decision.NOT_MET),
        (1.2, 0.05, 0.0, Decision.MET),
        (1.1001, 0.05, 0.1, Decision.MET),
    ],
)
def test_a_wrong_verdict_is_rare_even_if_every_round_is_looked_at(
    true: float, noise: float, outliers: float, wrong: Decision
) -> None:
    """Drawn with a fixed seed: a thousand runs of a ratio that is just, or clearly, on the other side."""
    draw = Random(18)  # noqa: S311 - no secret
    found = [looks(draw, true, noise, outliers=outliers) for _ in range(1_000)]
    assert found.count(wrong) < 50


def test_clear_cases_are_decided() -> None:
    """Or the estimator would be honest by never saying anything."""
    draw = Random(18)  # noqa: S311 - no secret
    assert [looks(draw, 0.9, 0.05) for _ in range(200)].count(Decision.MET) > 190
    assert [looks(draw, 1.4, 0.05) for _ in range(200)].count(Decision.NOT_MET) > 190


def test_rounds_on_a_busy_machine_do_not_count() -> None:
    """However alike they are; those that were quiet do, if there are enough of them."""
    busy = Spread.of([1.0] * 4, [0.5, 0.5, 0.0, 0.0])
    assert (busy.interval, busy.disturbed, busy.others_share) == (None, 2, 0.25)
    enough = Spread.of([5.0, 1.0, 1.0, 1.0], [0.5, 0.0, 0.1, 0.05])
    assert (enough.interval, enough.disturbed) == (Interval(1.0, 1.0), 1)
    assert quiet(0.1)
    assert not quiet(0.11)
