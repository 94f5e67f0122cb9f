"""The thread that publishes announcements: bounded, retried with backoff, and soon over.

What cannot be published is counted and forgotten, for the log, the journal and the metrics have it all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from consumer.announcements.intake import Clocks, Intake
from consumer.announcements.publishing import Publishing
from consumer.announcements.states import StateWatch
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.loop import PacedLoop

KEPT_SECONDS = 3_600.0
"""How long after it was made an announcement is still tried to be published."""
DRAIN_SECONDS = 5.0
"""How long a stop goes on publishing once nothing is reported any more."""
LOOK_SECONDS = 5.0
"""Between two looks at the pause switch and the breakers."""
_IDLE_SECONDS = 1.0
_LAST_WAIT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast is published."""

    max_per_minute: int = 60
    digest_seconds: float = 3_600.0


@dataclass(frozen=True, slots=True)
class Life:
    """How the thread lives within its process."""

    stopping: threading.Event
    heartbeat: Heartbeat
    settling: Callable[[], object]
    """Whether deliveries may still be reported."""


class Announcer(PacedLoop):
    """Moves what the intake brings through the outbox to the topic, until the process stops and a little longer."""

    def __init__(
        self,
        intake: Intake,
        publishing: Publishing,
        states: StateWatch | None,
        life: Life,
        *,
        pace: Pace,
        clocks: Clocks,
    ) -> None:
        super().__init__(life.heartbeat, life.stopping)
        self._intake = intake
        self._outbox = intake.outbox
        self._publishing = publishing
        self._states = states
        self._settling = life.settling
        self._interval_seconds = 60.0 / pace.max_per_minute
        self._clocks = clocks
        self._look_at = 0.0

    def run(self) -> None:
        """Publish until the process stops, and for a while what is left then."""
        super().run()
        self.drain()

    def step(self) -> float:
        """Publish the next one, and pause then as the pace says."""
        published = self.publish_next(min(self._heartbeat.idle_seconds, _IDLE_SECONDS))
        return self._interval_seconds if published else 0.0

    def publish_next(self, wait_seconds: float) -> bool:
        """Publish the next one; false if there was none whose turn it was for so long."""
        self._look()
        self._heartbeat.beat("publishing")
        moved = self._publishing.step(wait_seconds, last=self.done)
        if self._publishing.failures:
            self._intake.forget(self._outbox.forget_older(KEPT_SECONDS))
        return moved

    def drain(self) -> None:
        """Publish what is left, as long as deliveries are being settled and a little longer; the rest is dropped."""
        until: float | None = None
        while until is None or self._clocks.monotonic() < until:
            self._heartbeat.beat("publishing the last announcements")
            if until is None and not self._settling():
                until = self._clocks.monotonic() + DRAIN_SECONDS
                self._intake.collect(at_once=True)
                self._publishing.try_now()
            moved = self.publish_next(_LAST_WAIT_SECONDS)
            if until is not None and (self._publishing.failures or not (moved or self._outbox.waiting())):
                break
        self._intake.close()
        self._outbox.close()

    def _look(self) -> None:
        """Whether a state has changed, and whether a digest is due."""
        now = self._clocks.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        if self._states:
            # Outside every lock: the pause switch looks for its file, and breakers may be shared over the network.
            self._intake.announce(tuple(self._states.look(self._clocks.wall_ms())))
        self._intake.collect()
