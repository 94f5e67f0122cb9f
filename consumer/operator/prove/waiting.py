"""Waits until the canary was repaired, or until it is known that it will not be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from consumer.core.errors import InvalidMessage, Retryable, ServiceError
from consumer.core.event import Event, decode
from consumer.core.queue_limits import MAX_BATCH
from consumer.guards.rule import Rule
from consumer.operator.prove.counted import OutcomeCounts
from consumer.operator.prove.journaled import FollowedJournal, Marks
from consumer.operator.prove.record import ProofRecord
from consumer.operator.prove.stopping import Stop
from consumer.operator.prove.verdict import Seen, concluded, witnessed
from consumer.operator.session import Session

_LOOK_SECONDS = 0.25
"""Between two looks."""
_WITNESS_SECONDS = 15.0
"""How long after the repair the worker's own record of it is waited for."""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Where it can be seen what a worker did."""

    journal: Path | None
    """Of the worker; None where none is known."""
    url: str
    """Where the worker's metrics are; empty where that is not known."""


class WatchedWay:
    """The way of one event, as far as it can be seen from here. Made before the event is published."""

    def __init__(
        self,
        session: Session,
        witnesses: Witnesses,
        rule: Rule,
        marks: Marks,
        record: ProofRecord,
        stop: Stop,
        monotonic: Callable[[], float],
    ) -> None:
        self._session = session
        self._rule = rule
        self._record = record
        self._stop = stop
        self._monotonic = monotonic
        self._journal = FollowedJournal(witnesses.journal, marks)
        self._counts = OutcomeCounts(witnesses.url, rule.name)
        self.repaired = False
        """Whether the canary was seen as it was before the break, after it had been seen broken."""

    def followed(self, is_repaired: Callable[[], bool], *, since: float) -> Seen:
        """Wait for the repair, and then for the worker's own record of it; neither for ever.

        `since` is the monotonic moment at which the event was sent to the topic.

        Raises:
            ServiceError: the canary cannot be looked at any more.
        """
        seen = self._until(
            self._monotonic() + self._session.config.canary.wait_seconds, lambda seen: self._over(seen, is_repaired)
        )
        if not self.repaired:
            return seen if self._stop else self._with_queue(seen)
        self._record.seconds.whole_way = round(self._monotonic() - since, 3)
        return self._until(self._monotonic() + _WITNESS_SECONDS, self._is_witnessed)

    def _until(self, end: float, enough: Callable[[Seen], bool]) -> Seen:
        while True:
            seen = self._seen()
            if enough(seen) or self._monotonic() >= end or self._stop.within(_LOOK_SECONDS):
                return replace(seen, repaired=self.repaired)

    def _over(self, seen: Seen, is_repaired: Callable[[], bool]) -> bool:
        try:
            self.repaired = is_repaired()
        except Retryable:
            return False  # it was tried again already; the next look may get through
        return self.repaired or concluded(self._rule, seen)

    def _is_witnessed(self, seen: Seen) -> bool:
        journal = seen.journal
        if self._journal.trouble:
            return witnessed(seen) or not self._counts.answers
        return journal.fixed_by is not None and journal.settled is not None

    def _seen(self) -> Seen:
        return Seen(
            repaired=self.repaired,
            journal=self._journal.look(),
            journal_trouble=self._journal.trouble,
            counts=self._counts.since(),
            worker=self._counts.url if self._counts.answers else "",
            waited_seconds=self._session.config.canary.wait_seconds,
        )

    def _with_queue(self, seen: Seen) -> Seen:
        """What the queue shows of an event that nobody has worked on."""
        try:
            waiting = self._session.queue(self._session.config.queue.name).peek(MAX_BATCH)
        except ServiceError as error:
            return replace(seen, queue_trouble=f"it cannot be looked at: {error}")
        ours = [each.dequeue_count for each in waiting if self._is_ours(each.body)]
        if ours:
            return replace(seen, in_queue=max(ours))
        full = len(waiting) == MAX_BATCH
        return replace(seen, queue_trouble=f"only the next {MAX_BATCH} messages can be seen" if full else "")

    def _is_ours(self, body: str) -> bool:
        try:
            found = decode(body)
        except InvalidMessage:
            return False
        return isinstance(found, Event) and found.request_id == self._record.event
