"""Asks the queues how many messages they hold, so seldom that an idle replica costs hardly more than its long poll.

It only reads, and never touches a message; parking learns from it how long the queue keeps them. A figure that the
service does not give, no longer gives or gives wrongly is unknown, and unknown is never 0.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from consumer.core.errors import Retryable, ServiceError
from consumer.core.message import Peeked
from consumer.core.outcome import Disposition
from consumer.core.queue_attributes import Figures, QueueAttributes
from consumer.core.queue_limits import MAX_BATCH
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.in_flight import Books

LOOK_SECONDS = 5.0
"""How often the sampler checks whether a queue is due; it reads at most one each time."""

_MISSED = 3
"""Figures that could not be renewed for so many intervals are unknown."""

_UNKNOWN = Figures()


@dataclass(frozen=True, slots=True)
class DepthSample:
    """What one look at a queue showed."""

    queue: str
    dead_letters: bool
    figures: Figures
    """Unknown where nothing can be believed."""
    quiet: bool = False
    """Whether this process neither received nor settled anything meanwhile."""
    letters: tuple[Peeked, ...] | None = None
    """The messages that a peek at a dead-letter queue showed; None where that is not possible."""
    complete: bool = False
    """Whether nothing else is visible there."""
    started_at: float = 0.0
    """Local wall-clock seconds."""
    retention_seconds: int = 0
    """How long it keeps a message; 0 if not known."""


class SampledQueue(Protocol):
    """The part of the queue gateway that this needs."""

    @property
    def name(self) -> str: ...
    def attributes(self) -> QueueAttributes: ...
    def peek(self, count: int) -> list[Peeked]: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SamplingPolicy:
    """How long after one request to a queue the next one follows."""

    busy_seconds: float = 60.0
    """While there is traffic, or was since."""
    idle_seconds: float = 600.0
    """Otherwise, and after a refusal."""


@dataclass(slots=True)
class Watched:
    """One queue and its latest figures; written by the sampling thread only, read by scrapes."""

    queue: SampledQueue
    dead_letters: bool
    """Whether this process sends to it; otherwise it receives from it."""
    figures: Figures = _UNKNOWN
    """Unknown before the first good answer, and from the moment there is none any more."""
    may_ask: bool = True
    """Whether the last answer was no refusal."""
    retention_seconds: int = 0
    """How long the queue keeps a message, as far as it says; 0 otherwise."""
    may_peek: bool = True
    """Whether the last look at its messages was no refusal."""
    has_letters: bool = field(default=False, init=False)
    """Whether the last look showed some."""
    asked_at: float = field(default=0.0, init=False)
    good_at: float = field(default=0.0, init=False)
    books: Books = field(init=False)
    """The books when it was last sampled."""


class Sampler:
    """One thread that asks every watched queue in its turn."""

    def __init__(
        self,
        watched: Sequence[Watched],
        books: Callable[[], Books],
        stopping: threading.Event,
        heartbeat: Heartbeat,
        policy: SamplingPolicy,
        *,
        observe: Callable[[DepthSample], None] = lambda _: None,
        learn: Callable[[QueueAttributes | None], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """`watched` holds the figures read at the start, so that no queue is read twice then.

        `learn` gets the attributes of the queue that this process receives from at each sample, None after a refusal.
        """
        self._watched = watched
        self._books = books
        self._stopping = stopping
        self._heartbeat = heartbeat
        self._policy = policy
        self._observe = observe
        self._learn = learn
        self._monotonic = monotonic
        self._wall = wall
        self._pause = pause or stopping.wait
        self._counts = False
        """Whether the service is known to count at all: it has announced to answer 0 to everybody."""
        now, at_start = monotonic(), books()
        for place, each in enumerate(watched):
            # Spread over the idle interval, so that idle requests never come in pairs.
            each.asked_at = now - place * policy.idle_seconds / len(watched)
            each.good_at, each.books = now, at_start
            self._judge(each.figures)

    def run(self) -> None:
        """Look until the process stops; a request that is under way then ends within its deadline."""
        self.look_at_letters()
        while not self._stopping.is_set():
            self.step()
            self._heartbeat.beat("idle", LOOK_SECONDS)
            self._pause(LOOK_SECONDS)

    def look_at_letters(self) -> None:
        """See what was given up before this process: its figures are known from the start, its messages are not."""
        for each in self._watched:
            if each.dead_letters:
                self._look(each, self._books())
                each.queue.close()

    def step(self) -> None:
        """Sample the queue that has been due for the longest time, if one is due."""
        now, books = self._monotonic(), self._books()
        late = [(now - each.asked_at - self._interval(each, books), place) for place, each in enumerate(self._watched)]
        longest, place = max(late)
        if longest >= 0:
            each = self._watched[place]
            self._ask(each, now, self._interval(each, books))

    def figures(self) -> Mapping[str, Figures]:
        """What is known of each queue, by name; nothing where all that is known is a 0 that proves nothing."""
        return {
            each.queue.name: each.figures
            for each in self._watched
            if self._counts or any(each.figures.known().values())
        }

    def _interval(self, each: Watched, books: Books) -> float:
        busy = each.may_ask and _traffic(each, books)
        return self._policy.busy_seconds if busy else self._policy.idle_seconds

    def _ask(self, each: Watched, now: float, interval: float) -> None:
        self._heartbeat.beat(f"asking {each.queue.name} what it holds")
        before = self._books()
        each.asked_at, each.books = now, before
        try:
            attributes = each.queue.attributes()
        except Retryable:
            if now - each.good_at > _MISSED * interval:
                each.figures = _UNKNOWN
        except ServiceError:
            each.figures, each.may_ask = _UNKNOWN, False
            if not each.dead_letters:
                self._learn(None)
        else:
            found = attributes.figures
            self._judge(found, self._held_meanwhile(each))
            each.figures, each.may_ask, each.good_at = found, True, now
            each.retention_seconds = attributes.retention_seconds
            if not each.dead_letters:
                self._learn(attributes)
        self._look(each, before)
        each.queue.close()  # kept open, it would be dead by the next request

    def _look(self, each: Watched, before: Books) -> None:
        """Report what the queue shows; of a dead-letter queue its letters too, by a peek, which leaves them visible."""
        self._heartbeat.beat(f"looking at {each.queue.name}")
        started_at, letters, complete = self._wall(), None, False
        if each.dead_letters:
            try:
                letters = tuple(each.queue.peek(MAX_BATCH))
            except ServiceError as error:
                each.may_peek = isinstance(error, Retryable) and each.may_peek
            else:
                each.may_peek, each.has_letters = True, bool(letters)
                hidden = (each.figures.inactive or 0) + (each.figures.delayed or 0) if self._counts else 0
                complete = len(letters) < MAX_BATCH and not hidden
        figures = self.figures().get(each.queue.name, _UNKNOWN)
        quiet = self._books() == before
        self._observe(
            DepthSample(
                each.queue.name,
                each.dead_letters,
                figures,
                quiet,
                letters,
                complete,
                started_at,
                each.retention_seconds,
            )
        )

    def _held_meanwhile(self, each: Watched) -> bool:
        """Whether messages of this queue were in work here when it was sampled, and still are."""
        return not each.dead_letters and each.books.working > 0 and self._books().working > 0

    def _judge(self, found: Figures, held: bool = False) -> None:
        """Believe zeros once a figure was none; no longer once a queue hides nothing that we hold a lease on."""
        if any(found.known().values()):
            self._counts = True
        elif held:
            self._counts = False


def _traffic(each: Watched, books: Books) -> bool:
    """Whether this process has moved messages of the queue since the last sample, or has some in flight."""
    if each.dead_letters:
        if each.has_letters and each.may_peek:
            return True  # so that it is soon known that a person has settled one
        return books.settled[Disposition.DEAD_LETTERED] != each.books.settled[Disposition.DEAD_LETTERED]
    return books.in_flight > 0 or books != each.books
