"""A supervisor over idle threads, on a clock that only a test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from consumer.engine.heartbeat import Heartbeat
from consumer.engine.renewer import Renewer
from consumer.engine.stop_request import StopRequest
from consumer.engine.supervisor import Engine, SupervisedThread, Supervisor
from tests.patience import PATIENCE_SECONDS
from tests.unit import engine as parts
from tests.unit.fakes import Clock, FakeQueue

GRACE_SECONDS = 5.0


class Ticks(StopRequest):
    """A signal that arrives after so many waits; each takes the seconds that are planned for it, or does something."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.seconds: list[float | Callable[[], None]] = []
        self.waits: list[float] = []
        self._clock = clock

    def within(self, seconds: float) -> bool:
        """The next wait is over."""
        self.waits.append(seconds)
        if not self.seconds:
            self.make()
        elif callable(planned := self.seconds.pop(0)):
            planned()
        else:
            self._clock.advance(planned)
        return bool(self)


@dataclass
class Stage:
    """An engine of idle threads, some of which a test puts something else into."""

    clock: Clock = field(default_factory=Clock)
    stopping: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    """Ends what a test made last for longer than the process."""
    said: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.parts = parts.Engine(slots=4, clock=self.clock)
        self.shared = replace(self.parts.shared, stopping=self.stopping)
        self.stop_request = Ticks(self.clock)
        self.poller, self.worker = self.idle("poller-1"), self.idle("worker-1")
        self.settlers: Sequence[SupervisedThread] = [self.idle("settler-1")]
        pulse = Heartbeat("lease-keeper-1", 1_000_000)
        self.renewer = SupervisedThread(pulse, Renewer(self.shared, FakeQueue(self.clock), pulse).run)

    def idle(self, name: str) -> SupervisedThread:
        """A thread that does nothing until the stop."""
        return SupervisedThread(Heartbeat(name, 1_000_000, monotonic=self.clock), lambda: self.stopping.wait())

    @staticmethod
    def until_ended(thread: SupervisedThread) -> Callable[[], None]:
        """A wait in which that thread ends."""
        return lambda: thread.thread.join(PATIENCE_SECONDS)

    def supervisor(self) -> Supervisor:
        """A supervisor over all that."""
        engine = Engine(
            self.shared,
            pollers=[self.poller],
            workers=[self.worker],
            settlers=self.settlers,
            renewers=[self.renewer],
        )

        def say(event: str, **fields: object) -> None:
            self.said.append((event, fields))

        return Supervisor(engine, GRACE_SECONDS, say, stop_request=self.stop_request, monotonic=self.clock)
