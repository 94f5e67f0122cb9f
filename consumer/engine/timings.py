"""How long each stage of one delivery took, and which requests the work on it sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from consumer.core.sent import NO_REQUESTS, recorded_requests


class Timings:
    """Seconds by stage, in the order of the way; written by whoever has the delivery at the moment."""

    __slots__ = ("_monotonic", "_seconds", "request_ids", "requests")

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seconds: dict[str, float] = {}
        self.request_ids: tuple[str, ...] = ()
        """The resource's service's ids of the requests that the work on the delivery took."""
        self.requests = NO_REQUESTS
        """Every request that the work on the delivery took, with its answer."""

    def measure(self, stage: str) -> Measuring:
        """Measure what happens inside a `with`, added to what the stage has taken before."""
        return Measuring(self, stage, self._monotonic)

    @contextmanager
    def recording_requests(self) -> Iterator[None]:
        """Keep the requests that this thread sends inside a `with`, however it ends."""
        with recorded_requests() as trail:
            try:
                yield
            finally:
                self.requests = trail.sent

    def add(self, stage: str, seconds: float) -> None:
        """Add a time that was measured elsewhere."""
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def as_tuple(self) -> tuple[tuple[str, float], ...]:
        """Every stage with its seconds."""
        return tuple(self._seconds.items())


class Measuring:
    """One stretch of a stage, from the `with` to its end; a class, because a generator costs three times as much."""

    __slots__ = ("_monotonic", "_stage", "_started", "_timings")

    def __init__(self, timings: Timings, stage: str, monotonic: Callable[[], float]) -> None:
        self._timings = timings
        self._stage = stage
        self._monotonic = monotonic
        self._started = monotonic()

    def __enter__(self) -> None:
        """Measured from the call to `measure` on."""

    def __exit__(self, *_raised: object) -> None:
        self._timings.add(self._stage, self._monotonic() - self._started)
