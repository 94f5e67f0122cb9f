"""Quantiles are exact for few durations and within 1 % for any number, in a memory that does not grow."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.operator.report.quantiles import Quantiles

SHARES = (0.01, 0.5, 0.95, 0.99, 1.0)
SECONDS = st.floats(0, 16 * 86_400)


def ranked(seconds: list[float], share: float) -> float:
    """The duration that so large a share does not exceed, by sorting all of them."""
    return sorted(seconds)[max(1, math.ceil(share * len(seconds))) - 1]


def filled(seconds: list[float]) -> Quantiles:
    """All of them counted."""
    found = Quantiles()
    for each in seconds:
        found.add(each)
    return found


@given(st.lists(SECONDS, min_size=1, max_size=200), st.sampled_from(SHARES))
def test_few_are_exact(seconds: list[float], share: float) -> None:
    """As by sorting."""
    found = filled(seconds)
    assert found.exact
    assert found.at(share) == ranked(seconds, share)
    assert (found.count, found.longest) == (len(seconds), max(seconds))


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(
    "draw",
    [
        lambda dice: dice.lognormvariate(3, 2),
        lambda dice: dice.uniform(0.001, 1_382_400),
        lambda dice: dice.choice([0.001, 5.0, 1_382_400.0]),
        lambda _dice: 7.25,
    ],
)
def test_many_are_within_one_percent(draw: object, share: float) -> None:
    """Whatever their distribution."""
    dice = random.Random(7)  # noqa: S311 - the same numbers in each run
    seconds = [min(draw(dice), 1_382_400.0) for _ in range(20_000)]  # type: ignore[operator]
    found = filled(seconds)
    assert not found.exact
    assert found.at(share) == pytest.approx(ranked(seconds, share), rel=0.0101, abs=0.001)
    assert found.at(share) <= found.longest == max(seconds)


def test_memory_does_not_grow_with_their_number() -> None:
    """From a millisecond to the longest that is believed there are about a thousand buckets."""
    dice = random.Random(7)  # noqa: S311 - the same numbers in each run
    found = filled([dice.uniform(0, 1) ** 8 * 1_382_400 for _ in range(100_000)])
    assert len(found._buckets) < 1_100
    assert found._exact == []


def test_nothing_has_no_quantiles() -> None:
    """Zero, and no division."""
    assert Quantiles().at(0.5) == 0.0
