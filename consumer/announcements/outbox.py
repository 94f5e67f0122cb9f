"""What waits to be published: in order, bounded, and counted whatever becomes of it."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from enum import StrEnum

from consumer.announcements.records import Announcement, Digest, Kind

MOST_WAITING = 1_000


class PublishResult(StrEnum):
    """What became of an announcement."""

    PUBLISHED = "published"
    FAILED = "failed"
    """The service refused it for good, or for too long."""
    DROPPED = "dropped"
    """Too many waited, or the process stopped first."""


class Outbox:
    """Filled by every thread that settles; only the thread that publishes takes anything out."""

    def __init__(self, most_waiting: int = MOST_WAITING, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most_waiting = most_waiting
        self._monotonic = monotonic
        self._waiting: deque[tuple[float, Announcement]] = deque()
        """Each with the monotonic moment at which it was put here."""
        self._results: Counter[tuple[Kind, PublishResult]] = Counter()
        self._changed = threading.Condition()

    def put(self, announced: Announcement) -> bool:
        """To the end of the line; false if that is full, so that it is dropped."""
        with self._changed:
            if len(self._waiting) >= self._most_waiting:
                self._results[announced.kind, PublishResult.DROPPED] += 1
                return False
            self._waiting.append((self._monotonic(), announced))
            self._changed.notify()
            return True

    def first(self, wait_seconds: float) -> Announcement | None:
        """The one whose turn it is, which stays here until it has ended; None if there is none for so long."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(wait_seconds)
            return self._waiting[0][1] if self._waiting else None

    def rest(self, seconds: float) -> None:
        """Wait for so long, or until something is put here."""
        with self._changed:
            self._changed.wait(seconds)

    def ended(self, result: PublishResult) -> None:
        """The first one has come to this."""
        with self._changed:
            self._results[self._waiting.popleft()[1].kind, result] += 1

    def postpone(self) -> None:
        """The first one waits behind all others, as old as it is."""
        with self._changed:
            self._waiting.rotate(-1)

    def forget_older(self, seconds: float) -> tuple[Announcement, ...]:
        """Take out what is no news any more, all at once, so that fresh ones find a place; returns what that is."""
        with self._changed:
            latest = self._monotonic() - seconds
            old = tuple(announced for at, announced in self._waiting if at <= latest)
            self._waiting = deque((at, announced) for at, announced in self._waiting if at > latest)
            self._results.update((announced.kind, PublishResult.FAILED) for announced in old)
            return old

    def close(self) -> None:
        """Drop what is left, and whatever comes from now on."""
        with self._changed:
            self._most_waiting = 0
            self._results.update((announced.kind, PublishResult.DROPPED) for _, announced in self._waiting)
            self._waiting.clear()

    def results(self) -> Mapping[tuple[Kind, PublishResult], int]:
        """How many announcements had which result, by kind; every combination has its number."""
        with self._changed:
            return {(kind, result): self._results[kind, result] for kind in Kind for result in PublishResult}

    def waiting(self) -> int:
        """How many wait for their turn now."""
        return len(self._waiting)

    def waiting_seconds(self) -> float:
        """How long the one that has waited longest has done so; 0 if none does."""
        with self._changed:
            return max((self._monotonic() - at for at, _ in self._waiting), default=0.0)

    def digests(self) -> frozenset[Kind]:
        """Of which kinds a digest waits."""
        with self._changed:
            return frozenset(announced.kind for _, announced in self._waiting if isinstance(announced, Digest))
