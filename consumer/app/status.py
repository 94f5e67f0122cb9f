"""Puts together what the status page shows, from what the parts know; of services only the shared store.

Called by the thread that renders pages, never by one that works on messages or answers probes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from consumer import __version__
from consumer.app.status_board import StatusBoard
from consumer.config import Config
from consumer.core.printable import counted
from consumer.engine.in_flight import Books
from consumer.guards.chain import Guards
from consumer.guards.rule import Mode, Rule
from consumer.guards.window import described
from consumer.journal.writer import actor
from consumer.telemetry.status import ProcessStatus, RuleStatus, Tristate

_UNKNOWN = {
    "not_polling": "no poll is answered",
    "polling_paused": "polling is paused",
    "behind": "more comes than is worked on",
    "starting": "it has started, and messages may still be hidden from before",
    "dead_letters": "the dead-letter queue was not seen as a whole",
}


@dataclass(frozen=True, slots=True)
class StatusSource:
    """Everything that the page is made from."""

    config: Config
    rules: tuple[Rule, ...]
    status_board: StatusBoard
    guards: Guards
    books: Callable[[], Books]
    alive: Callable[[], str]
    ready: Callable[[], str]
    troubles: Callable[[], Iterator[str]]
    """What is wrong with the parts that not every process has: the journal, the shared store."""
    started_at_ms: int
    wall: Callable[[], float] = time.time

    def __call__(self) -> ProcessStatus:
        """The status of this moment."""
        now, books = self.wall(), self.books()
        oldest = self.status_board.exposures.oldest()
        unknown = tuple(_UNKNOWN[reason] for reason, holds in self.status_board.unknowns.reasons().items() if holds)
        enforced = [now - oldest[rule.name] for rule in self.rules if rule.mode is Mode.ENFORCE and rule.name in oldest]
        answer = Tristate.YES if enforced else Tristate.UNKNOWN if unknown else Tristate.NO
        rules = tuple(self._rules(now, oldest))
        return ProcessStatus(
            at_ms=round(now * 1_000),
            version=__version__,
            queue=self.config.queue.name,
            region=self.config.queue.region,
            by=actor(),
            started_at_ms=self.started_at_ms,
            alive=self.alive(),
            ready=self.ready(),
            exposed=answer,
            exposed_seconds=max(enforced, default=None),
            unknown=unknown,
            obstacles=tuple(self._obstacles(rules)),
            slots=self.config.engine.slots,
            buffered=books.buffered,
            working=books.working,
            settling=books.settling,
            received=books.received,
            settled=tuple((disposition.value, count) for disposition, count in books.settled.items()),
            rules=rules,
            endings=self.status_board.endings.latest(),
        )

    def _rules(self, now: float, oldest: dict[str, float]) -> Iterator[RuleStatus]:
        stopped = self.guards.breakers.open_rules()
        contested, taken, most = self.guards.contested(), self.guards.changes_in_window(), self.guards.limits.limits()
        for rule in self.rules:
            waits = []
            if not self.guards.window_open(rule):
                waits.append(f"waits for {described(rule.windows)}")
            if stopped is not None and rule.name in stopped:
                waits.append("breaker open")
            if count := contested.get(rule.name):
                waits.append(f"{count} contested")
            limit = most.get(rule.name)
            if limit is not None and taken.get(rule.name, 0) >= limit:
                waits.append("limit used up")
            began = oldest.get(rule.name)
            yield RuleStatus(
                rule.name,
                rule.mode.value,
                rule.remediation.name,
                None if began is None else max(0.0, now - began),
                tuple(waits),
                taken.get(rule.name),
                limit,
            )

    def _obstacles(self, rules: tuple[RuleStatus, ...]) -> Iterator[str]:
        """Each in one sentence, what concerns everything first."""
        if ready := self.ready():
            yield f"not ready: {ready}"
        yield from self.troubles()
        if held_by := self.guards.held_by():
            yield f"changes are paused by {held_by}"
        most = self.guards.limits.limits().get("")
        if most is not None and self.guards.changes_in_window().get("", 0) >= most:
            yield f"the limit of {most} changes of all rules together is used up"
        for rule in rules:
            if rule.waits and rule.mode == Mode.ENFORCE:
                yield f"rule {rule.name}: {', '.join(rule.waits)}"
        exposures = self.status_board.exposures
        for (action, account), count in sorted(exposures.missing_actions().items()):
            yield f"{action} is not granted, which keeps {counted(count, 'resource')} of account {account} waiting"
        for name, resource in sorted(self.status_board.missing.current()):
            yield f"{name} is not granted on {resource}"
        for (name, reason), count in sorted(exposures.given_up().items()):
            yield f"rule {name} has given up {counted(count, 'resource')} ({reason}): a person has to look"
