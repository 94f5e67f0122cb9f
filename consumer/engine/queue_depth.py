"""Asks the queues how many messages they hold, so seldom that an idle replica costs hardly more than its long poll.

It only looks: no message depends on it, and it never talks to the engine. What the service does not tell, tells no
more, or tells falsely is unknown, and unknown is never 0.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from consumer.core.errors import Retryable, ServiceError
from consumer.core.outcome import Disposition
from consumer.core.queue_attributes import Figures, QueueAttributes
from consumer.engine.heartbeat import Pulse
from consumer.engine.in_flight import Books

LOOK_SECONDS = 5.0
"""How often is looked whether a queue has to be asked; at most one is, each time."""

_MISSED = 3
"""Figures that could not be renewed for so many intervals are unknown."""

_UNKNOWN = Figures()


class SampledQueue(Protocol):
    """The part of the queue gateway that this needs."""

    @property
    def name(self) -> str: ...
    def attributes(self) -> QueueAttributes: ...
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
    """One queue and what it last said; written by the sampling thread only, read by scrapes."""

    queue: SampledQueue
    dead_letters: bool
    """Whether this process sends to it; otherwise it receives from it."""
    figures: Figures = _UNKNOWN
    """Unknown before the first good answer, and from the moment there is none any more."""
    may_ask: bool = True
    """Whether the last answer was no refusal."""
    asked_at: float = field(default=0.0, init=False)
    good_at: float = field(default=0.0, init=False)
    books: Books = field(init=False)
    """As they were when it was last asked."""


class Sampler:
    """One thread that asks every watched queue in its turn."""

    def __init__(
        self,
        watched: Sequence[Watched],
        books: Callable[[], Books],
        stopping: threading.Event,
        pulse: Pulse,
        policy: SamplingPolicy,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """`watched` holds what the queues said at the start, so that nothing is asked twice then."""
        self._watched = watched
        self._books = books
        self._stopping = stopping
        self._pulse = pulse
        self._policy = policy
        self._monotonic = monotonic
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
        while not self._stopping.is_set():
            self.step()
            self._pulse.beat("idle", LOOK_SECONDS)
            self._pause(LOOK_SECONDS)

    def step(self) -> None:
        """Ask the first queue that is due, if one is."""
        now, books = self._monotonic(), self._books()
        for each in self._watched:
            interval = self._interval(each, books)
            if now - each.asked_at >= interval:
                self._ask(each, now, interval)
                return

    def figures(self) -> Mapping[str, Figures]:
        """What is known of each queue, by name; nothing where all that is known is a 0 that proves nothing."""
        return {
            each.queue.name: each.figures for each in self._watched if self._counts or any(each.figures.told().values())
        }

    def _interval(self, each: Watched, books: Books) -> float:
        busy = each.may_ask and _traffic(each, books)
        return self._policy.busy_seconds if busy else self._policy.idle_seconds

    def _ask(self, each: Watched, now: float, interval: float) -> None:
        self._pulse.beat(f"asking {each.queue.name} what it holds")
        each.asked_at, each.books = now, self._books()
        try:
            found = each.queue.attributes().figures
        except Retryable:
            if now - each.good_at > _MISSED * interval:
                each.figures = _UNKNOWN
        except ServiceError:
            each.figures, each.may_ask = _UNKNOWN, False
        else:
            self._judge(found, self._held_meanwhile(each))
            each.figures, each.may_ask, each.good_at = found, True, now
        finally:
            each.queue.close()  # kept open, it would be dead by the next request

    def _held_meanwhile(self, each: Watched) -> bool:
        """Whether messages of this queue were in work here when it was asked, and still are."""
        return not each.dead_letters and each.books.working > 0 and self._books().working > 0

    def _judge(self, found: Figures, held: bool = False) -> None:
        """Believe zeros once a figure was none; no longer once a queue hides nothing that we hold a lease on."""
        if any(found.told().values()):
            self._counts = True
        elif held:
            self._counts = False


def _traffic(each: Watched, books: Books) -> bool:
    """Whether this process has moved messages of the queue since it was last asked, or has some in hand."""
    if each.dead_letters:
        return books.settled[Disposition.DEAD_LETTERED] != each.books.settled[Disposition.DEAD_LETTERED]
    return books.in_flight > 0 or books != each.books
