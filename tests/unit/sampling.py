"""A sampler over a queue that says what a test wants it to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from consumer.core.errors import ServiceError
from consumer.core.message import Peeked
from consumer.core.outcome import Disposition
from consumer.core.queue_attributes import Figures, QueueAttributes
from consumer.engine.in_flight import Books
from consumer.engine.queue_depth import DepthSample, QueueWatch, SamplingPolicy, Watched
from consumer.engine.sampler import Sampler
from tests.unit.fakes import Clock, instant_heartbeat

MAIN, DEAD = "config-events", "config-events-dead"
SOME = Figures(active=5, inactive=2, delayed=0)
ZEROS = Figures(0, 0, 0)
DAY_SECONDS = 86_400
POLICY = SamplingPolicy(busy_seconds=60, idle_seconds=600)


@dataclass
class Asked:
    """A queue that says what a test wants it to; the last figures are said again and again."""

    name: str
    figures: Figures = SOME
    errors: deque[ServiceError] = field(default_factory=deque)
    letters: list[Peeked] = field(default_factory=list)
    peek_errors: deque[ServiceError] = field(default_factory=deque)
    times: int = 0
    peeks: int = 0
    open: bool = False
    meanwhile: Callable[[], None] = lambda: None
    during_a_peek: Callable[[], None] = lambda: None

    def attributes(self) -> QueueAttributes:
        """GetQueueAttributes."""
        self.times += 1
        self.open = True
        self.meanwhile()
        if self.errors:
            raise self.errors.popleft()
        return QueueAttributes(30, 345_600, 65_536, self.figures)

    def peek(self, count: int) -> list[Peeked]:
        """BatchPeekMessage."""
        self.peeks += 1
        self.during_a_peek()
        if self.peek_errors:
            raise self.peek_errors.popleft()
        return self.letters[:count]

    def close(self) -> None:
        """Hang up."""
        self.open = False


class PassingTime(threading.Event):
    """A stop that does not come while it is waited for; the time passes at once."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        """So much later."""
        self._clock.advance(timeout or 0.0)
        return self.is_set()


class Stage:
    """A sampler over a queue and its dead-letter queue, with books and a clock to turn."""

    def __init__(
        self,
        *,
        at_start: Figures = SOME,
        readable: bool = True,
        dead_letters: bool = True,
        policy: SamplingPolicy = POLICY,
    ) -> None:
        self.clock = Clock()
        self.queues = {name: Asked(name) for name in ((MAIN, DEAD) if dead_letters else (MAIN,))}
        self.received = self.working = self.given_up = 0
        self.stopping = PassingTime(self.clock)
        self.looks: list[DepthSample] = []
        self.learned: list[QueueAttributes | None] = []
        watched = [Watched(queue, name == DEAD, at_start, readable) for name, queue in self.queues.items()]
        self.watch = QueueWatch(watched, self.books, policy, monotonic=self.clock)
        self.heartbeat = instant_heartbeat(self.clock)
        self.sampler = Sampler(
            self.watch,
            self.stopping,
            self.heartbeat,
            observe=self.looks.append,
            learn=self.learned.append,
            wall=self.clock,
        )

    def books(self) -> Books:
        """Everything received is deleted, but for what is in work or given up."""
        settled = dict.fromkeys(Disposition, 0)
        settled[Disposition.DEAD_LETTERED] = self.given_up
        settled[Disposition.DELETED] = self.received - self.working - self.given_up
        return Books(self.received, settled, 0, self.working, 0)

    def work(self) -> None:
        """A message has come and is done."""
        self.received += 1

    def pass_time(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Let the sampler look around for so long, something happening before each look."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            meanwhile()
            self.sampler.step()
            self.clock.advance(5)

    @property
    def times(self) -> tuple[int, ...]:
        """How often each queue was asked."""
        return tuple(queue.times for queue in self.queues.values())


def some_letters(count: int) -> list[Peeked]:
    """So many dead letters."""
    return [Peeked(f"letter-{number}", "{}", 0, 1_000) for number in range(count)]
