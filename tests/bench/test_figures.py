"""The arithmetic behind the table."""

from __future__ import annotations

import pytest

from bench.figures import Spread, percentile, ratios


def test_a_spread_is_the_median_with_its_range() -> None:
    """The median does not follow one round that went wrong."""
    assert Spread.of([3.0, 100.0, 1.0]) == Spread(3.0, 1.0, 100.0)


def test_a_spread_of_nothing_is_an_error() -> None:
    """A row without measurements must not look like a number."""
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.of([])


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_percentile_is_a_value_that_occurred(share: float, expected: float) -> None:
    """It is the smallest one that so large a share does not exceed."""
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_the_p99_of_few_values_is_the_largest() -> None:
    """It is not made to look better than what happened."""
    assert percentile([1.0, 2.0, 9.0], 0.99) == 9.0


def test_ratios_are_taken_round_by_round() -> None:
    """A machine that was slow in one round was slow for both sides of it."""
    assert ratios([10.0, 5.0, 8.0], [2.0, 1.0, 2.0]) == [5.0, 5.0, 4.0]


def test_a_round_without_a_denominator_has_no_ratio() -> None:
    """It is left out, not infinite."""
    assert ratios([10.0, 4.0], [0.0, 2.0]) == [2.0]
