"""The arithmetic: percentiles, medians with their range, and ratios round by round. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """What several rounds came to."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of at least one value.

        Raises:
            ValueError: there is none.
        """
        found = list(values)
        if not found:
            raise ValueError("nothing was measured")
        return cls(median(found), min(found), max(found))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[min(len(ordered), int(rank)) - 1]


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Each round's ratio: rounds are interleaved, so that what disturbs one side disturbs the other too.

    A round in which the denominator is 0 has none.
    """
    return [top / bottom for top, bottom in zip(numerators, denominators, strict=True) if bottom]
