"""The arithmetic: percentiles, medians with their range, and ratios round by round. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.estimate import Interval, interval, quiet


@dataclass(frozen=True, slots=True)
class Spread:
    """What several rounds came to."""

    median: float
    least: float
    most: float
    interval: Interval | None = None
    """What the quiet rounds prove; None where they are too few."""
    others_share: float = 0.0
    """Of a core, what everything else on the measured cores took in the median round."""
    disturbed: int = 0
    """Rounds that do not count for that."""
    pair: tuple[str, str, str] | None = None
    """Row and both contenders, where it is a ratio of two."""

    @classmethod
    def of(cls, values: Iterable[float], others: Iterable[float] = ()) -> Spread:
        """The spread of at least one value; `others` is what everything else took of a core in each round.

        Raises:
            ValueError: there is none.
        """
        found = list(values)
        if not found:
            raise ValueError("nothing was measured")
        shares = list(others) or [0.0] * len(found)
        counting = [value for value, share in zip(found, shares, strict=True) if quiet(share)]
        disturbed = len(found) - len(counting)
        return cls(median(found), min(found), max(found), interval(counting), median(shares), disturbed)

    @classmethod
    def exact(cls, value: float) -> Spread:
        """A count, which no noise can change."""
        return cls(value, value, value, Interval(value, value))


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
