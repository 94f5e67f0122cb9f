"""The thread that reads how many messages the queues hold, and never touches a message.

Parking learns from it how long the queue keeps them, and observers what stands in the dead-letter queue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from consumer.core.errors import Retryable, ServiceError
from consumer.core.queue_attributes import Figures, QueueAttributes
from consumer.core.queue_limits import MAX_BATCH
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.in_flight import Books
from consumer.engine.loop import PacedLoop
from consumer.engine.queue_depth import DepthSample, QueueWatch, Watched

LOOK_SECONDS = 5.0
"""How often the sampler checks whether a queue is due; it reads at most one each time."""


class Sampler(PacedLoop):
    """One thread that samples every watched queue in its turn."""

    def __init__(
        self,
        watch: QueueWatch,
        stopping: threading.Event,
        heartbeat: Heartbeat,
        *,
        observe: Callable[[DepthSample], None],
        learn: Callable[[QueueAttributes | None], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`observe` gets what each look at a queue showed.

        `learn` gets the attributes of the queue that this process receives from at each sample, None after a refusal.
        """
        super().__init__(heartbeat, stopping)
        self._watch = watch
        self._observe = observe
        self._learn = learn
        self._wall = wall

    def run(self) -> None:
        """Look until the process stops; a request that is under way then ends within its deadline."""
        self.look_at_letters()
        super().run()

    def look_at_letters(self) -> None:
        """See what was given up before this process: its figures are known from the start, its messages are not."""
        for each in self._watch.watched:
            if each.dead_letters:
                self._look(each, self._watch.books())
                each.queue.close()

    def step(self) -> float:
        """Sample the queue that has been due for the longest time, if one is due."""
        each = self._watch.due()
        if each is not None:
            self._read(each)
            self._look(each, each.books)
            each.queue.close()  # kept open, it would be dead by the next request
        return LOOK_SECONDS

    def _read(self, each: Watched) -> None:
        self._heartbeat.beat(f"reading the attributes of {each.queue.name}")
        self._watch.begin(each)
        try:
            attributes = each.queue.attributes()
        except Retryable:
            self._watch.unanswered(each)
        except ServiceError:
            self._watch.refused(each)
            if not each.dead_letters:
                self._learn(None)
        else:
            self._watch.answered(each, attributes)
            if not each.dead_letters:
                self._learn(attributes)

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
                complete = len(letters) < MAX_BATCH and not each.hidden
        self._observe(
            DepthSample(
                each.queue.name,
                each.dead_letters,
                self._watch.figures().get(each.queue.name, Figures()),
                quiet=self._watch.books() == before,
                letters=letters,
                complete=complete,
                started_at=started_at,
                retention_seconds=each.retention_seconds,
            )
        )
