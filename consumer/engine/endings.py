"""The endings of work that no guard decides: after an error, after a look, and for a group's older deliveries. Pure."""

from __future__ import annotations

from dataclasses import replace

from consumer.core.errors import PermanentError, PermissionMissing, Refused, ResourceGone, ServiceError
from consumer.core.outcome import Attempt, Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.engine.parking import CANNOT_BE_PARKED
from consumer.guards.chain import permission_missing
from consumer.guards.rule import Rule
from consumer.remediations.base import Change, Finding, Pending, ReportOnly


def ended_by(error: Exception, rule: Rule, finding: Finding | None = None) -> Ending:
    """The ending of work that this error has cut short; `finding` is the result of its look, if it came that far."""
    ending = _ended_by(error, rule)
    if not isinstance(finding, Change) or ending.outcome is Outcome.GONE:
        return ending
    return replace(ending, attempt=not_begun(finding))


def not_begun(change: Change) -> Attempt:
    """The attempt of a change that was called for and not made, so that the state found still stands."""
    return Attempt(change.before, change.after, now=change.before)


def ended_in_part(error: Exception, rule: Rule, change: Change, now: str) -> Ending:
    """The ending of a change that this error has cut short after a part of it was made, so that it reads `now`."""
    ending = ended_by(error, rule)
    return replace(
        ending,
        detail=f"changed in part, then: {ending.detail}",
        before=change.before,
        after=now,
        attempt=Attempt(change.before, change.after, now, begun=True, in_part=True),
    )


def _ended_by(error: Exception, rule: Rule) -> Ending:
    match error:
        case ResourceGone():
            kind = rule.remediation.kind
            there = " in that region" if kind.needs_region else ""
            return Ending(Outcome.GONE, f"no_such_{kind.word}", f"the {kind.noun} does not exist{there}")
        case PermissionMissing():
            return permission_missing(error, rule)
        case Refused() | PermanentError():
            return rejected(error)
        case ServiceError():
            name, alone = type(error).__name__, error.resource_alone
            return Ending(Outcome.FAILED, error.code, str(error), error_class=name, resource_alone=alone)
        case _:
            detail = f"{type(error).__name__}: {error}"
            return Ending(Outcome.FAILED, "internal_error", detail, error_class=type(error).__name__)


def left_alone(rule: Rule, finding: Pending | ReportOnly, before: str) -> Ending:
    """The ending of a delivery whose resource needs time, or a person, and no change by the worker now."""
    outcome, reason = (
        (Outcome.HELD, "in_progress") if isinstance(finding, Pending) else (finding.outcome, finding.reason)
    )
    hold, alone = rule.hold_seconds, isinstance(finding, ReportOnly)
    return Ending(
        outcome, reason, finding.detail, before=before, after=finding.state, hold_seconds=hold, resource_alone=alone
    )


def ending_of_follower(follower: Delivery, leader: Delivery, *, lost: bool) -> Ending | None:
    """A follower is superseded only by a delivery that is settled or kept; otherwise it is released.

    An older receipt of the leader's own message is neither: deleting it could delete what was just kept. A follower is
    also released where the leader becomes a dead letter for attempts that only the leader itself claims, or only
    because it cannot be parked.
    """
    if follower.message_id == leader.message_id:
        return Ending(Outcome.LEASE_LOST, "received_again", "a later receipt of the same message was settled")
    if lost or leader.exhausted_by_claim or (leader.ending and leader.ending.reason == CANNOT_BE_PARKED):
        return None
    if follower.same_origin(leader):
        return Ending(Outcome.SUPERSEDED, "another_copy", "another copy of the same message was settled")
    return Ending(Outcome.SUPERSEDED, "newer_event", "a newer event was settled")


def rejected(error: Refused | PermanentError) -> Ending:
    name = type(error).__name__
    if isinstance(error, Refused):
        return Ending(Outcome.REJECTED, error.reason, str(error), error_class=name, resource_alone=True)
    return Ending(Outcome.REJECTED, error.code, str(error), error_class=name, resource_alone=error.resource_alone)


def cannot_be_parked(ending: Ending, why: str) -> Ending:
    """The ending of a message that may wait no longer; the change that it calls for was not made, only attempted."""
    attempt = ending.attempt or Attempt(ending.before, ending.after, now=ending.before)
    return Ending(Outcome.REJECTED, CANNOT_BE_PARKED, f"{ending.outcome} for now, and {why}", attempt=attempt)
