"""The thread that publishes announcements: a bounded line, retries with backoff, and a bounded end.

It listens to settled deliveries; what it does with a report is memory alone, so nothing ever waits for it. What cannot
be published is counted and forgotten, for the log, the journal and the metrics have it all.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from consumer.announcements.digests import Digests
from consumer.announcements.document import Owner, Writer
from consumer.announcements.records import Announcement, Digest, Kind
from consumer.announcements.selection import News, Selection, closed_by
from consumer.announcements.states import StateWatch
from consumer.core.errors import PermanentError, PermissionMissing, ServiceError
from consumer.core.observers import ApiCall, LeaseRenewal, Report, Retry, SettleError
from consumer.engine.heartbeat import Heartbeat

MOST_WAITING = 1_000
KEPT_SECONDS = 3_600.0
"""How long after it was made an announcement is still tried to be published."""
DRAIN_SECONDS = 5.0
"""How long a stop goes on publishing once nothing is in flight any more."""
LOOK_SECONDS = 5.0
"""Between two looks at the pause switch and the breakers."""
OWNER_SECONDS = 20.0
"""How long owners are looked up for one announcement, which may be a digest of many."""
_LAST_OWNER_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_IDLE_SECONDS = 1.0
_LAST_WAIT_SECONDS = 0.1
_TOPIC_MISSING = "TopicNotExist"


class PublishResult(StrEnum):
    """What became of an announcement."""

    PUBLISHED = "published"
    FAILED = "failed"
    """The service refused it for good, or for too long."""
    DROPPED = "dropped"
    """Too many waited, or the process stopped first."""


class Publisher(Protocol):
    """Where announcements go; `consumer.aliyun.mns.topic` implements it."""

    def publish(self, body: str, tag: str) -> str:
        """Publish one message; returns its id.

        Raises:
            ServiceError: it is not known to be published.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast is published."""

    max_per_minute: int = 60
    digest_seconds: float = 3_600.0


class Announcer:
    """A `consumer.core.observers.Listener` with a thread; the line and what is collected are shared between both."""

    def __init__(
        self,
        topic: Publisher,
        writer: Writer,
        owner: Owner,
        selection: Selection,
        stopping: threading.Event,
        heartbeat: Heartbeat,
        *,
        pace: Pace | None = None,
        states: StateWatch | None = None,
        in_flight: Callable[[], int] = lambda: 0,
        say: Callable[..., None] = lambda _event, **_fields: None,
        jitter: Callable[[float, float], float] = lambda _low, high: high,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        pause: Callable[[float], object] | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`in_flight` says how many deliveries may still be reported; `pause` waits, or ends early at a stop."""
        self._topic = topic
        self._writer = writer
        self._owner = owner
        self._selection = selection
        self._stopping = stopping
        self._heartbeat = heartbeat
        self._pace = pace or Pace()
        self._states = states
        self._in_flight = in_flight
        self._say = say
        self._jitter = jitter
        self._monotonic = monotonic
        self._wall_ms = wall_ms
        self._pause = pause or stopping.wait
        self._most_waiting = most_waiting
        self._line: deque[tuple[float, Announcement]] = deque()
        """Each with the monotonic moment at which it was put in line."""
        self._news = News(selection)
        self._digests = Digests(self._pace.digest_seconds, (monotonic(), wall_ms()))
        self._results: Counter[tuple[Kind, PublishResult]] = Counter()
        self._changed = threading.Condition()
        # Only used by the thread:
        self._failures = 0
        self._not_before = 0.0
        self._look_at = 0.0

    def run(self) -> None:
        """Publish until the process stops, and for a while what is left then."""
        interval_seconds = 60.0 / self._pace.max_per_minute
        while not self._stopping.is_set():
            self._heartbeat.rest()
            if self.step(min(self._heartbeat.idle_seconds, _IDLE_SECONDS)):
                self._heartbeat.beat("pausing", interval_seconds)
                self._pause(interval_seconds)
        self.drain()

    def step(self, wait_seconds: float) -> bool:
        """Publish the next one; false if there was none whose turn it was for so long."""
        self._look()
        now = self._monotonic()
        with self._changed:
            if not self._line or now < self._not_before:
                self._changed.wait(wait_seconds)
            if not self._line or self._monotonic() < self._not_before:
                return False
            _, announced = self._line[0]
        self._publish(announced)
        return True

    def drain(self) -> None:
        """Publish what is left, as long as deliveries are being settled and a little longer; the rest is dropped."""
        until: float | None = None
        while until is None or self._monotonic() < until:
            self._heartbeat.beat("publishing the last announcements")
            if until is None and not self._in_flight():
                until = self._monotonic() + DRAIN_SECONDS
            if until is not None:
                self._collect(at_once=True)
            moved = self.step(_LAST_WAIT_SECONDS)
            if until is not None and (self._failures or not (moved or self._line)):
                break
        with self._changed:
            self._most_waiting = 0
            while self._line:
                self._results[self._line.popleft()[1].kind, PublishResult.DROPPED] += 1

    def results(self) -> Mapping[tuple[Kind, PublishResult], int]:
        """How many announcements had which result, by kind; every combination has its number."""
        with self._changed:
            return {(kind, result): self._results[kind, result] for kind in Kind for result in PublishResult}

    def waiting(self) -> int:
        """How many wait for their turn now."""
        return len(self._line)

    def waiting_seconds(self) -> float:
        """How long the first in line has waited; 0 if none does."""
        with self._changed:
            return self._monotonic() - self._line[0][0] if self._line else 0.0

    def report(self, report: Report) -> None:
        """Put what is news about a settled delivery in line, or keep it for the next digest."""
        with self._changed:
            if (closed := closed_by(report)) is not None:
                self._digests.forget(closed)
            announced = self._news.of(report)
            if announced is None:
                return
            if announced.kind in self._selection.digested:
                self._digests.add(announced, self._monotonic())
            else:
                self._put(announced)

    def api_call(self, call: ApiCall) -> None:
        """Not of interest here."""

    def retry(self, retry: Retry) -> None:
        """Not of interest here."""

    def renewal(self, renewal: LeaseRenewal) -> None:
        """Not of interest here."""

    def settle_error(self, error: SettleError) -> None:
        """Not of interest here."""

    def _put(self, announced: Announcement) -> None:
        """Under the lock: to the end of the line, if it is not full."""
        if len(self._line) >= self._most_waiting:
            self._lost(announced, PublishResult.DROPPED)
            return
        self._line.append((self._monotonic(), announced))
        self._changed.notify()

    def _look(self) -> None:
        """Whether a state has changed, and whether a digest is due."""
        now = self._monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        # Outside the lock: the pause switch looks for its file, and breakers may be shared over the network.
        changed = tuple(self._states.look(self._wall_ms())) if self._states else ()
        with self._changed:
            for announced in changed:
                if self._selection.wants(announced.kind, announced.rule):
                    self._put(announced)
        self._collect()

    def _collect(self, *, at_once: bool = False) -> None:
        with self._changed:
            waiting = {announced.kind for _, announced in self._line if isinstance(announced, Digest)}
            now = self._monotonic(), self._wall_ms()
            for digest in self._digests.due(now, at_once=at_once, waiting=() if at_once else waiting):
                self._put(digest)

    def _publish(self, announced: Announcement) -> None:
        self._heartbeat.beat("publishing")
        try:
            self._topic.publish(self._writer.body(announced, self._owner_in_time()), announced.kind.value)
        except ServiceError as error:
            self._refused(announced, error)
        except Exception as error:  # noqa: BLE001 - a fault in an announcement must not end the process that repairs
            self._say("announcements.failing", code=type(error).__name__)
            self._ended(announced, PublishResult.FAILED)
        else:
            if self._failures:
                self._say("announcements.recovered", after_tries=self._failures)
            self._failures, self._not_before = 0, 0.0
            self._ended(announced, PublishResult.PUBLISHED)

    def _owner_in_time(self) -> Owner:
        """Looks up owners for so long, and then names none: a long digest must not hold up the others."""
        until = self._monotonic() + (_LAST_OWNER_SECONDS if self._stopping.is_set() else OWNER_SECONDS)
        return lambda resource: self._owner(resource) if self._monotonic() < until else ""

    def _refused(self, announced: Announcement, error: ServiceError) -> None:
        """Try again later, unless this very message is refused for good, which would be no other with another try."""
        self._failures += 1
        if self._failures == 1:
            self._say("announcements.failing", code=error.code, request_id=error.request_id)
        if _is_its_own_fault(error):
            self._ended(announced, PublishResult.FAILED)
            return
        self._forget_old()
        full = min(2.0 ** min(self._failures - 1, 10), _LONGEST_PAUSE_SECONDS)
        self._not_before = self._monotonic() + self._jitter(full / 2, full)

    def _forget_old(self) -> None:
        """Take what is no news any more out of the line, all at once: the next in line is likely to be as old."""
        with self._changed:
            while self._line and self._monotonic() - self._line[0][0] >= KEPT_SECONDS:
                self._lost(self._line.popleft()[1], PublishResult.FAILED)

    def _lost(self, announced: Announcement, result: PublishResult) -> None:
        """Under the lock: nobody was told, so what still holds is news again when its message comes back."""
        self._results[announced.kind, result] += 1
        self._news.forget(announced)

    def _ended(self, announced: Announcement, result: PublishResult) -> None:
        with self._changed:
            self._line.popleft()
            self._results[announced.kind, result] += 1


def _is_its_own_fault(error: ServiceError) -> bool:
    """Whether the service refuses this message and may take the next one: a missing grant or topic stops them all."""
    everybody = isinstance(error, PermissionMissing) or error.code == _TOPIC_MISSING
    return isinstance(error, PermanentError) and not everybody
