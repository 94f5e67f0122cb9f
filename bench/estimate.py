"""What a few noisy rounds prove about a target: an interval for their mean, and on which side of the target it lies.

The interval is Student's, at 99 %: rounds that leave a row undecided are followed by more, and a look after each of
them is one more chance to be wrong. A machine that is busy with something else proves nothing, however alike its rounds
are. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import fmean, stdev

FEWEST_ROUNDS = 3
"""Two rounds can agree by chance."""

QUIET_SHARE = 0.10
"""Of one core, which everything else on the measured cores may have taken in a round that counts."""

_STUDENT_99 = (
    *(63.66, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947),
    *(2.921, 2.898, 2.878, 2.861, 2.845, 2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.750),
)
"""The 99.5 % quantile for 1 to 30 degrees of freedom; the last one is taken for more, which is on the safe side."""


class Bound(StrEnum):
    """On which side of the target is good."""

    AT_LEAST = "≥"
    AT_MOST = "≤"
    BELOW = "<"

    def holds(self, value: float, target: float) -> bool:
        """Whether the value is on the good side."""
        match self:
            case Bound.AT_LEAST:
                return value >= target
            case Bound.AT_MOST:
                return value <= target
            case Bound.BELOW:
                return value < target


class Decision(StrEnum):
    """What a run says of a target."""

    MET = "met"
    NOT_MET = "NOT met"
    UNDECIDED = "undecided"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the mean is, with 99 % confidence."""

    low: float
    high: float

    def decide(self, bound: Bound, target: float) -> Decision:
        """Met or not met only if every value in it says the same."""
        match bound.holds(self.low, target), bound.holds(self.high, target):
            case True, True:
                return Decision.MET
            case False, False:
                return Decision.NOT_MET
            case _:
                return Decision.UNDECIDED


def interval(values: Sequence[float]) -> Interval | None:
    """The interval that these rounds give; None for too few of them."""
    if len(values) < FEWEST_ROUNDS:
        return None
    if min(values) == max(values):
        return Interval(values[0], values[0])  # as it is: a mean of equal values may be rounded
    quantile = _STUDENT_99[min(len(values) - 1, len(_STUDENT_99)) - 1]
    reach = quantile * stdev(values) / sqrt(len(values))
    return Interval(fmean(values) - reach, fmean(values) + reach)


def quiet(share: float) -> bool:
    """Whether a round counts in which everything else took this share of a core."""
    return share <= QUIET_SHARE
