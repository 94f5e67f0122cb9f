"""How work ends: the ending for what was raised in it, or found by it. Pure."""

from __future__ import annotations

from consumer.core.errors import PermanentError, PermissionMissing, Refused, ResourceGone, ServiceError
from consumer.core.outcome import Ending, Outcome
from consumer.guards.chain import permission_missing
from consumer.guards.rule import Rule
from consumer.remediations.base import Pending, ReportOnly


def ended_by(error: Exception, rule: Rule) -> Ending:
    """How work ends in which this was raised."""
    match error:
        case ResourceGone():
            kind = rule.remediation.kind
            return Ending(Outcome.GONE, f"no_such_{kind.word}", f"the {kind.noun} does not exist")
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
    """How a delivery ends whose resource needs time, or a person, and no change by us now."""
    outcome, reason = (
        (Outcome.HELD, "in_progress") if isinstance(finding, Pending) else (finding.outcome, finding.reason)
    )
    hold, alone = rule.hold_seconds, isinstance(finding, ReportOnly)
    return Ending(
        outcome, reason, finding.detail, before=before, after=finding.state, hold_seconds=hold, resource_alone=alone
    )


def rejected(error: Refused | PermanentError) -> Ending:
    name = type(error).__name__
    if isinstance(error, Refused):
        return Ending(Outcome.REJECTED, error.reason, str(error), error_class=name, resource_alone=True)
    return Ending(Outcome.REJECTED, error.code, str(error), error_class=name, resource_alone=error.resource_alone)
