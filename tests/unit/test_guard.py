"""Guards: what keeps a change back."""

from __future__ import annotations

from consumer import guard
from consumer.outcome import SETTLED_BY, Outcome, Settlement
from consumer.remediations.base import Change
from consumer.remediations.bucket_acl import BucketAcl, BucketAclOptions
from consumer.rule import Mode, Rule, Selector

CHANGE = Change("public-read", "private")


def rule(mode: Mode) -> Rule:
    """A rule in this mode."""
    return Rule("rule", Selector(), BucketAcl(BucketAclOptions()), mode, 77.0)


def test_enforcing_has_no_objection() -> None:
    """A rule that enforces lets the change through."""
    assert guard.before_change(rule(Mode.ENFORCE), CHANGE) is None


def test_observing_ends_with_what_would_have_been_done() -> None:
    """A rule that observes tells both states, keeps the message, and hides it for the rule's own time."""
    ending = guard.before_change(rule(Mode.OBSERVE), CHANGE)
    assert ending is not None
    assert (ending.outcome, ending.before, ending.after) == (Outcome.WOULD_FIX, "public-read", "private")
    assert ending.hold_seconds == 77.0
    assert SETTLED_BY[ending.outcome] is Settlement.HOLD
