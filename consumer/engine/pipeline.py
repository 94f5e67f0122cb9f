"""The way a message takes: receive → decode → match → guard → inspect → apply → verify → settle → report.

The steps from decode to verify stand here, in order. Each fills its part of the delivery or ends it; nothing in this
module touches the queue, so whatever happens here, the message is still there. What an ending does to it is said in
`consumer.core.outcome` and carried out in `consumer.engine.settlement`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
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
from consumer.core.observers import Hooks, StepName
from consumer.core.outcome import Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.guards.chain import (
    JOURNAL_HOLD_SECONDS,
    JOURNAL_UNWRITABLE,
    READS_BACK_OLD,
    Guards,
    Intent,
    Permit,
    missing_action,
    permission_missing,
)
from consumer.guards.rule import Rule, match
from consumer.remediations.base import Change, Compliant, Finding, Pending, ReportOnly
from consumer.resources.oss.bucket import Bucket, BucketInfo, Resource

READ_BACK_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""After an accepted change that still reads old: the service may show a setting's old state for some seconds."""

OpenBucket = Callable[[Resource, Callable[[], float]], Bucket]
"""Opens the bucket for one delivery, which may try requests again until the monotonic moment that the function says."""


@dataclass(frozen=True, slots=True)
class _Work:
    """A change that may be made, and what it is made with."""

    delivery: Delivery
    rule: Rule
    bucket: Bucket
    found: BucketInfo
    change: Change
    permit: Permit
    until: float
    """The monotonic moment at which the work budget ends."""


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
        hooks: Hooks | None = None,
        journal_required: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rules = rules
        self._open_bucket = open_bucket
        self._accounts = frozenset({account_id, *member_accounts})
        self._guards = guards or Guards()
        self._default_region = default_region
        self._work_budget_seconds = work_budget_seconds
        self._journal_required = journal_required
        self._hooks = hooks or Hooks()
        self._monotonic = monotonic
        self._pause = pause

    def triage(self, delivery: Delivery) -> None:
        """Decode and match: fills in event, rule and resource, or the ending of what needs no look at a resource."""
        if damage := delivery.message.damage:
            # No reply can carry its body: a person has to look, for it may have been anything.
            delivery.ending = Ending(Outcome.INVALID, "damaged_body", damage, error_class="InvalidMessage")
            return
        try:
            found = decode(delivery.message.body)
        except InvalidMessage as error:
            delivery.ending = Ending(Outcome.INVALID, error.reason, str(error), error_class="InvalidMessage")
            return
        if isinstance(found, OtherMessage):
            delivery.ending = Ending(Outcome.NOT_OURS, "other_message", found.kind)
            return
        delivery.event, delivery.rule = found, match(found, self._rules)
        if delivery.rule is None:
            delivery.ending = Ending(Outcome.NOT_OURS, "no_rule", "no rule takes this event")
            return
        try:
            delivery.resource = self._resource(found, delivery.rule)
        except Refused as error:
            delivery.ending = _rejected(error)
            return
        # The region that an event names is not the resource's until the resource says so.
        delivery.ending = self._guards.before_look(delivery.rule, delivery.resource, region="")

    def repair(self, delivery: Delivery) -> Ending:
        """Inspect, guard, apply and verify: every way this can go is an ending, never an exception.

        Where the live resource belongs to another rule than its event made believe, the delivery is that rule's from
        the first look on.
        """
        rule, resource = delivery.rule, delivery.resource
        if rule is None or resource is None:
            raise ValueError("only a delivery with a rule and a resource can be repaired for")
        until = self._monotonic() + self._work_budget_seconds
        try:
            bucket = self._open_bucket(resource, lambda: min(until, delivery.lease.held_until))
        except Exception as error:  # noqa: BLE001 - a fault in one repair must not take the other messages with it
            return _ended_by(error, rule)
        try:
            ending = self._repair(delivery, rule, resource, bucket, until)
        except Exception as error:  # noqa: BLE001 - as above
            ending = _ended_by(error, delivery.rule or rule)
        delivery.stages.request_ids = tuple(bucket.request_ids)
        return self._guards.after_look(resource, ending, bucket.granted)

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

    def _repair(self, delivery: Delivery, rule: Rule, resource: Resource, bucket: Bucket, until: float) -> Ending:
        with delivery.stages.measure("inspect"):
            found = bucket.info()
            if found.owner_id != resource.account_id:
                raise Refused("not_owner", "the bucket belongs to another account than the event says")
            resource = replace(resource, region=found.region or resource.region)
            routed = self._route(delivery, rule, resource, bucket)
            if isinstance(routed, Ending):
                return routed
            rule = routed
            finding = rule.remediation.plan(rule.remediation.inspect(bucket, found))
        match finding:
            case Compliant(state):
                note = rule.remediation.remark(bucket, found)
                reason, detail = (note.reason, note.detail) if note else ("", "")
                return Ending(Outcome.ALREADY_COMPLIANT, reason, detail, before=state, after=state)
            case Pending() | ReportOnly():
                return _left_alone(rule, finding, finding.state)
            case Change():
                intent = Intent(rule, resource, resource.region, finding, delivery.event)
            case _:
                assert_never(finding)
        with delivery.stages.measure("inspect"):
            permit = self._guards.before_change(intent, bucket.tags)
        if isinstance(permit, Ending):
            return permit
        try:
            ending = self._change(_Work(delivery, rule, bucket, found, finding, permit, until))
        except Exception as error:  # noqa: BLE001 - the permit has to learn how the change ended, whatever happened
            ending = _ended_by(error, rule)
        permit.ended(ending)
        return ending

    def _route(self, delivery: Delivery, rule: Rule, resource: Resource, bucket: Bucket) -> Rule | Ending:
        """The rule that takes the event about the live resource, or the ending where there is none, or it is exempt.

        Raises:
            Refused: that rule never acts on such a resource.
            BucketGone: the bucket is not there any more.
        """
        if delivery.event is None:
            raise ValueError("only a delivery with an event can be repaired for")
        event = delivery.event = replace(delivery.event, region=resource.region)
        try:
            live = match(event, self._rules, bucket.tags)
        except BucketGone:
            raise
        except ServiceError as error:
            # Its tags decide whose it is. If in doubt it is left alone, and looked at again later.
            detail = f"a rule asks for tags, and they cannot be read: {error}"
            hold, missing = rule.hold_seconds, missing_action(error)
            return Ending(Outcome.HELD, "tags_unreadable", detail, hold_seconds=hold, missing_action=missing)
        if live is None:
            return Ending(Outcome.NOT_OURS, "no_rule", "no rule takes this event about the resource as it is")
        if live.name != rule.name:
            delivery.rule, delivery.resource = live, self._resource(event, live)
        return self._guards.before_look(live, resource, region=resource.region) or live

    def _change(self, work: _Work) -> Ending:
        delivery = work.delivery
        if not delivery.lease.held(self._monotonic()):
            # Somebody else may be repairing it by now; the queue will deliver the message again if nobody is.
            work.permit.not_used()
            return Ending(Outcome.LEASE_LOST, "lost_before_change")
        with delivery.stages.measure("apply"):
            if not self._follow(StepName.BEFORE, work) and self._journal_required:
                work.permit.not_used()
                return _not_journaled(work)
            self._apply(work)
            self._follow(StepName.CHANGED, work)
        with delivery.stages.measure("verify"):
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
        """Read back: the change counts only if the live resource, still the same one, is compliant now.

        Nothing is written anew while it still shows its old state: the service has taken the change, and may need some
        seconds to show it.
        """
        seen = self._look_again(work)
        for pause_seconds in READ_BACK_PAUSES_SECONDS:
            if isinstance(seen, Ending) or not _is_old(seen[1], work.change) or not self._wait(work, pause_seconds):
                break
            seen = self._look_again(work)
        return seen if isinstance(seen, Ending) else self._judge(work, *seen)

    def _look_again(self, work: _Work) -> tuple[BucketInfo, Finding] | Ending:
        """What the changed resource calls for now, or the ending if it is not the one that was changed."""
        bucket, found, remediation = work.bucket, work.found, work.rule.remediation
        now = bucket.info()
        if now.owner_id != found.owner_id:
            return Ending(Outcome.GONE, "owner_changed", "the bucket was deleted; its name is another account's now")
        if remediation.creates_bucket and now.replaces(found) and (ending := self._take_back(bucket)):
            return ending
        return now, remediation.plan(remediation.inspect(bucket, now))

    def _judge(self, work: _Work, now: BucketInfo, read_back: Finding) -> Ending:
        change = work.change
        match read_back:
            case Compliant(state):
                note = work.rule.remediation.note(work.bucket, now)
                reason, detail = (note.reason, note.detail) if note else ("", "")
                return Ending(Outcome.FIXED, reason, detail, before=change.before, after=state)
            case Pending() | ReportOnly():
                return _left_alone(work.rule, read_back, change.before)
            case Change(before=state):
                reason = READS_BACK_OLD if state == change.before else "not_verified"
                detail = f"changed, but it reads back as {state}"
                return Ending(Outcome.FAILED, reason, detail, before=change.before, after=state)
            case _:
                assert_never(read_back)

    def _wait(self, work: _Work, seconds: float) -> bool:
        """Wait within the work budget; false when there is no time, or when the process is stopping."""
        return self._monotonic() + seconds < work.until and not self._pause(seconds)

    def _follow(self, name: StepName, work: _Work) -> bool:
        """Whether whoever follows the delivery has this step on record; true if nobody does."""
        if not self._hooks.followed:
            return True
        return self._hooks.step(work.delivery.step(name, before=work.change.before, after=work.change.after))

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


def _ended_by(error: Exception, rule: Rule) -> Ending:
    """How work ends in which this was raised."""
    match error:
        case BucketGone():
            return Ending(Outcome.GONE, "no_such_bucket", "the bucket does not exist")
        case PermissionMissing():
            return permission_missing(error, rule)
        case Refused() | PermanentError():
            return _rejected(error)
        case ServiceError():
            name, alone = type(error).__name__, error.resource_alone
            return Ending(Outcome.FAILED, error.code, str(error), error_class=name, resource_alone=alone)
        case _:
            detail = f"{type(error).__name__}: {error}"
            return Ending(Outcome.FAILED, "internal_error", detail, error_class=type(error).__name__)


def _not_journaled(work: _Work) -> Ending:
    detail = "the journal is required, and its line about the change could not be written"
    hold, change = min(work.rule.hold_seconds, JOURNAL_HOLD_SECONDS), work.change
    return Ending(Outcome.HELD, JOURNAL_UNWRITABLE, detail, change.before, change.after, hold_seconds=hold)


def _is_old(finding: Finding, change: Change) -> bool:
    """Whether the resource still shows the state from before the change."""
    return isinstance(finding, Change) and finding.before == change.before


def _left_alone(rule: Rule, finding: Pending | ReportOnly, before: str) -> Ending:
    """How a delivery ends whose resource needs time, or a person, and no change by us now."""
    outcome, reason = (
        (Outcome.HELD, "in_progress") if isinstance(finding, Pending) else (finding.outcome, finding.reason)
    )
    hold, alone = rule.hold_seconds, isinstance(finding, ReportOnly)
    return Ending(
        outcome, reason, finding.detail, before=before, after=finding.state, hold_seconds=hold, resource_alone=alone
    )


def _rejected(error: Refused | PermanentError) -> Ending:
    name = type(error).__name__
    if isinstance(error, Refused):
        return Ending(Outcome.REJECTED, error.reason, str(error), error_class=name, resource_alone=True)
    return Ending(Outcome.REJECTED, error.code, str(error), error_class=name, resource_alone=error.resource_alone)
