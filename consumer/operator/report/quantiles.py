"""Quantiles of any number of durations in a bounded memory. Pure.

Up to so many durations they are exact. After that each duration is counted in a bucket whose bounds are 2 % apart, so a
quantile is off by 1 % at most; the longest stays exact. The method is that of DDSketch (Masson, Rim, Lee: "DDSketch: a
fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).
"""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter

_EXACT = 1_000
"""So many durations are kept as they are."""
_RATIO = 1.02
_SHORTEST_SECONDS = 0.001
"""The journal counts milliseconds: less is counted as this much. The longest is bounded by who adds."""


class Quantiles:
    """Durations of one kind."""

    def __init__(self) -> None:
        self._exact: list[float] = []
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration, of 0 seconds or more."""
        self.count += 1
        self.longest = max(self.longest, seconds)
        self._buckets[_bucket(seconds)] += 1
        if self.exact:
            insort(self._exact, seconds)
        else:
            self._exact.clear()

    @property
    def exact(self) -> bool:
        """Whether quantiles are exact, not within 1 %."""
        return self.count <= _EXACT

    def at(self, share: float) -> float:
        """The duration that so large a share of them does not exceed, in seconds; 0 without any."""
        rank = max(1, math.ceil(share * self.count))
        if self.exact:
            return self._exact[rank - 1] if self._exact else 0.0
        passed = 0
        for bucket in sorted(self._buckets):
            passed += self._buckets[bucket]
            if passed >= rank:
                return min(_middle(bucket), self.longest)
        return self.longest


def _bucket(seconds: float) -> int:
    return math.ceil(math.log(max(seconds, _SHORTEST_SECONDS), _RATIO))


def _middle(bucket: int) -> float:
    """The value within the bucket that is off by the same share from both of its bounds."""
    return 2 * _RATIO**bucket / (_RATIO + 1)
