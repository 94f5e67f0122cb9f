"""How a run of catch-up is shown: tables for people, one document for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from consumer.core.printable import counted
from consumer.operator import output
from consumer.operator.catch_up.listing import Listing, RuleListing
from consumer.operator.catch_up.plan import Decision, EventSeen, Planned, counts, seen_counts
from consumer.operator.catch_up.sending import Sending
from consumer.reevaluation.catch_up import key_of

_MOST_ROWS = 50
_FORGOTTEN = (
    "Nothing remembers what was sent, for no file can be kept here: without --state, catch_up.state or [shared] the"
    " next run sends again what it does not see in the queue."
)
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as far as it came."""

    listing: Listing
    planned: tuple[Planned, ...]
    now_ms: int
    applied: bool
    sending: Sending = field(default_factory=Sending)
    notes: tuple[str, ...] = ()
    """What could not be looked at besides the list."""
    memory: str = ""
    """Where the next run finds what this one has sent; empty if nowhere."""
    journals: tuple[str, ...] = ()
    """The worker's journals that were read; with none, what is parked is unknown."""

    @property
    def sent(self) -> int:
        """How many events the queue has confirmed."""
        return len(self.sending.ids)

    @property
    def to_send(self) -> int:
        """How many events were to be sent, or would be."""
        return sum(each.decision is Decision.SEND for each in self.planned)

    @property
    def whole(self) -> bool:
        """Whether the list was complete and everything meant was sent."""
        return not any(self.reasons())

    def reasons(self) -> Iterator[str]:
        """Why it is not whole, one line each."""
        yield from self.listing.incomplete()
        if self.sending.failed:
            why = next(iter(self.sending.failed.values()))
            yield f"{len(self.sending.failed)} of {self.to_send} events were not sent, the first: {why}"
        yield from self._forgotten()

    def _forgotten(self) -> Iterator[str]:
        if why := self.sending.forgotten:
            yield f"The event that was sent last is not remembered, and the next run may send it again: {why}"

    def facts(self) -> dict[str, Any]:
        """The whole run in a few numbers: the document's head, and the line of the log."""
        return {
            "applied": self.applied,
            "complete": self.listing.complete,
            "listed": len(self.planned),
            "unreadable": self.listing.unreadable,
            "to_send": self.to_send,
            "sent": self.sent,
            "failed": len(self.sending.failed),
            "remembered": bool(self.memory),
            "journal_read": bool(self.journals),
            "events": seen_counts(self.planned),
            "decisions": counts(self.planned),
        }

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {
            **self.facts(),
            "memory": self.memory,
            "journals": list(self.journals),
            "rules": [rule_document(each) for each in self.listing.rules],
            **gaps_document(self.listing),
            "problems": [*self.listing.problems, *self.notes, *self._forgotten()],
            "resources": [self._document(each) for each in self.planned],
        }

    def draw(self, console: Console) -> None:
        """For people."""
        draw_rules(console, self.listing)
        if self.planned:
            columns = ("rule", "mode", "resource", "region", "non-compliant", "event", "catch-up")
            rows = sorted(self.planned, key=lambda each: each.decision is not Decision.SEND)[:_MOST_ROWS]
            console.print(output.table(columns, [self._row(each) for each in rows]))
            if len(self.planned) > _MOST_ROWS:
                console.print(f"{len(self.planned) - _MOST_ROWS} more; --output json has all of them.")
            console.print(output.table(("rule", "mode", "catch-up", "resources"), self._summary()))
        for line in (*problems(self.listing), *self.notes, *self._forgotten(), self._conclusion()):
            console.print(output.cell(line))

    def _document(self, each: Planned) -> dict[str, Any]:
        found, key = each.violation, key_of(each.violation)
        return {
            "rule": each.rule,
            "mode": each.mode,
            "config_rule_id": found.config_rule_id,
            "resource_type": found.resource_type,
            "resource": found.resource_id,
            "account": found.account_id,
            "region": found.region,
            "since_ms": found.since_ms,
            "evaluated_at_ms": found.evaluated_at_ms,
            "age_seconds": self._age_seconds(each),
            "event": each.event.value,
            "sent_at_ms": each.sent_at_ms,
            "kept_until_ms": each.kept.until_ms if each.kept else None,
            "kept_message_id": each.kept.message_id if each.kept else None,
            "decision": each.decision.value,
            "why": self.sending.failed.get(key, each.why),
            "sent_as": self.sending.ids.get(key, ""),
        }

    def _row(self, each: Planned) -> tuple[object, ...]:
        found = each.violation
        return (
            each.rule or "-",
            each.mode or "-",
            found.resource_id,
            found.region or "-",
            f"for {age(self._age_seconds(each))}",
            self._event(each),
            self._result(each),
        )

    def _event(self, each: Planned) -> str:
        if each.event is EventSeen.SENT and each.sent_at_ms is not None:
            return f"sent {age(max(0, self.now_ms - each.sent_at_ms) // 1000)} ago"
        if each.kept and each.event is each.kept.how:
            return f"{each.event.value}, {age(max(0, each.kept.until_ms - self.now_ms) // 1000)} left"
        return each.event.value

    def _result(self, each: Planned) -> str:
        key = key_of(each.violation)
        if sent_as := self.sending.ids.get(key):
            return f"sent as {sent_as[-12:]}"
        if why := self.sending.failed.get(key):
            return why
        if each.decision is Decision.SEND:
            return "not sent: interrupted" if self.applied else "would be sent"
        return f"left: {each.why}"

    def _summary(self) -> list[tuple[object, ...]]:
        found = Counter((each.rule or "-", each.mode or "-", self._kind(each)) for each in self.planned)
        return [(*key, number) for key, number in sorted(found.items())]

    def _kind(self, each: Planned) -> str:
        key = key_of(each.violation)
        if key in self.sending.ids:
            return "sent"
        if key in self.sending.failed:
            return "not sent"
        if each.decision is Decision.SEND:
            return "not sent" if self.applied else "would be sent"
        return f"left: {each.decision.value.replace('_', ' ')}"

    def _conclusion(self) -> str:
        whole = "" if self.listing.complete else " The list is not complete: what is not on it is unknown."
        if self.applied:
            left = len(self.planned) - self.to_send
            sent = f"{self.sent} sent, {self.to_send - self.sent} not sent, {left} left"
            memory = f"What was sent is remembered in {self.memory}." if self.memory else _FORGOTTEN
            return f"{len(self.planned)} listed, {sent}.{whole}{f' {memory}' if self.sent else ''}"
        more = " Nothing was sent; --apply sends them." if self.to_send else ""
        return f"{len(self.planned)} listed, {self.to_send} would be sent.{more}{whole}"

    def _age_seconds(self, each: Planned) -> int:
        return max(0, self.now_ms - each.violation.since_ms) // 1000


def draw_rules(console: Console, listing: Listing) -> None:
    """One row for each of the evaluator's rules that was listed."""
    rows = [(each.rule.rule_id, each.rule.name, each.listed, _state(each)) for each in listing.rules]
    console.print(output.table(("Cloud Config rule", "name", "non-compliant", "list"), rows))
    draw_gaps(console, listing)


def draw_gaps(console: Console, listing: Listing) -> None:
    """One row for each entry of the configuration that fits no rule of the evaluator."""
    rows = [(each.rule, each.key, each.value, "no such rule") for each in listing.gaps.entries]
    if rows:
        console.print(output.table(("rule", "key", "value", "Cloud Config"), rows))


def problems(listing: Listing) -> Iterator[str]:
    """What is missing besides what the tables show, one line each."""
    yield from listing.problems
    yield from listing.gaps.problems()


def age(seconds: int) -> str:
    """A span as people say it."""
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h" if seconds < 2 * _DAY else f"{seconds // _DAY} d"


def _state(each: RuleListing) -> str:
    if each.error:
        return f"not complete: {each.error}"
    if not each.rule.active:
        return "switched off, so not listed"
    return "complete" if not each.unreadable else f"{counted(each.unreadable, 'result')} could not be read"


def gaps_document(listing: Listing) -> dict[str, Any]:
    return {
        "not_found": list(listing.not_found),
        "unmatched_rules": list(listing.gaps.rules),
        "unmatched": [{"rule": each.rule, "key": each.key, "value": each.value} for each in listing.gaps.entries],
    }


def rule_document(each: RuleListing) -> dict[str, Any]:
    return {
        "config_rule_id": each.rule.rule_id,
        "name": each.rule.name,
        "identifier": each.rule.identifier,
        "aggregator_id": each.aggregator_id,
        "active": each.rule.active,
        "listed": each.listed,
        "unreadable": each.unreadable,
        "error": each.error,
    }
