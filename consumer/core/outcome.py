"""How a delivery can end: the closed set of outcomes, and what settling each one does to the message.

The promise that a message is deleted only on success stands here as data: `SETTLED_BY` is the only place that says
which outcomes delete. Pure: no I/O, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The one ending of a delivery."""

    FIXED = "fixed"
    """Changed, and read back as compliant."""
    ALREADY_COMPLIANT = "already_compliant"
    """The live resource no longer breaks the rule."""
    GONE = "gone"
    """The resource does not exist any more."""
    EXEMPT = "exempt"
    """An exemption covers the resource."""
    SUPERSEDED = "superseded"
    """A newer event for the same resource and rule was in flight and has been settled."""
    NOT_OURS = "not_ours"
    """Another kind of message, or an event that no rule matches."""
    WOULD_FIX = "would_fix"
    """The rule only observes; enforcing would have changed the resource."""
    HELD = "held"
    """A limit, a pause, a contest or a missing permission keeps the change back for now."""
    FAILED = "failed"
    """It did not work this time and is worth another try."""
    REJECTED = "rejected"
    """It can never succeed."""
    INVALID = "invalid"
    """The body is not an event and never will be."""
    EXHAUSTED = "exhausted"
    """It failed as often as it may."""
    LEASE_LOST = "lease_lost"
    """The delivery stopped being ours before it was settled; the queue will deliver the message again."""


class Settlement(StrEnum):
    """What carrying an outcome out does to the message."""

    DELETE = "delete"
    HOLD = "hold"
    """Kept for the time the rule or the configuration gives: parked, or hidden if that is short."""
    BACK_OFF = "back_off"
    """Kept for a time that grows with each failed attempt: parked, or hidden if that is short."""
    DEAD_LETTER = "dead_letter"
    """Copy to the dead-letter queue, confirm, then delete; without such a queue kept as what is held."""
    NOTHING = "nothing"


SETTLED_BY: dict[Outcome, Settlement] = {
    Outcome.FIXED: Settlement.DELETE,
    Outcome.ALREADY_COMPLIANT: Settlement.DELETE,
    Outcome.GONE: Settlement.DELETE,
    Outcome.EXEMPT: Settlement.DELETE,
    Outcome.SUPERSEDED: Settlement.DELETE,
    Outcome.NOT_OURS: Settlement.DELETE,
    Outcome.WOULD_FIX: Settlement.HOLD,
    Outcome.HELD: Settlement.HOLD,
    Outcome.FAILED: Settlement.BACK_OFF,
    Outcome.REJECTED: Settlement.DEAD_LETTER,
    Outcome.INVALID: Settlement.DEAD_LETTER,
    Outcome.EXHAUSTED: Settlement.DEAD_LETTER,
    Outcome.LEASE_LOST: Settlement.NOTHING,
}


class Disposition(StrEnum):
    """What became of the message on the queue; every received delivery ends in exactly one."""

    DELETED = "deleted"
    HIDDEN = "hidden"
    PARKED = "parked"
    """Sent again with a delay, confirmed, and then deleted."""
    DEAD_LETTERED = "dead_lettered"
    RELEASED = "released"
    """Returned to the queue untouched, visible again after a second."""
    LEASE_LOST = "lease_lost"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A change that did not come to a verified end: what was wanted, and what is known of it. For people only.

    `Ending.before` and `Ending.after` cannot say it: what stands there of a failure is what was really reached, and a
    journal in which they differ proves a change that can be undone.
    """

    before: str
    """The state found."""
    wanted: str
    """The state to be reached."""
    now: str = ""
    """The state as it stands, as far as that is known; empty if it is not."""
    begun: bool = False
    """Whether anything may have been changed."""
    in_part: bool = False
    """Whether a part of it was made and read back: then the ending's `before` and `after` are a change to be undone."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How the work on one delivery ended, before it is settled."""

    outcome: Outcome
    reason: str = ""
    """One word for metrics and dead letters: `permission_missing`, `over_limit`."""
    detail: str = ""
    """One sentence for a person."""
    before: str = ""
    """The state found, where the remediation looked."""
    after: str = ""
    """The state reached, or the one that enforcing would reach."""
    error_class: str = ""
    """The class of the error behind a failure, for dead letters."""
    hold_seconds: float | None = None
    """How long to hide a held delivery; None for the configured time."""
    missing_action: str = ""
    """The RAM action whose absence holds it back, in its service's spelling of the operation: `oss:PutBucketAcl`."""
    resource_alone: bool = False
    """Whether a failure is the resource's own and says nothing about any other one."""
    attempt: Attempt | None = None
    """The change that failed, or does not show yet; None where `before` and `after` say all there is to say."""
