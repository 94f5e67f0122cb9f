"""The way a message takes: receive → decode → match → guard → inspect → apply → verify → settle → report.

The steps from decode to verify stand here, in order. Each turns one record into the next or into an ending; nothing
in this module touches the queue, so whatever happens here, the message is still there. What an ending does to it is
said in `consumer.core.outcome` and carried out in `consumer.engine.settler`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import assert_never

from consumer.core.errors import (
    BucketGone,
    ChangedMeanwhile,
    InvalidMessage,
    PermanentError,
    PermissionMissing,
    Refused,
    ServiceError,
)
from consumer.core.event import Event, OtherMessage, decode
from consumer.core.observers import StepName
from consumer.core.outcome import Ending, Outcome
from consumer.engine.timings import Stages
from consumer.guards.chain import Guards, Intent, Permit, permission_missing
from consumer.guards.rule import Rule, match
from consumer.remediations.base import Change, Compliant, Pending, ReportOnly
from consumer.resources.oss.bucket import Bucket, BucketInfo, Resource


@dataclass(frozen=True, slots=True)
class Matched:
    """An event that a rule takes, and the resource it names, checked for form."""

    event: Event
    rule: Rule
    resource: Resource


@dataclass(frozen=True, slots=True)
class Dismissed:
    """A message whose ending is known without looking at any resource."""

    ending: Ending
    event: Event | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    """A change that may be made, and what it is made with."""

    rule: Rule
    bucket: Bucket
    found: BucketInfo
    change: Change
    permit: Permit


Tell = Callable[[StepName, Change], None]
"""Is told that a change is about to be made, and that the service has taken it."""


def untold(_step: StepName, _change: Change) -> None:
    """Nobody follows the change."""


OpenBucket = Callable[[Resource, float], Bucket]
"""Opens the bucket for one delivery, which may work on it until a monotonic moment."""


class Pipeline:
    """Decides and repairs; one for the process, used by every worker."""

    def __init__(
        self,
        rules: Sequence[Rule],
        open_bucket: OpenBucket,
        *,
        account_id: str,
        default_region: str,
        work_budget_seconds: float,
        guards: Guards | None = None,
        member_accounts: Collection[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._open_bucket = open_bucket
        self._accounts = frozenset({account_id, *member_accounts})
        self._guards = guards or Guards()
        self._default_region = default_region
        self._work_budget_seconds = work_budget_seconds
        self._monotonic = monotonic

    def triage(self, body: str) -> Matched | Dismissed:
        """Decode and match: what the message asks for, or how it ends without a look at the resource."""
        try:
            found = decode(body)
        except InvalidMessage as error:
            return Dismissed(Ending(Outcome.INVALID, error.reason, str(error), error_class="InvalidMessage"))
        if isinstance(found, OtherMessage):
            return Dismissed(Ending(Outcome.NOT_OURS, "other_message", found.kind))
        rule = match(found, self._rules)
        if rule is None:
            return Dismissed(Ending(Outcome.NOT_OURS, "no_rule", "no rule takes this event"), found)
        try:
            resource = self._resource(found, rule)
        except Refused as error:
            return Dismissed(_rejected(error), found, rule)
        objection = self._guards.before_look(rule, resource, found.region)
        return Dismissed(objection, found, rule) if objection else Matched(found, rule, resource)

    def repair(self, case: Matched, stages: Stages, still_ours: Callable[[], bool], tell: Tell = untold) -> Ending:
        """Inspect, guard, apply and verify: every way this can go is an ending, never an exception."""
        return _ended(case.rule, lambda: self._repair(case, stages, still_ours, tell))

    def _resource(self, event: Event, rule: Rule) -> Resource:
        """The resource the event names.

        Raises:
            Refused: we never act on it: of another kind or account, or with an impossible name.
        """
        if event.resource_type != rule.remediation.resource_type:
            raise Refused("wrong_resource_type", f"rule {rule.name} repairs {rule.remediation.resource_type} only")
        if event.account_id not in self._accounts:
            raise Refused("account_not_allowed", f"the resource belongs to account {event.account_id}")
        return Resource.checked(event.account_id, event.region or self._default_region, event.resource_id)

    def _repair(self, case: Matched, stages: Stages, still_ours: Callable[[], bool], tell: Tell) -> Ending:
        bucket = self._open_bucket(case.resource, self._monotonic() + self._work_budget_seconds)
        ending = _ended(case.rule, lambda: self._repair_bucket(bucket, case, stages, still_ours, tell))
        stages.request_ids = tuple(bucket.request_ids)
        return self._guards.after_look(case.resource, ending, bucket.granted)

    def _repair_bucket(
        self, bucket: Bucket, case: Matched, stages: Stages, still_ours: Callable[[], bool], tell: Tell
    ) -> Ending:
        remediation = case.rule.remediation
        with stages.measure("inspect"):
            found = bucket.info()
            if found.owner_id != case.resource.account_id:
                raise Refused("not_owner", "the bucket belongs to another account than the event says")
            finding = remediation.plan(remediation.inspect(bucket, found))
        match finding:
            case Compliant(state):
                note = remediation.remark(bucket, found)
                reason, detail = (note.reason, note.detail) if note else ("", "")
                return Ending(Outcome.ALREADY_COMPLIANT, reason, detail, before=state, after=state)
            case Pending() | ReportOnly():
                return _left_alone(case.rule, finding, finding.state)
            case Change():
                intent = Intent(case.rule, case.resource, found.region or case.resource.region, finding)
            case _:
                assert_never(finding)
        with stages.measure("inspect"):
            answer = self._guards.before_change(intent, bucket.tags)
        if isinstance(answer, Ending):
            return answer
        work = _Work(case.rule, bucket, found, finding, answer)
        ending = _ended(case.rule, lambda: self._change(work, stages, still_ours, tell))
        answer.ended(ending)
        return ending

    def _change(self, work: _Work, stages: Stages, still_ours: Callable[[], bool], tell: Tell) -> Ending:
        if not still_ours():
            # Somebody else may be repairing it by now; the queue will deliver the message again if nobody is.
            work.permit.not_used()
            return Ending(Outcome.LEASE_LOST, "lost_before_change")
        with stages.measure("apply"):
            tell(StepName.BEFORE, work.change)
            self._apply(work)
            tell(StepName.CHANGED, work.change)
        with stages.measure("verify"):
            return self._verify(work)

    def _apply(self, work: _Work) -> None:
        remediation, bucket = work.rule.remediation, work.bucket
        try:
            remediation.apply(bucket, work.change)
        except (BucketGone, ChangedMeanwhile, PermanentError):
            work.permit.not_used()
            raise
        except ServiceError:
            # Unanswered is not undone: the request may have created a bucket that was deleted a moment ago.
            if remediation.creates_bucket and bucket.info().replaces(work.found):
                self._take_back(bucket)
            raise

    def _verify(self, work: _Work) -> Ending:
        """Read back: the change counts only if the live resource, still the same one, is compliant now."""
        bucket, found, change = work.bucket, work.found, work.change
        now = bucket.info()
        if now.owner_id != found.owner_id:
            return Ending(Outcome.GONE, "owner_changed", "the bucket was deleted; its name is another account's now")
        remediation = work.rule.remediation
        if remediation.creates_bucket and now.replaces(found) and (ending := self._take_back(bucket)):
            return ending
        read_back = remediation.plan(remediation.inspect(bucket, now))
        match read_back:
            case Compliant(state):
                note = remediation.note(bucket, now)
                reason, detail = (note.reason, note.detail) if note else ("", "")
                return Ending(Outcome.FIXED, reason, detail, before=change.before, after=state)
            case Pending() | ReportOnly():
                return _left_alone(work.rule, read_back, change.before)
            case Change(before=state):
                detail = f"changed, but it reads back as {state}"
                return Ending(Outcome.FAILED, "not_verified", detail, before=change.before, after=state)
            case _:
                assert_never(read_back)

    def _take_back(self, bucket: Bucket) -> Ending | None:
        """Undo an accident: PutBucketAcl creates a bucket that was deleted between the look and the change.

        DeleteBucket only takes an empty bucket away, so one that its owner has made anew and begun to use stays, and
        there is no ending yet.
        """
        try:
            bucket.delete()
        except PermissionMissing as error:
            return Ending(Outcome.GONE, "created_by_accident", f"an empty bucket was left behind: {error}")
        except BucketGone:
            pass
        except PermanentError:
            return None
        return Ending(Outcome.GONE, "taken_back", "the bucket was deleted meanwhile; the empty new one was removed")


def _ended(rule: Rule, work: Callable[[], Ending]) -> Ending:
    """How the work ends, whatever is raised in it."""
    try:
        return work()
    except BucketGone:
        return Ending(Outcome.GONE, "no_such_bucket", "the bucket does not exist")
    except PermissionMissing as error:
        return permission_missing(error, rule)
    except (Refused, PermanentError) as error:
        return _rejected(error)
    except ServiceError as error:
        name, alone = type(error).__name__, error.resource_alone
        return Ending(Outcome.FAILED, error.code, str(error), error_class=name, resource_alone=alone)
    except Exception as error:  # noqa: BLE001 - a fault in one repair must not take the other messages with it
        detail = f"{type(error).__name__}: {error}"
        return Ending(Outcome.FAILED, "internal_error", detail, error_class=type(error).__name__)


def _left_alone(rule: Rule, finding: Pending | ReportOnly, before: str) -> Ending:
    """How a delivery ends whose resource needs time, or a person, and no change by us now."""
    outcome, reason = (
        (Outcome.HELD, "in_progress") if isinstance(finding, Pending) else (finding.outcome, "report_only")
    )
    return Ending(outcome, reason, finding.detail, before=before, after=finding.state, hold_seconds=rule.hold_seconds)


def _rejected(error: Refused | PermanentError) -> Ending:
    name = type(error).__name__
    if isinstance(error, Refused):
        return Ending(Outcome.REJECTED, error.reason, str(error), error_class=name, resource_alone=True)
    return Ending(Outcome.REJECTED, error.code, str(error), error_class=name, resource_alone=error.resource_alone)
