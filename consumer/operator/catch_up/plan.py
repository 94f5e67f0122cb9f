"""Which of the listed violations are sent to the queue, and why the others are not. Pure.

What is already on the way cannot be known whole: a queue shows sixteen visible messages at most, and none that is
parked, hidden or in work; the worker's journal has what it keeps back itself. So what was not seen is called unknown,
and not absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from consumer.core.evaluation import Violation
from consumer.core.event import Event
from consumer.core.outcome import Outcome
from consumer.guards.rule import Mode, Observed
from consumer.operator.dry_run import DryRunResult
from consumer.reevaluation.catch_up import memory_key


class EventSeen(StrEnum):
    """What can be seen of an event for a violation, whatever is decided about that."""

    WAITING = "waiting"
    DEAD_LETTER = "dead_letter"
    PARKED = "parked"
    HIDDEN = "hidden"
    SENT = "sent"
    """By catch-up itself, not long ago."""
    UNKNOWN = "unknown"


class Decision(StrEnum):
    """What is done about one listed violation."""

    SEND = "send"
    TOO_YOUNG = "too_young"
    """Its own event may still be on the way, or in work."""
    SENT_BEFORE = "sent_before"
    WAITING = "waiting"
    """An event for it was seen in the queue."""
    DEAD_LETTER = "dead_letter"
    """A dead letter for it was seen: it cannot succeed before a person has settled that."""
    PARKED = "parked"
    """The worker keeps an event for it, which comes back by itself and is looked at anew."""
    HIDDEN = "hidden"
    """The same, for a message that is not sent again but hidden where it is."""
    OBSERVED = "observed"
    """Its rule observes and keeps what it reports, so each further event would be one more copy."""
    EXEMPT = "exempt"
    NOT_TAKEN = "not_taken"
    """No rule takes it, or its account is none that may be changed."""
    INVALID = "invalid"
    """The list says of it what no event may say."""
    FILTERED = "filtered"
    """Excluded by the options on the command line."""
    OVER_LIMIT = "over_limit"


_RECENT_MS = 86_400_000
"""The alert MissedUpstream counts with this, too."""
_OF_NO_CONCERN = (Decision.EXEMPT, Decision.NOT_TAKEN, Decision.INVALID, Decision.FILTERED)


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the command line and the configuration select."""

    rules: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    limit: int | None = None
    min_age_seconds: float = 0.0
    include_observing: bool = False
    observed: Mapping[str, Observed] = field(default_factory=dict)
    """What each rule does with what it has observed, by its name."""

    @property
    def everything(self) -> bool:
        """Whether nothing was left out on purpose."""
        return not (self.rules or self.regions or self.accounts or self.limit)


ListedResource = tuple[str, str, str]
"""The evaluator's rule, the account and the resource's id."""


@dataclass(frozen=True, slots=True)
class KeptBack:
    """An event that the worker keeps, and that nobody can receive before its time."""

    how: EventSeen
    """Parked or hidden."""
    until_ms: int
    """In milliseconds since the epoch."""
    message_id: str


@dataclass(frozen=True, slots=True)
class QueuedWork:
    """What two looks at queues, the worker's journal and the memory of what was sent have shown."""

    waiting: Collection[ListedResource] = frozenset()
    dead_letters: Collection[ListedResource] = frozenset()
    kept: Mapping[ListedResource, KeptBack] = field(default_factory=dict)
    sent: Mapping[str, int] = field(default_factory=dict)
    """When each violation was sent last, by its key, in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One violation and what is done about it."""

    violation: Violation
    rule: str
    """Ours; empty if none takes it."""
    mode: str
    decision: Decision
    why: str
    event: EventSeen
    """Whether one is on the way already, as far as anybody can see."""
    sent_at_ms: int | None = None
    """When an event for it was sent last, as far as that is remembered."""
    kept: KeptBack | None = None
    """What the worker's journal says of one that is kept back."""


def resource_of(found: Event | Violation) -> ListedResource:
    """What an event or a violation is about, for comparing them."""
    return found.config_rule_id, found.account_id, found.resource_id


def plan(
    found: Iterable[tuple[Violation, DryRunResult]], choice: PlanOptions, seen: QueuedWork, now_ms: int
) -> tuple[Planned, ...]:
    """Decide about each; the longest-standing come first and have the limit to themselves."""
    planned, room = [], choice.limit
    for violation, rehearsed in found:
        sent_at_ms = seen.sent.get(memory_key(violation, rehearsed.mode))
        event = _event(violation, sent_at_ms, seen)
        decision, why = _decided(violation, rehearsed, event, choice, now_ms)
        if decision is Decision.SEND and room is not None:
            if room <= 0:
                decision, why = Decision.OVER_LIMIT, f"over --limit {choice.limit}"
            room -= 1
        kept = seen.kept.get(resource_of(violation))
        planned.append(Planned(violation, rehearsed.rule, rehearsed.mode, decision, why, event, sent_at_ms, kept))
    return tuple(planned)


def recent(planned: Iterable[Planned], min_age_seconds: float, now_ms: int) -> tuple[tuple[str, int], ...]:
    """By rule of ours, how many violations began within the last day, and too early for their events to be on the way.

    Those whose beginning the list does not say are left out: what is evaluated anew each day would begin each day.
    """
    found = Counter(
        each.rule
        for each in planned
        if each.violation.since_known
        and each.decision not in _OF_NO_CONCERN
        and min_age_seconds * 1000 <= now_ms - each.violation.since_ms < _RECENT_MS
    )
    return tuple(sorted(found.items()))


def counts(planned: Sequence[Planned]) -> dict[str, int]:
    """How many there are of each decision."""
    found = Counter(each.decision for each in planned)
    return {decision.value: found[decision] for decision in Decision if found[decision]}


def seen_counts(planned: Sequence[Planned]) -> dict[str, int]:
    """How many events there are of each kind of what was seen of them."""
    found = Counter(each.event for each in planned)
    return {event.value: found[event] for event in EventSeen if found[event]}


def _decided(
    violation: Violation, rehearsed: DryRunResult, event: EventSeen, choice: PlanOptions, now_ms: int
) -> tuple[Decision, str]:
    if rehearsed.outcome is not None:
        return _ended(rehearsed)
    if not _selected(violation, rehearsed.rule, choice):
        return Decision.FILTERED, "excluded by the options"
    keeps = choice.observed.get(rehearsed.rule, Observed.KEEP) is Observed.KEEP
    if rehearsed.mode == Mode.OBSERVE and keeps and not choice.include_observing:
        return Decision.OBSERVED, "observed and kept; --include-observing"
    match event:
        case EventSeen.WAITING:
            return Decision.WAITING, "waits in the queue"
        case EventSeen.DEAD_LETTER:
            return Decision.DEAD_LETTER, "a dead letter waits: dlq list"
        case EventSeen.PARKED:
            return Decision.PARKED, "parked, comes back by itself"
        case EventSeen.HIDDEN:
            return Decision.HIDDEN, "hidden, comes back by itself"
        case EventSeen.SENT:
            return Decision.SENT_BEFORE, "sent not long ago"
        case EventSeen.UNKNOWN:
            young = now_ms - violation.since_ms < choice.min_age_seconds * 1000
            return (Decision.TOO_YOUNG, "too young: its event may be on the way") if young else (Decision.SEND, "")
        case _:
            assert_never(event)


def _event(violation: Violation, sent_at_ms: int | None, seen: QueuedWork) -> EventSeen:
    resource = resource_of(violation)
    if resource in seen.waiting:
        return EventSeen.WAITING
    if resource in seen.dead_letters:
        return EventSeen.DEAD_LETTER
    if kept := seen.kept.get(resource):
        return kept.how
    return EventSeen.UNKNOWN if sent_at_ms is None else EventSeen.SENT


def _ended(rehearsed: DryRunResult) -> tuple[Decision, str]:
    """What the worker would end at once is not worth a message."""
    match rehearsed.outcome:
        case Outcome.EXEMPT:
            return Decision.EXEMPT, rehearsed.detail
        case Outcome.INVALID:
            return Decision.INVALID, rehearsed.detail
        case _:
            return Decision.NOT_TAKEN, rehearsed.detail


def _selected(violation: Violation, rule: str, choice: PlanOptions) -> bool:
    return (
        (not choice.rules or rule in choice.rules)
        and (not choice.regions or violation.region in choice.regions)
        and (not choice.accounts or violation.account_id in choice.accounts)
    )
