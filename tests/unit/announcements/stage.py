"""An announcer, what it publishes, and the clock that tests move."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from consumer.announcements.announcer import Announcer, Life, Pace
from consumer.announcements.document import AnnouncementWriter, Owner
from consumer.announcements.intake import Clocks, Intake
from consumer.announcements.outbox import MOST_WAITING, Outbox, PublishResult
from consumer.announcements.publishing import Bodies, Publishing
from consumer.announcements.selection import Selection
from consumer.announcements.states import StateWatch
from consumer.core.observers import Report
from consumer.core.outcome import Ending, Outcome
from tests.unit.announcements.published import Published
from tests.unit.fakes import Clock, instant_heartbeat
from tests.unit.telemetry.records import SETTLED_AT_MS, event, message, report

CONTESTED = Ending(Outcome.HELD, "contested", "somebody keeps breaking it", "public-read", "private")


def named(name: str, outcome: Outcome = Outcome.FIXED, **changes: Any) -> Report:
    """A settled delivery about that bucket."""
    found = report(outcome, **changes)
    return replace(found, event=event(resource_id=name), message=message(message_id=f"message-{name}"))


class Stage:
    """An announcer with clocks that stand still, and a topic that keeps everything."""

    def __init__(
        self,
        selection: Selection | None = None,
        *,
        owner: Owner = lambda _resource: "",
        pace: Pace | None = None,
        states: StateWatch | None = None,
        settling: Callable[[], object] = lambda: False,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.topic = Published()
        self.clock = Clock()
        self.stopping = threading.Event()
        self.said: list[str] = []
        self.wall_ms = SETTLED_AT_MS
        pace, clocks = pace or Pace(), Clocks(self.clock, lambda: self.wall_ms)
        writer = AnnouncementWriter("/config-remediator/cn-hangzhou/1234567890123456/events", lambda text: text)
        self.outbox = Outbox(most_waiting, monotonic=self.clock)
        self.intake = Intake(
            selection or Selection(), self.outbox, writer.bounded, digest_seconds=pace.digest_seconds, clocks=clocks
        )
        publishing = Publishing(
            self.outbox,
            self.topic,
            Bodies(writer, owner, monotonic=self.clock),
            lambda name, **_fields: self.said.append(name),
            jitter=lambda _low, high: high,
            monotonic=self.clock,
        )
        life = Life(self.stopping, instant_heartbeat(self.clock), settling)
        self.announcer = Announcer(self.intake, publishing, states, life, pace=pace, clocks=clocks)

    def publish(self) -> list[str]:
        """Let the thread do all it can now; what was published until then."""
        while self.announcer.publish_next(0):
            pass
        return self.topic.kinds

    def pass_time(self, seconds: float) -> None:
        """Let both clocks move."""
        self.clock.advance(seconds)
        self.wall_ms += round(seconds * 1_000)

    def count(self, result: PublishResult) -> int:
        """How many came to this."""
        return sum(number for (_, each), number in self.outbox.results().items() if each is result)
