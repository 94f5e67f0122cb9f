"""Everything that is known about one message or resource, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from consumer.journal.format import Entry
from consumer.operator.dry_run import DryRunResult
from consumer.operator.explain.guards import GuardCheck
from consumer.operator.explain.journals import JournalsRead
from consumer.operator.explain.matching import RuleMatch
from consumer.operator.explain.newest import JournaledEvent
from consumer.operator.explain.requests import AnsweredRequests, sent_now
from consumer.operator.explain.story import Message, document


@dataclass(frozen=True, slots=True)
class Prediction:
    """How one event would end now."""

    found: DryRunResult
    guards: tuple[GuardCheck, ...]

    @property
    def requests(self) -> AnsweredRequests:
        """What the look has sent."""
        return sent_now(self.found.requests)

    def document(self) -> dict[str, Any]:
        """For scripts."""
        guards = [{"guard": one.guard, "answer": one.answer.value, "because": one.because} for one in self.guards]
        requests = [each.document() for each in self.requests.shown]
        sent = {"requests": requests, "requests_left_out": self.requests.left_out}
        return {**self.found.document(), **sent, "guards": guards}


@dataclass(frozen=True, slots=True)
class ExplainedEvent:
    """One event on record, and the configuration as it is now."""

    found: JournaledEvent
    rules: tuple[RuleMatch, ...]
    """Every rule, and whether it takes the event."""
    now: Prediction | None = None
    """None where no look was wanted."""

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "message_id": self.found.message_id,
            "rule": self.found.taken_by,
            "config_rule_id": self.found.event.config_rule_id,
            "rules": [{"rule": each.rule, "takes": each.takes, "because": each.because} for each in self.rules],
            "now": self.now.document() if self.now else None,
        }


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything about one message or resource."""

    wanted: str
    messages: tuple[Message, ...]
    by_people: tuple[Entry, ...]
    more: bool
    journals: JournalsRead
    events: tuple[ExplainedEvent, ...]
    """The newest of each rule, in the order of their messages."""
    imagined: tuple[Prediction, ...]
    """How an event for each rule would end, where none is on record."""
    events_left_out: int = 0
    """How many older events of other rules there are."""

    def document(self) -> dict[str, Any]:
        """For scripts; `rules` and `now` are those of the newest event alone."""
        events = [each.document() for each in self.events]
        newest = events[-1] if events else {"rules": [], "now": None}
        now = [newest["now"]] if newest["now"] else [each.document() for each in self.imagined]
        return {
            "about": self.wanted,
            "messages": [document(each) for each in self.messages],
            "older_messages": self.more,
            "by_people": [{**each.fields, "hash": each.digest} for each in self.by_people],
            "doubts": list(self.journals.doubts),
            "earlier_journals": list(self.journals.earlier),
            "events": events,
            "events_left_out": self.events_left_out,
            "rules": newest["rules"],
            "now": now,
        }
