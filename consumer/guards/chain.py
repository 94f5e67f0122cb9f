"""Whether a change that is called for may be made now: the one face of all guards. Pure: state and time are passed in.

A guard answers with an ending, or with nothing when it has no objection. What only needs the event is decided before
the look at the resource. Everything else comes after it, so that what is held back is a real change and not a stale
event, and in this order:

    exempt (live region, tags) → observe → pause → window → contest → confirmation → breaker → limits

Mode observe comes before what merely holds a change back, because no change follows; limits come last, because they
take a place. A permit records how the change ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Self

from consumer.core.errors import PermissionMissing, ResourceGone, ServiceError, SharedUnreachable
from consumer.core.event import Event
from consumer.core.outcome import Ending, Outcome
from consumer.guards.breaker import Admission, BreakerOpen
from consumer.guards.confirmation import Confirm, without_an_evaluator
from consumer.guards.exemptions import Exemption, Exemptions
from consumer.guards.limits import LimitReached, Reservation
from consumer.guards.memory import GuardMemory
from consumer.guards.refusals import Refusals
from consumer.guards.rule import Mode, Rule
from consumer.guards.window import described, seconds_until_open
from consumer.remediations.base import Change
from consumer.resources.base import Resource

CHANGED_MEANWHILE = "changed_meanwhile"
"""The reason of an attempt that another writer got ahead of: nothing was changed, and nothing of ours failed."""

READS_BACK_OLD = "reads_back_old"
"""The reason of a change that the service has accepted and does not show yet: it may only need time."""

PERMISSION_MISSING = "permission_missing"
"""The reason of a delivery that waits for an action to be granted."""

OUTSIDE_WINDOW = "outside_window"
"""The reason of a delivery that waits for a time at which its rule may change things."""

JOURNAL_UNWRITABLE = "journal_unwritable"
"""The reason of a change that was not made because its line could not be written, where the journal is required."""

JOURNAL_HOLD_SECONDS = 60.0
"""How long until such a delivery tries again."""

PERMISSION_HOLD_SECONDS = 300.0
"""How long until such a delivery tries again. Each try is the probe of its own resource, so none blocks another."""

HOLDS = (
    "tags_unreadable",
    "paused",
    OUTSIDE_WINDOW,
    "shared_unreachable",
    "contested",
    "unconfirmed",
    JOURNAL_UNWRITABLE,
    "breaker_open",
    "over_limit",
    PERMISSION_MISSING,
    READS_BACK_OLD,
)
"""The reasons for which a delivery is held."""

_WORKED = frozenset({Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.HELD, Outcome.NOT_OURS})
_SAYS_NOTHING = frozenset({Outcome.GONE, Outcome.LEASE_LOST})
_REASONS_SAY_NOTHING = frozenset({CHANGED_MEANWHILE, JOURNAL_UNWRITABLE, READS_BACK_OLD, PERMISSION_MISSING})


@dataclass(frozen=True, slots=True)
class Intent:
    """A change that a look at the live resource calls for."""

    rule: Rule
    resource: Resource
    region: str
    """Where the resource really is."""
    change: Change
    event: Event | None = None
    """The event that calls for it, with the live region; None where there is none, so that nothing can confirm it."""

    def held(self, reason: str, detail: str, seconds: float | None = None) -> Ending:
        """The change is held back, for so long or for the rule's own time, whichever is shorter."""
        hold = self.rule.hold_seconds if seconds is None else min(seconds, self.rule.hold_seconds)
        return self._ended(Outcome.HELD, reason, detail, hold)

    def observed(self, detail: str) -> Ending:
        """The change is not made, because the rule only observes."""
        return self._ended(Outcome.WOULD_FIX, "observe_mode", detail, self.rule.hold_seconds)

    def _ended(self, outcome: Outcome, reason: str, detail: str, hold_seconds: float) -> Ending:
        change = self.change
        return Ending(outcome, reason, detail, change.before, change.after, hold_seconds=hold_seconds)


def permission_missing(error: PermissionMissing, rule: Rule) -> Ending:
    """A missing permission is not the message's fault: it is kept, and tried again until somebody grants the action."""
    return Ending(
        Outcome.HELD,
        PERMISSION_MISSING,
        str(error),
        error_class=type(error).__name__,
        hold_seconds=min(rule.hold_seconds, PERMISSION_HOLD_SECONDS),
        missing_action=missing_action(error),
    )


def missing_action(error: ServiceError) -> str:
    """The RAM action that a refusal names as missing; empty for another failure."""
    return f"{error.service}:{error.operation}" if isinstance(error, PermissionMissing) else ""


class Guards:
    """Every guard with its state; one for the process, used by every worker."""

    def __init__(
        self,
        memory: GuardMemory | None = None,
        *,
        exemptions: Sequence[Exemption] = (),
        held_by: Callable[[], str] = lambda: "",
        confirm: Confirm = without_an_evaluator,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        windows_at: Callable[[], float] | None = None,
    ) -> None:
        """`windows_at` is the moment by which windows of time are judged, where that is not now."""
        memory = memory or GuardMemory()
        self.exemptions = Exemptions(exemptions, wall)
        self.limits = memory.limits
        self.refusals = Refusals()
        self.breakers = memory.breakers
        self.contest = memory.contest
        self._held_by = held_by
        self._confirm = confirm
        self._windows_at = windows_at or wall
        self.monotonic = monotonic

    def before_look(self, rule: Rule, resource: Resource, region: str) -> Ending | None:
        """The ending of an exempt resource; `region` is where it really is, and empty while that is not known."""
        exemption = self.exemptions.without_a_look(rule.name, resource, region)
        return _exempt(exemption) if exemption else None

    def permit(self, intent: Intent, read_tags: Callable[[], Mapping[str, str]]) -> Permit | Ending:
        """Permission to make this change, to be used in a `with` block; or the ending that keeps it from being made.

        Raises:
            ResourceGone: it is not there any more.
        """
        if exempt := self._exemption(intent, read_tags):
            return exempt
        if intent.rule.mode is Mode.OBSERVE:
            return intent.observed(self._observation(intent))
        try:
            return (
                self._pause(intent)
                or self._outside_window(intent)
                or self._dispute(intent)
                or self._doubt(intent)
                or self._admit(intent)
            )
        except SharedUnreachable as error:
            # In doubt nothing is changed, and a later delivery looks again.
            return intent.held("shared_unreachable", f"the store that replicas share cannot be reached: {error}")

    def after_look(self, resource: Resource, ending: Ending, granted: Collection[str]) -> Ending:
        """The ending, but for a missing permission that turns out to be missing on this resource alone, for good.

        `granted` are the RAM actions that the service has let through on the resource.
        """
        now = self.monotonic()
        self.refusals.worked(resource, granted, now)
        if ending.reason != PERMISSION_MISSING:
            return ending
        if not self.refusals.resource_alone(resource, ending.missing_action, now):
            return ending
        detail = f"refused on this resource, and granted on others: {ending.detail}"
        refused = Ending(Outcome.REJECTED, "AccessDenied", detail, error_class=ending.error_class, resource_alone=True)
        return replace(refused, before=ending.before, after=ending.after, attempt=ending.attempt)

    def release(self) -> None:
        """Let changes go on that breakers and contests hold back, because a person says that the cause is gone."""
        self.breakers.release()
        self.contest.release()

    def held_by(self) -> str:
        """What pauses changes; empty while they may be made."""
        return self._held_by()

    def changes_in_window(self) -> dict[str, int]:
        """Changes under each limit now, by rule; of all rules together under the empty name."""
        return self.limits.taken(self.monotonic())

    def contested(self) -> dict[str, int]:
        """Contested resources now, by rule."""
        return self.contest.contested(self.monotonic())

    def _exemption(self, intent: Intent, read_tags: Callable[[], Mapping[str, str]]) -> Ending | None:
        try:
            found = self.exemptions.after_a_look(intent.rule.name, intent.resource, intent.region, read_tags)
        except ResourceGone:
            raise
        except ServiceError as error:
            # The tags may exempt it. In doubt nothing is changed, and a later delivery looks again.
            held = intent.held("tags_unreadable", f"an exemption selects by tags, and they cannot be read: {error}")
            return replace(held, missing_action=missing_action(error))
        return _exempt(found) if found else None

    def _observation(self, intent: Intent) -> str:
        full = self.limits.rehearse(intent.rule.name, intent.resource, self.monotonic())
        if not self.window_open(intent.rule):
            return f"the rule only observes; enforcing, it would wait for {described(intent.rule.windows)}"
        return (
            f"the rule only observes; enforcing, {full} would have held it back" if full else "the rule only observes"
        )

    def _pause(self, intent: Intent) -> Ending | None:
        held_by = self._held_by()
        return intent.held("paused", f"changes are paused by {held_by}") if held_by else None

    def window_open(self, rule: Rule) -> bool:
        """Whether a rule may change things at this time of the day and the week."""
        now = self._windows_at()
        return not rule.windows or any(window.is_open(now) for window in rule.windows)

    def _outside_window(self, intent: Intent) -> Ending | None:
        left = seconds_until_open(intent.rule.windows, self._windows_at())
        if left == 0:
            return None
        return intent.held(OUTSIDE_WINDOW, f"the rule makes changes only {described(intent.rule.windows)}", left)

    def _dispute(self, intent: Intent) -> Ending | None:
        left = self.contest.found_broken(intent.rule.name, intent.resource, self.monotonic())
        if not left:
            return None
        return intent.held("contested", "somebody keeps breaking it after every fix; only a person can end that", left)

    def _doubt(self, intent: Intent) -> Ending | None:
        """What cannot be taken back is not done because of an event alone: anybody who may publish can send one."""
        if not intent.rule.remediation.one_way:
            return None
        why = self._confirm(intent.rule, intent.event) if intent.event is not None else "no event calls for it"
        return intent.held("unconfirmed", f"the change cannot be taken back, and {why}") if why else None

    def _admit(self, intent: Intent) -> Permit | Ending:
        rule, now = intent.rule.name, self.monotonic()
        admission = self.breakers.admit(rule, intent.resource.key, now)
        if isinstance(admission, BreakerOpen):
            return intent.held("breaker_open", "too many of the rule's changes failed", admission.wait_seconds)
        with ExitStack() as without_a_place:  # what was admitted has a result, whatever becomes of it
            without_a_place.callback(self.breakers.record, admission, failed=None, now=now)
            reserved = self.limits.reserve(rule, now)
            if isinstance(reserved, LimitReached):
                return intent.held("over_limit", f"{reserved.text} is used up", reserved.wait_seconds)
            without_a_place.pop_all()
        return Permit(intent, self, admission, reserved)


class Permit:
    """Permission to make one change; owned by the worker that makes it.

    The end of its `with` block records how the change ended, whatever happened in it: the place under the limits,
    the breaker's evidence, and the fix that a contest counts.
    """

    def __init__(self, intent: Intent, guards: Guards, admission: Admission, reservation: Reservation) -> None:
        self._intent = intent
        self._guards = guards
        self._admission = admission
        self._reservation: Reservation | None = reservation
        self._ending: Ending | None = None

    def __enter__(self) -> Self:
        """The change may be made from here on."""
        return self

    @property
    def used(self) -> bool:
        """Whether anything may have been changed, once the change was begun."""
        return self._reservation is not None

    def not_used(self) -> None:
        """Nothing was changed, for certain: the limits have room for another change."""
        if self._reservation is not None:
            self._guards.limits.conclude(self._reservation, None)
            self._reservation = None

    def concluded(self, ending: Ending) -> Ending:
        """How the change ended; the same ending, for the caller to return."""
        self._ending = ending
        return ending

    def shown(self) -> None:
        """The change was read back as wanted by a later delivery: a fix, and evidence that changing works."""
        now = self._guards.monotonic()
        self._guards.breakers.record(self._admission, failed=False, now=now)
        self._guards.contest.fixed(self._intent.rule.name, self._intent.resource, now)

    def __exit__(self, *_raised: object) -> None:
        """Record it; a block that was left without a conclusion has failed."""
        guards, now, ending = self._guards, self._guards.monotonic(), self._ending
        if self._reservation is not None:
            guards.limits.conclude(self._reservation, now)
        guards.breakers.record(self._admission, failed=_failed(ending) if ending else True, now=now)
        if ending is not None and ending.outcome is Outcome.FIXED:
            guards.contest.fixed(self._intent.rule.name, self._intent.resource, now)


def _failed(ending: Ending) -> bool | None:
    """Whether changes of the rule fail; None for an ending that says nothing about other resources."""
    if ending.outcome in _SAYS_NOTHING or ending.reason in _REASONS_SAY_NOTHING or ending.resource_alone:
        return None
    return ending.outcome not in _WORKED


def _exempt(exemption: Exemption) -> Ending:
    detail = f"exemption {exemption.name}: {exemption.reason} (owner: {exemption.owner})"
    return Ending(Outcome.EXEMPT, "exemption", detail)
