"""An announcer, what it publishes, and the clock that tests move."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

from consumer.announcements.announcer import Announcer, PublishResult
from consumer.announcements.document import Writer
from consumer.announcements.selection import Selection
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

    def __init__(self, selection: Selection | None = None, **given: Any) -> None:
        self.topic = Published()
        self.clock = Clock()
        self.stopping = threading.Event()
        self.said: list[str] = []
        self.wall_ms = SETTLED_AT_MS
        self.announcer = Announcer(
            self.topic,
            Writer("/config-remediator/cn-hangzhou/1234567890123456/events", lambda text: text),
            given.pop("owner", lambda _resource: ""),
            selection or Selection(),
            self.stopping,
            instant_heartbeat(self.clock),
            say=lambda name, **_fields: self.said.append(name),
            monotonic=self.clock,
            wall_ms=lambda: self.wall_ms,
            **given,
        )

    def publish(self) -> list[str]:
        """Let the thread do all it can now; what was published until then."""
        while self.announcer.step(0):
            pass
        return self.topic.kinds

    def pass_time(self, seconds: float) -> None:
        """Let both clocks move."""
        self.clock.advance(seconds)
        self.wall_ms += round(seconds * 1_000)

    def count(self, result: PublishResult) -> int:
        """How many came to this."""
        return sum(number for (_, each), number in self.announcer.results().items() if each is result)
