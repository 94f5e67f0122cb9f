"""What is known of how many messages the queues hold, and when each of them is sampled next.

So seldom that an idle replica costs hardly more than its long poll. A figure that the service does not give, no longer
gives or gives wrongly is unknown, and unknown is never 0. `consumer.engine.sampler` sends the requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from consumer.core.message import Peeked
from consumer.core.outcome import Disposition
from consumer.core.queue_attributes import Figures, QueueAttributes
from consumer.engine.in_flight import Books

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
    readable: bool = True
    """Whether the last request for its attributes was not refused."""
    retention_seconds: int = 0
    """How long the queue keeps a message, as far as it says; 0 otherwise."""
    may_peek: bool = True
    """Whether the last peek at its messages was not refused."""
    has_letters: bool = field(default=False, init=False)
    """Whether the last look showed some."""
    requested_at: float = field(default=0.0, init=False)
    answered_at: float = field(default=0.0, init=False)
    stale_at: float = field(default=0.0, init=False)
    """From when on its figures are too old to be shown, if the request under way fails too."""
    books: Books = field(init=False)
    """The books when it was last sampled."""

    @property
    def hidden(self) -> int:
        """How many messages it holds that a peek does not show, as far as that is known."""
        return (self.figures.inactive or 0) + (self.figures.delayed or 0)


class QueueWatch:
    """Every watched queue in its turn; used by the sampling thread, its figures by scrapes."""

    def __init__(
        self,
        watched: Sequence[Watched],
        books: Callable[[], Books],
        policy: SamplingPolicy,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`watched` holds the figures read at the start, so that no queue is read twice then."""
        self.watched = tuple(watched)
        self.books = books
        self._policy = policy
        self._monotonic = monotonic
        self._counts = False
        """Whether the service is known to count at all: it has announced to answer 0 to everybody."""
        now, at_start = monotonic(), books()
        for place, each in enumerate(watched):
            # Spread over the idle interval, so that idle requests never come in pairs.
            each.requested_at = now - place * policy.idle_seconds / len(watched)
            each.answered_at, each.books = now, at_start
            self._judge(each.figures)

    def due(self) -> Watched | None:
        """The queue that has been due for the longest time, if one is due."""
        now = self._monotonic()
        late = [(now - each.requested_at - self._interval(each), place) for place, each in enumerate(self.watched)]
        longest, place = max(late)
        return self.watched[place] if longest >= 0 else None

    def begin(self, each: Watched) -> None:
        """A request for its attributes is about to be sent."""
        each.stale_at = each.answered_at + _MISSED * self._interval(each)
        each.requested_at, each.books = self._monotonic(), self.books()

    def answered(self, each: Watched, found: QueueAttributes) -> None:
        """Its attributes are here."""
        # Whether messages of this queue were in work here when the request was sent, and still are.
        held = not each.dead_letters and each.books.working > 0 and self.books().working > 0
        self._judge(found.figures, held)
        each.figures, each.readable, each.answered_at = found.figures, True, each.requested_at
        each.retention_seconds = found.retention_seconds

    def unanswered(self, each: Watched) -> None:
        """The request has failed in a way that may pass: what was known stays for a while."""
        if each.requested_at > each.stale_at:
            each.figures = _UNKNOWN

    def refused(self, each: Watched) -> None:
        """The request was refused, and what was known is not shown a moment longer."""
        each.figures, each.readable = _UNKNOWN, False

    def figures(self) -> Mapping[str, Figures]:
        """What is known of each queue, by name; nothing where all that is known is a 0 that proves nothing."""
        return {
            each.queue.name: each.figures for each in self.watched if self._counts or any(each.figures.known().values())
        }

    def _interval(self, each: Watched) -> float:
        busy = each.readable and _traffic(each, self.books())
        return self._policy.busy_seconds if busy else self._policy.idle_seconds

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
