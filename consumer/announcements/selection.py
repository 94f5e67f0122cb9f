"""Which endings of deliveries are announced: by kind and rule, and each thing once. Pure; not thread-safe."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from consumer.announcements.records import Announcement, Digest, Kind, ResourceAnnouncement, ResourceName
from consumer.announcements.undoing import Undoing
from consumer.core.event_times import believed_ms
from consumer.core.observers import Report
from consumer.core.outcome import Attempt, Disposition, Ending, Outcome
from consumer.telemetry.exposure import exposure_seconds

REMEMBERED = 10_000
"""Resources of which it is known what was announced; beyond that the one announced longest ago may be so again."""

CONTESTED = "contested"
"""The reason of a delivery that `consumer.guards.chain` holds because of a contest."""

_CLOSING = frozenset({Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.GONE, Outcome.EXEMPT, Outcome.NOT_OURS})
OPEN = frozenset({Kind.WOULD_FIX, Kind.CONTESTED, Kind.HELD})
"""What comes back with every delivery of a kept message, and is news only once."""

AnnouncedKey = tuple[str, str, str, str]
"""Rule, account, region and resource id."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be announced."""

    kinds: frozenset[Kind] = frozenset(Kind)
    by_rule: Mapping[str, frozenset[Kind]] = field(default_factory=dict)
    """For rules that say otherwise."""
    digested: frozenset[Kind] = frozenset()
    held_after_seconds: float = 3_600.0
    undoing: Undoing = field(default_factory=Undoing)
    """How changes can be taken back."""

    def wants(self, kind: Kind, rule: str) -> bool:
        """Whether this is announced at all."""
        return kind in self.by_rule.get(rule, self.kinds)


class News:
    """What of the reports is news."""

    def __init__(self, selection: Selection, remembered: int = REMEMBERED) -> None:
        self._selection = selection
        self._remembered = remembered
        self._announced: OrderedDict[AnnouncedKey, frozenset[Kind]] = OrderedDict()

    def of(self, report: Report) -> ResourceAnnouncement | None:
        """What a settled delivery gives to announce; None if nothing, or if that was announced before."""
        ending = report.ending
        key = _key(report)
        kind = self._kind(report)
        if key is not None and ending is not None and ending.outcome in _CLOSING:
            self._announced.pop(key, None)
        if ending is None or kind is None or not self._selection.wants(kind, report.rule):
            return None
        if kind in OPEN and key is not None and not self._first(key, kind):
            return None
        return self._announcement(kind, report, ending)

    def forget(self, announced: Announcement) -> None:
        """It was not published after all: what is open about a resource is news once more."""
        entries = announced.entries if isinstance(announced, Digest) else (announced,)
        for entry in entries:
            if isinstance(entry, ResourceAnnouncement) and (key := key_of(entry)) in self._announced and key:
                self._announced[key] -= {entry.kind}

    def _kind(self, report: Report) -> Kind | None:
        """By how the work ended: a fix is news even where its message was lost before it could be deleted."""
        ending = report.ending
        if ending is None:
            return None
        if report.disposition is Disposition.DEAD_LETTERED:
            return Kind.DEAD_LETTERED
        match ending.outcome:
            case Outcome.FIXED:
                return Kind.FIXED
            case Outcome.WOULD_FIX:
                return Kind.WOULD_FIX
            case Outcome.HELD if ending.reason == CONTESTED:
                return Kind.CONTESTED
            case Outcome.HELD if (_age_seconds(report) or 0.0) >= self._selection.held_after_seconds:
                return Kind.HELD
            case _:
                return None

    def _first(self, key: AnnouncedKey, kind: Kind) -> bool:
        known = self._announced.pop(key, frozenset())
        self._announced[key] = known | {kind}
        if len(self._announced) > self._remembered:
            self._announced.popitem(last=False)
        return kind not in known

    def _announcement(self, kind: Kind, report: Report, ending: Ending) -> ResourceAnnouncement:
        event, undoing, message_id = report.event, self._selection.undoing, report.message.message_id
        changed = is_changed(ending)
        command = undoing.command(report.remediation, message_id) if changed else ""
        states = states_of(ending)
        return ResourceAnnouncement(
            kind,
            _identity(kind, report, ending),
            report.settled_at_ms,
            ResourceName(event.resource_type, event.resource_id, event.region, event.account_id) if event else None,
            rule=report.rule,
            remediation=report.remediation,
            mode=report.mode,
            reason=ending.reason,
            detail=ending.detail,
            before=states.before,
            after=states.wanted,
            now=states.now,
            message_id=message_id,
            evaluated_at_ms=event.evaluated_at_ms if event else None,
            exposure_seconds=exposure_seconds(report) if kind is Kind.FIXED else _age_seconds(report),
            undo=command,
            how_to_undo=(
                undoing.of_change(report.remediation, command)
                if changed
                else undoing.of_none(kind, report.remediation, message_id, begun=states.begun)
            ),
            confirmed=report.confirmed,
        )


def states_of(ending: Ending) -> Attempt:
    """The states that an ending is about: found, reached or wanted, and as it stands; empty where not known."""
    if ending.attempt is not None:
        return ending.attempt
    now = ending.after if is_changed(ending) else ending.before
    return Attempt(ending.before, ending.after, now, begun=is_changed(ending))


def is_changed(ending: Ending) -> bool:
    """Whether a change was made and read back that the journal can prove, so that it can be taken back.

    As `consumer.operator.records.is_change` reads it from a journal: a repair may be made, and a person still have to
    look at the rest.
    """
    rest_is_left = ending.outcome is Outcome.REJECTED and ending.before != ending.after
    in_part = ending.attempt is not None and ending.attempt.in_part
    return ending.outcome is Outcome.FIXED or rest_is_left or in_part


def key_of(announced: ResourceAnnouncement) -> AnnouncedKey | None:
    """What two announcements about the same resource and rule share; None where no resource is named."""
    resource = announced.resource
    return (announced.rule, resource.account_id, resource.region, resource.resource_id) if resource else None


def closed_by(report: Report) -> AnnouncedKey | None:
    """The key of what an ending settles, so that nothing collected about it is of interest any more."""
    return _key(report) if report.ending and report.ending.outcome in _CLOSING else None


def found_by(report: Report) -> tuple[AnnouncedKey, str] | None:
    """What an ending is about, and the state as it stands then; empty where nobody could look.

    None where it says nothing of that: the delivery was superseded by the one that looked.
    """
    key, ending = _key(report), report.ending
    if key is None or ending is None or ending.outcome is Outcome.SUPERSEDED:
        return None
    return key, states_of(ending).now


def _key(report: Report) -> AnnouncedKey | None:
    event = report.event
    return (report.rule, event.account_id, event.region, event.resource_id) if event else None


def _age_seconds(report: Report) -> float | None:
    """How long ago the evaluator found it, as far as that can be believed."""
    if report.event is None:
        return None
    began_ms = believed_ms(report.event.evaluated_at_ms, report.settled_at_ms, report.first_ms)
    return max(0.0, (report.settled_at_ms - began_ms) / 1000)


def _identity(kind: Kind, report: Report, ending: Ending) -> str:
    """The same wherever the same thing is announced: of what comes back, by the finding; else by the delivery."""
    parts: Collection[object] = (report.message.message_id, report.message.dequeue_count)
    if kind in OPEN and report.event is not None:
        parts = (*(_key(report) or ()), report.event.evaluated_at_ms, ending.reason)
    text = "\0".join(str(part) for part in (kind.value, *parts))
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
