"""What announcements say in a line, for a person. Pure; texts are neither cleaned nor cut here."""

from __future__ import annotations

from typing import assert_never

from consumer.announcements.records import UNKNOWN, Digest, Kind, ResourceAnnouncement, StateAnnouncement

_LONGEST_STATE = 80

_DIGESTED = {
    Kind.WOULD_FIX: "a rule that observes would change them",
    Kind.HELD: "their change has been held back for long",
    Kind.CONTESTED: "somebody keeps breaking them after every fix",
    Kind.FIXED: "changed and read back",
    Kind.DEAD_LETTERED: "given up, a person has to look",
}


def summary(announced: ResourceAnnouncement) -> str:
    """One line which every channel can show."""
    name = announced.resource.resource_id if announced.resource else f"message {announced.message_id}"
    change = f"{_state(announced.before)} -> {_state(announced.after)}"
    match announced.kind:
        case Kind.FIXED:
            return f"{name}: {change} (rule {announced.rule})"
        case Kind.UNDONE:
            return f"{name}: {change}, taken back by {announced.by} (rule {announced.rule})"
        case Kind.WOULD_FIX if not _changes(announced):
            return f"{name}: rule {announced.rule} found it, and only a person can change it: {announced.reason}"
        case Kind.WOULD_FIX:
            return f"{name}: rule {announced.rule} would change {change}"
        case Kind.CONTESTED:
            return f"{name}: somebody keeps breaking it after every fix by rule {announced.rule}; it is left alone"
        case Kind.HELD if not _changes(announced):
            return f"{name}: rule {announced.rule} is held back: {announced.reason}"
        case Kind.HELD:
            return f"{name}: the change {change} by rule {announced.rule} is held back: {announced.reason}"
        case Kind.DEAD_LETTERED:
            return f"{name}: given up, a person has to look: {announced.reason}{_left_over(announced)}"
        case Kind.PAUSED | Kind.BREAKER_OPEN:
            return announced.detail
        case _:
            assert_never(announced.kind)


def summary_of_state(announced: StateAnnouncement) -> str:
    """The same of a state of the process."""
    return f"{announced.rule}: {announced.detail}" if announced.rule else announced.detail


def summary_of_digest(announced: Digest, count: int, shown: int) -> str:
    """The same of several resources, of which not all may be listed."""
    rest = f" ({shown} of them listed)" if shown < count else ""
    return f"{count} resource{'s' if count != 1 else ''}: {_DIGESTED.get(announced.kind, announced.kind)}{rest}"


def subject(announced: ResourceAnnouncement) -> str:
    """What it is about."""
    resource = announced.resource
    return f"{resource.resource_type}/{resource.resource_id}" if resource else f"message/{announced.message_id}"


def _changes(announced: ResourceAnnouncement) -> bool:
    """Whether a change is known that it is about; a person may be wanted instead, or nobody could look."""
    return announced.before != announced.after


def _left_over(announced: ResourceAnnouncement) -> str:
    if not _changes(announced):
        return ""
    return f" (now {_state(announced.now)}, wanted {_state(announced.after)})"


def _state(state: str) -> str:
    if not state:
        return UNKNOWN
    return state if len(state) <= _LONGEST_STATE else f"{state[:_LONGEST_STATE]}..."
