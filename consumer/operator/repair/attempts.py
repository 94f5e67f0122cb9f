"""The worker's way for one made-up delivery, gone again while the service has yet to show what it accepted.

Every step is journaled as a worker's is. Whoever stops the command between the line before the change and the one
about its ending leaves one that says so, and learns how to find out what happened.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from consumer.config import Config
from consumer.core.message import Received
from consumer.core.observers import Hooks, Report, Step, StepName
from consumer.core.outcome import Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.engine.lease import Lease
from consumer.engine.pipeline import Pipeline
from consumer.guards.chain import READS_BACK_OLD
from consumer.operator import output, times

_MOST_CALLS = 4
"""A request may begin just before the work budget ends, and its answer and the read-back still follow."""
_MOST_LOOKS = 10
"""The engine gives up waiting by itself after half a minute; that somebody changes it in between has an end, too."""


@dataclass(slots=True)
class BegunChange:
    """Follows a delivery: the change that was begun and has no ending on record yet."""

    change: Step | None = None

    def received(self, _messages: Sequence[Received]) -> None:
        """Nothing has begun."""

    def step(self, step: Step) -> None:
        """One step of the way."""
        if step.name is StepName.BEFORE:
            self.change = step

    def report(self, _report: Report) -> None:
        """There is no message to be settled."""

    def sync(self) -> None:
        """Nothing is kept here."""


@dataclass(frozen=True, slots=True)
class RepairAttempt:
    """How the last delivery ended."""

    delivery: Delivery
    ending: Ending
    request_ids: tuple[str, ...]
    """Of all deliveries."""
    journaled: bool
    """Whether the line about the ending is on record."""


class RepairAttempts:
    """Makes one change."""

    def __init__(
        self,
        config: Config,
        pipeline: Pipeline,
        hooks: Hooks,
        begun: BegunChange,
        follow_up: str,
        *,
        pause: Callable[[float], object] = time.sleep,
        say: Callable[[str], None] = output.note,
    ) -> None:
        """`begun` is one of those that follow by `hooks`; `follow_up` are the commands for whoever stops it."""
        self._config = config
        self._pipeline = pipeline
        self._hooks = hooks
        self._begun = begun
        self._follow_up = follow_up
        self._pause = pause
        self._say = say

    def make(self, body: str) -> RepairAttempt:
        """Go the way until it ends, or until the service is not expected to show the change any more.

        Raises:
            KeyboardInterrupt: somebody stops it; if the change was begun, with a note on what that means.
        """
        identity, request_ids = f"repair-{uuid.uuid4()}", list[str]()
        for number in count(1):
            delivery = self._delivery(body, identity, number)
            try:
                ending = self._way(delivery)
                request_ids += delivery.timings.request_ids
                journaled = self._ended(delivery, ending)
                if not _shows_later(ending) or number == _MOST_LOOKS:
                    return RepairAttempt(delivery, ending, tuple(request_ids), journaled)
                self._wait(ending.hold_seconds or 0.0)
            except KeyboardInterrupt as stop:
                if self._begun.change:
                    stop.add_note(self._interrupted(delivery, self._begun.change))
                raise
        raise AssertionError("counting has no end")

    def _way(self, delivery: Delivery) -> Ending:
        self._hooks.received([delivery.message])
        self._pipeline.triage(delivery)
        return delivery.ending or self._pipeline.repair(delivery)

    def _ended(self, delivery: Delivery, ending: Ending) -> bool:
        name = StepName.VERIFIED if ending.outcome is Outcome.FIXED else StepName.DECIDED
        self._hooks.step(delivery.step(name, before=ending.before, after=ending.after, ending=ending))
        journaled = self._hooks.sync()
        if not _shows_later(ending):
            self._begun.change = None
        return journaled

    def _wait(self, seconds: float) -> None:
        shown = times.span(seconds)
        self._say(f"The service has accepted the change and does not show it yet. Looking again in {shown}.")
        self._pause(seconds)

    def _interrupted(self, delivery: Delivery, change: Step) -> str:
        """Leave a line about it; what the person has to know."""
        detail = "the command was stopped before the change was read back, so it may have been made"
        ending = Ending(Outcome.FAILED, "interrupted", detail, change.before, change.after)
        self._hooks.step(delivery.step(StepName.DECIDED, before=change.before, after=change.after, ending=ending))
        return (
            "A change was begun and not read back: it may have been made.\n"
            f"{self._follow_up}\n"
            "The same repair again is safe: it finds nothing left to do, or it makes the change and names it for undo."
        )

    def _delivery(self, body: str, identity: str, number: int) -> Delivery:
        """A delivery that came from no queue, ours until the work has to be over."""
        now, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        seconds = self._config.engine.work_budget_seconds + _MOST_CALLS * self._config.oss.call_timeout_seconds
        message = Received(identity, body, "", number, now_ms, now_ms, seconds)
        return Delivery(message, Lease(identity, "", now, seconds), now)


def _shows_later(ending: Ending) -> bool:
    return ending.outcome is Outcome.HELD and ending.reason == READS_BACK_OLD
