"""The arithmetic behind the table."""

from __future__ import annotations

import pytest

from bench.figures import Spread, percentile


def test_a_spread_is_the_median_with_its_range() -> None:
    """The median does not follow one round that went wrong."""
    found = Spread.of([3.0, 100.0, 1.0])
    assert (found.median, found.least, found.most) == (3.0, 1.0, 100.0)


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
