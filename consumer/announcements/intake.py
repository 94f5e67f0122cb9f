"""Listens to settled deliveries, and puts what is news about them into the outbox, or keeps it for the next digest.

What it does with a report is memory alone, so nothing ever waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from consumer.announcements.digests import Digests, Moment
from consumer.announcements.outbox import Outbox
from consumer.announcements.records import Announcement, ResourceAnnouncement
from consumer.announcements.selection import News, Selection, closed_by, found_by
from consumer.core.observers import ApiCall, LeaseRenewal, Report, Retry, SettleError


@dataclass(frozen=True, slots=True)
class Clocks:
    """What time it is: for waiting and counting, and for people."""

    monotonic: Callable[[], float] = time.monotonic
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def now(self) -> Moment:
        """By both of them."""
        return self.monotonic(), self.wall_ms()


Bounded = Callable[[ResourceAnnouncement, bool], ResourceAnnouncement]
"""An announcement with no more of its texts than is published, of an entry of a digest if so; without secrets."""


class Intake:
    """A `consumer.core.observers.Listener`; what it remembers is shared by all threads that settle."""

    def __init__(
        self, selection: Selection, outbox: Outbox, bounded: Bounded, *, digest_seconds: float, clocks: Clocks
    ) -> None:
        self._selection = selection
        self.outbox = outbox
        self._bounded = bounded
        self._clocks = clocks
        self._news = News(selection)
        self._digests = Digests(digest_seconds, clocks.now())
        self._closed = False
        self._lock = threading.Lock()

    def report(self, report: Report) -> None:
        """Put what is news about a settled delivery into the outbox, or keep it for the next digest."""
        with self._lock:
            if (closed := closed_by(report)) is not None:
                self._digests.forget(closed)
            self._correct(report)
            announced = self._news.of(report)
            if announced is None:
                return
            digested = announced.kind in self._selection.digested and not self._closed
            announced = self._bounded(announced, digested)
            if digested:
                self._digests.add(announced, self._clocks.monotonic())
            else:
                self._put(announced)

    def announce(self, found: Collection[Announcement]) -> None:
        """Put what is no ending of a delivery into the outbox, if it is wanted."""
        with self._lock:
            for announced in found:
                if self._selection.wants(announced.kind, getattr(announced, "rule", "")):
                    self._put(announced)

    def collect(self, *, at_once: bool = False) -> None:
        """Put the digests that are due into the outbox; `at_once` for a stop, those that are not due as well."""
        with self._lock:
            waiting = () if at_once else self.outbox.digests()
            for digest in self._digests.due(self._clocks.now(), at_once=at_once, waiting=waiting):
                self._put(digest)

    def forget(self, lost: Collection[Announcement]) -> None:
        """Nobody got these, so what still holds is news again when its message comes back."""
        with self._lock:
            for announced in lost:
                self._news.forget(announced)

    def close(self) -> None:
        """Keep nothing for later any more: there will be no other digest."""
        self.collect(at_once=True)
        with self._lock:
            self._closed = True

    def api_call(self, call: ApiCall) -> None:
        """Not of interest here."""

    def retry(self, retry: Retry) -> None:
        """Not of interest here."""

    def renewal(self, renewal: LeaseRenewal) -> None:
        """Not of interest here."""

    def settle_error(self, error: SettleError) -> None:
        """Not of interest here."""

    def _correct(self, report: Report) -> None:
        """Let no digest say that a state stands which a later ending about the resource found otherwise."""
        if (found := found_by(report)) is not None:
            key, now = found
            self._digests.correct(key, lambda each: self._bounded(replace(each, now=now), True))

    def _put(self, announced: Announcement) -> None:
        if not self.outbox.put(announced):
            self._news.forget(announced)
