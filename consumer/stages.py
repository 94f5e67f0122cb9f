"""How long each stage of one delivery took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stages:
    """Seconds by stage, in the order of the way; written by whoever has the delivery at the moment."""

    __slots__ = ("_monotonic", "_seconds", "request_ids")

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seconds: dict[str, float] = {}
        self.request_ids: tuple[str, ...] = ()
        """The resource's service's ids of the requests that the work on the delivery took."""

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Measure what happens inside, added to what the stage has taken before."""
        started = self._monotonic()
        try:
            yield
        finally:
            self.add(stage, self._monotonic() - started)

    def add(self, stage: str, seconds: float) -> None:
        """Add a time that was measured elsewhere."""
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def as_tuple(self) -> tuple[tuple[str, float], ...]:
        """Every stage with its seconds."""
        return tuple(self._seconds.items())
