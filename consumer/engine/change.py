"""One change that may be made: recorded, made, and read back. Nothing here decides whether it may."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, assert_never

from consumer.core.errors import ChangedMeanwhile, PermanentError, ResourceGone, ServiceError
from consumer.core.observers import Hooks, StepName
from consumer.core.outcome import Attempt, Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.engine.endings import ended_by, ended_in_part, left_alone, not_begun
from consumer.engine.read_backs import SHOWS_WITHIN_SECONDS, ReadBack, ReadBacks
from consumer.guards.chain import JOURNAL_HOLD_SECONDS, JOURNAL_UNWRITABLE, READS_BACK_OLD, Permit
from consumer.guards.rule import Rule
from consumer.remediations.base import Change, Compliant, Finding, Pending, ReportOnly
from consumer.resources.base import Identity, Resource, Target, Written, written

READ_BACK_PAUSES_SECONDS = (0.3, 0.7)
"""After an accepted change that still reads old. What takes longer to show is read back by a later delivery."""

_WAITS_SECONDS = 4.0
"""How long until a change comes back that waits for another one of the same setting to show."""


@dataclass(frozen=True, slots=True)
class PermittedChange:
    """A change that may be made, and what it is made with."""

    delivery: Delivery
    rule: Rule
    resource: Resource
    """With the live region."""
    target: Target[Any]
    found: Identity
    change: Change
    permit: Permit
    until: float
    """The monotonic moment at which the work budget ends."""


class ChangeMaker:
    """Makes changes; one for the process, used by every worker."""

    def __init__(
        self,
        hooks: Hooks,
        *,
        journal_required: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """`pause` waits, and returns something true when a stop cut the wait short.

        With `journal_required` nothing is changed before a listener has recorded that it will be.
        """
        self._hooks = hooks
        self._journal_required = journal_required
        self._monotonic = monotonic
        self._pause = pause
        self._read_backs = ReadBacks(monotonic=monotonic)

    def make(self, work: PermittedChange) -> Ending:
        """How the change ends; whatever is raised in it is an ending too."""
        try:
            return self._make(work)
        except Exception as error:  # noqa: BLE001 - a fault in one repair must not take the other messages with it
            return _failed(error, work)

    def made_before(
        self, rule: Rule, resource: Resource, target: Target[Any], found: Identity, finding: Finding
    ) -> Ending | None:
        """The ending of an earlier delivery's change of this resource, which the service accepted and did not show yet.

        None where there is none, or where the resource is neither as it was nor as it was to become: then it is
        somebody else's change that the finding is about. Nothing is written here.
        """
        awaited = self._read_backs.of(rule, resource, found)
        if awaited is None:
            return self._kept_back(rule, resource, found, finding)
        if _is_old(finding, awaited.change):
            return self._still_old(resource, awaited)
        if awaited.rule.name != rule.name:
            return None
        self._read_backs.forget(resource, awaited)
        if not isinstance(finding, Compliant):
            return None
        awaited.permit.shown()
        return _fixed(rule, target, found, awaited.change, finding)

    def _kept_back(self, rule: Rule, resource: Resource, found: Identity, finding: Finding) -> Ending | None:
        """A change that would be planned on a state in which another one of ours does not show yet waits for that."""
        if not isinstance(finding, Change) or not self._read_backs.in_the_way(rule, resource, found):
            return None
        detail = "another change of the same setting does not show yet"
        hold, before = min(rule.hold_seconds, _WAITS_SECONDS), finding.before
        return Ending(
            Outcome.HELD,
            READS_BACK_OLD,
            detail,
            before=before,
            after=before,
            hold_seconds=hold,
            attempt=not_begun(finding),
        )

    def _make(self, work: PermittedChange) -> Ending:
        timings = work.delivery.timings
        if not self._ours(work):
            return _not_ours(work)
        with timings.measure("apply"):
            recorded = self._report_step(StepName.BEFORE, work)
            if self._journal_required and not recorded:
                return _not_journaled(work)
            if not self._ours(work):
                return _not_ours(work)  # writing the line down took longer than the lease
            try:
                self._apply(work)
            except ServiceError as error:
                if ending := self._left_in_part(error, work):
                    return ending
                raise
            self._report_step(StepName.CHANGED, work)
        with timings.measure("verify"):
            return self._verify(work)

    def _ours(self, work: PermittedChange) -> bool:
        """Whether the lease is still held; if not, another replica may be repairing the resource by now."""
        return work.delivery.lease.held(self._monotonic())

    def _apply(self, work: PermittedChange) -> None:
        remediation = work.rule.remediation
        try:
            remediation.apply(work.target, work.change)
        except ServiceError as error:
            refused = isinstance(error, ResourceGone | ChangedMeanwhile | PermanentError)
            if refused and written(work.target) is Written.NO:
                work.permit.not_used()
            else:
                remediation.recover(work.target, work.found)  # an unanswered request may have taken effect
            raise

    def _left_in_part(self, error: ServiceError, work: PermittedChange) -> Ending | None:
        """The ending of a change of which one request was accepted before a later one failed; None if no part shows.

        What was reached is read, so that the journal proves it and it can be taken back.
        """
        if written(work.target) is not Written.YES:
            return None
        try:
            seen = self._look_again(work)
        except ServiceError:
            return None  # the first error is reported, and the state stays unknown
        match seen:
            case (now, Compliant() as read_back):
                return _fixed(work.rule, work.target, now, work.change, read_back)
            case (_, Change(before=state)) if state != work.change.before:
                return ended_in_part(error, work.rule, work.change, state)
        return None

    def _verify(self, work: PermittedChange) -> Ending:
        """Read back: the change counts only if the live resource, still the same one, is compliant now.

        The service may show a setting's old state for some seconds after it has accepted a change. Nothing is written
        anew then, and no worker waits for long: not at all while other changes do not show either.
        """
        accepted_at = self._monotonic()
        seen = self._look_again(work)
        for pause_seconds in () if self._read_backs else READ_BACK_PAUSES_SECONDS:
            if isinstance(seen, Ending) or not _is_old(seen[1], work.change) or not self._wait(work, pause_seconds):
                break
            seen = self._look_again(work)
        return seen if isinstance(seen, Ending) else self._judged(work, *seen, accepted_at)

    def _look_again(self, work: PermittedChange) -> tuple[Identity, Finding] | Ending:
        """The identity and the finding of the changed resource now, or the ending if another one has its name."""
        target, found, remediation = work.target, work.found, work.rule.remediation
        now = target.identity()
        if now.owner_id != found.owner_id:
            text = f"the {remediation.kind.noun} was deleted; its name is another account's now"
            return Ending(Outcome.GONE, "owner_changed", text)
        if now.replaces(found) and (ending := remediation.recover(target, found)):
            return ending
        return now, remediation.plan(remediation.inspect(target, now))

    def _judged(self, work: PermittedChange, now: Identity, read_back: Finding, accepted_at: float) -> Ending:
        change = work.change
        match read_back:
            case Compliant():
                return _fixed(work.rule, work.target, now, change, read_back)
            case Pending() | ReportOnly():
                ending = left_alone(work.rule, read_back, change.before)
                return replace(ending, attempt=Attempt(change.before, change.after, read_back.state, begun=True))
            case Change(before=state) if state == change.before:
                awaited = ReadBack(work.rule, change, now, work.permit, accepted_at)
                self._read_backs.put(work.resource, awaited)
                return self._still_old(work.resource, awaited)
            case Change(before=state):
                detail = f"changed, but it reads back as {state}"
                attempt = Attempt(change.before, change.after, state, begun=True)
                return Ending(Outcome.FAILED, "not_verified", detail, change.before, state, attempt=attempt)
            case _:
                assert_never(read_back)

    def _still_old(self, resource: Resource, awaited: ReadBack) -> Ending:
        """The service has accepted the change and shows the old state: look again soon, unless it is overdue."""
        before, wanted = awaited.change.before, awaited.change.after
        attempt = Attempt(before, wanted, before, begun=True)
        seconds = awaited.next_look_seconds(self._monotonic())
        if seconds is None:
            self._read_backs.forget(resource, awaited)
            detail = f"the service accepted the change {SHOWS_WITHIN_SECONDS:.0f} s ago, and it still reads {before}"
            return Ending(Outcome.FAILED, READS_BACK_OLD, detail, before, before, attempt=attempt)
        detail = f"the service has accepted the change and still shows {before}; it is read back in a moment"
        return Ending(Outcome.HELD, READS_BACK_OLD, detail, before, before, hold_seconds=seconds, attempt=attempt)

    def _wait(self, work: PermittedChange, seconds: float) -> bool:
        """Wait within the work budget; false when there is no time, or when the process is stopping."""
        return self._monotonic() + seconds < work.until and not self._pause(seconds)

    def _report_step(self, name: StepName, work: PermittedChange) -> bool:
        """Report this step; whether it is on record."""
        if not self._hooks.has_step_listeners:
            return False  # so no record of it is made
        return self._hooks.step(work.delivery.step(name, before=work.change.before, after=work.change.after))


def _not_ours(work: PermittedChange) -> Ending:
    """Nothing is changed; the queue delivers the message again unless somebody else has it."""
    work.permit.not_used()
    return Ending(Outcome.LEASE_LOST, "lost_before_change")


def _failed(error: Exception, work: PermittedChange) -> Ending:
    """The ending of a change that this error has cut short: unless the service refused it, its effect is unknown."""
    ending = ended_by(error, work.rule, work.change)
    if ending.attempt is None or not work.permit.used:
        return ending
    return replace(ending, attempt=replace(ending.attempt, now="", begun=True))


def _not_journaled(work: PermittedChange) -> Ending:
    work.permit.not_used()
    detail = "the journal is required, and its line about the change could not be written"
    hold, change = min(work.rule.hold_seconds, JOURNAL_HOLD_SECONDS), work.change
    return Ending(Outcome.HELD, JOURNAL_UNWRITABLE, detail, change.before, change.after, hold_seconds=hold)


def _fixed(rule: Rule, target: Target[Any], now: Identity, change: Change, read_back: Compliant) -> Ending:
    """The ending of a change that was read back as wanted, with the remediation's note about the resource."""
    note = rule.remediation.note(target, now)
    reason, detail = (note.reason, note.detail) if note else ("", "")
    return Ending(Outcome.FIXED, reason, detail, before=change.before, after=read_back.state)


def _is_old(finding: Finding, change: Change) -> bool:
    """Whether the resource still shows the state from before the change."""
    return isinstance(finding, Change) and finding.before == change.before
