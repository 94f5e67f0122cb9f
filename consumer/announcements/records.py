"""What is announced: closed sets and frozen records. Pure; how they are written as JSON stands in `document`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_IN_DIGEST = 1_000
"""Resources that one digest remembers; the others of that time are a number in it."""

UNKNOWN = "unknown"
"""What is announced as a state that nobody has seen, or of which nobody knows whether it still is so."""


class Kind(StrEnum):
    """What can be announced. Each is also the tag of its messages, by which a subscription can filter."""

    FIXED = "fixed"
    """A resource was changed, and read back as compliant."""
    WOULD_FIX = "would_fix"
    """A rule that observes would have changed a resource."""
    CONTESTED = "contested"
    """Somebody keeps breaking a resource after every fix; it is left alone."""
    HELD = "held"
    """A change has been held back for longer than `announce.held_after_seconds`."""
    DEAD_LETTERED = "dead_lettered"
    """A message was given up and stands in the dead-letter queue."""
    UNDONE = "undone"
    """A person took a change back."""
    PAUSED = "paused"
    """Changes are paused, or go on again."""
    BREAKER_OPEN = "breaker_open"
    """A rule's changes are stopped because too many of them failed, or go on again."""


@dataclass(frozen=True, slots=True)
class ResourceName:
    """One resource, as an event or the journal names it."""

    resource_type: str
    resource_id: str
    region: str
    account_id: str


@dataclass(frozen=True, slots=True)
class ResourceAnnouncement:
    """One ending, of one delivery or of an undo. Times are milliseconds since the epoch, by the local clock."""

    kind: Kind
    identity: str
    """The same for every replica and restart that would announce the same, so that receivers recognise repeats."""
    at_ms: int
    resource: ResourceName | None
    """None for a message that names none, such as a dead letter that is no event."""
    rule: str = ""
    remediation: str = ""
    mode: str = ""
    reason: str = ""
    detail: str = ""
    before: str = ""
    """The state found."""
    after: str = ""
    """The state reached, or the one wanted."""
    now: str = ""
    """The state as it stands, as far as that is known."""
    message_id: str = ""
    evaluated_at_ms: int | None = None
    """When the evaluator found it, by its own clock."""
    exposure_seconds: float | None = None
    """From the evaluation to the verified fix; of what is open, until it was reported."""
    undo: str = ""
    """The command that takes the change back."""
    how_to_undo: str = ""
    """The same for a person, or why there is nothing to take back or no way to."""
    confirmed: bool = True
    """Whether a look, or the journal, has shown that there is such a resource; an event can name anything."""
    by: str = ""
    """The person who did it, where it was no worker."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Several endings of one kind, collected over a time."""

    kind: Kind
    identity: str
    at_ms: int
    since_ms: int
    entries: tuple[ResourceAnnouncement, ...]
    left_out: int = 0
    """More of them, which were counted and not remembered."""


@dataclass(frozen=True, slots=True)
class StateAnnouncement:
    """A state of this process began or ended."""

    kind: Kind
    identity: str
    at_ms: int
    active: bool
    """Whether it holds from now on; false where it is over."""
    rule: str = ""
    """Whose changes it stops; empty for those of every rule."""
    detail: str = ""


Announcement = ResourceAnnouncement | Digest | StateAnnouncement
