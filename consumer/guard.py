"""Whether a change that is called for may be made now. Pure: state and time are passed in.

A guard answers with an ending, or with nothing when it has no objection. It is asked after the live resource was
inspected, so that what it holds back is a real change and not a stale event.
"""

from __future__ import annotations

from consumer.outcome import Ending, Outcome
from consumer.remediations.base import Change
from consumer.rule import Mode, Rule


def before_change(rule: Rule, change: Change) -> Ending | None:
    """The ending that keeps this change from being made, or None if it may be made."""
    match rule.mode:
        case Mode.OBSERVE:
            return Ending(
                Outcome.WOULD_FIX,
                reason="observe_mode",
                detail="the rule only observes",
                before=change.before,
                after=change.after,
                hold_seconds=rule.hold_seconds,
            )
        case Mode.ENFORCE:
            return None
