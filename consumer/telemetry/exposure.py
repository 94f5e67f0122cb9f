"""How long resources were exposed, and which still are, as far as this process can know.

Exposure counts from the evaluation time in the event to the verified fix. Both clocks are others' and ours mixed
(the evaluator's, the queue's, this machine's), so a difference that comes out negative is clock skew and shown as 0.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from consumer.core.event_times import believed_ms
from consumer.core.observers import Report
from consumer.core.outcome import Disposition, Outcome
from consumer.reevaluation.agreement import AgreementPolicy, Fix, fix_of
from consumer.telemetry.given_up import ExposureKey, GivenUp, Letters

GRACE_SECONDS = 300.0
"""How long past its next visibility a kept message may go unseen until this process stops reporting its exposure.

After that time some replica has received it again and reports it, and this one would never learn of the fix. Only
time in which this replica kept up with the queue counts: while it does not, nothing proves that anybody does.
"""

BROUGHT_BACK_SECONDS = 86_400.0
"""For how long an observed violation counts as open whose message was deleted, where nobody says how often catch-up
brings such back."""

_REMEMBERED = 20_000

_CLOSING = frozenset({Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.GONE, Outcome.EXEMPT, Outcome.NOT_OURS})
_GIVEN_UP = frozenset({Outcome.REJECTED, Outcome.EXHAUSTED})


def exposure_seconds(report: Report) -> float | None:
    """From the evaluation to the verified fix; None unless this delivery's work fixed the resource.

    A fix counts even when the delivery was then lost: the resource is safe, and the message's next delivery will
    find it compliant. Settling is not part of it.
    """
    if report.event is None or report.ending is None or report.ending.outcome is not Outcome.FIXED:
        return None
    settling_seconds = dict(report.stage_seconds).get("settle", 0.0)
    began_ms = believed_ms(report.event.evaluated_at_ms, report.settled_at_ms, report.first_ms)
    return max(0.0, (report.settled_at_ms - began_ms) / 1000 - settling_seconds)


def upstream_seconds(report: Report) -> tuple[tuple[str, float], ...]:
    """Before the first receive: notify (evaluation to notification) and enqueue (from there into the queue).

    Only for a message's first delivery, so that one that is held for days does not count once per look; and not for one
    that catch-up brought, of which no notification is known.
    """
    event, message = report.event, report.message
    if event is None or message.receipts > 1 or event.caught_up:
        return ()
    evaluated_at_ms = believed_ms(event.evaluated_at_ms, report.settled_at_ms, report.first_ms)
    notified_at_ms = believed_ms(event.notified_at_ms, report.settled_at_ms)
    notify = ("notify", max(0.0, (notified_at_ms - evaluated_at_ms) / 1000))
    if not message.enqueued_at_ms:  # a rescued message may lack the stamp
        return (notify,)
    return notify, ("enqueue", max(0.0, (message.enqueued_at_ms - notified_at_ms) / 1000))


@dataclass(frozen=True, slots=True)
class _Open:
    evaluated_at_ms: int
    known_until: float = 0.0
    """Until when its message on the queue makes it open, in local wall-clock seconds; 0 without one."""
    awaited: frozenset[str] = frozenset()
    """The evaluator's rules that have not agreed yet to our fix; without any, a kept message keeps it open."""
    given_up: str = ""
    """The reason for which its message was given up, whether it stands in the dead-letter queue or is kept."""
    letter_at_ms: int = 0
    """When its dead letter was written; 0 without one. It keeps the exposure open until a person settles it."""
    missing_action: str = ""
    """The RAM action that its message waits for."""


class OpenExposures:
    """Resources whose message was kept or given up, per rule: found non-compliant, or not looked at with success.

    An exposure closes when an ending says that the resource is safe, gone or not to be touched, and when its dead
    letter is gone from the dead-letter queue because a person settled it. It leaves the memory as well when its message
    has not been seen here for long enough, while this replica kept up, that another one must have it. Under an
    agreement policy a fix closes it only when the evaluator has agreed, or after that policy's longest time.
    """

    def __init__(
        self,
        remembered: int = _REMEMBERED,
        *,
        agreement: AgreementPolicy | None = None,
        brought_back_seconds: float = BROUGHT_BACK_SECONDS,
        keeping_up_since: Callable[[], float | None] = lambda: 0.0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """An observed violation whose message was deleted is open for `brought_back_seconds`: catch-up brings it back.

        `keeping_up_since` says since when this replica has kept up with the queue without a gap; None if not now.
        """
        self._remembered = remembered
        self._agreement = agreement
        self._brought_back_seconds = brought_back_seconds
        self._keeping_up_since = keeping_up_since
        self._wall = wall
        self._open: OrderedDict[ExposureKey, _Open] = OrderedDict()
        self._letters = Letters(remembered)
        self._lock = threading.Lock()

    def observe(self, report: Report) -> None:
        """Open, prolong or close the exposure that a report is about."""
        event = report.event
        if event is None or not report.rule:
            return
        key = (report.rule, event.account_id, event.region, event.resource_id)
        evaluated_at_ms = believed_ms(event.evaluated_at_ms, report.settled_at_ms, report.first_ms)
        outcome = report.ending.outcome if report.ending else None
        with self._lock:
            if outcome in _CLOSING:
                self._closed(key, report)
            elif outcome is Outcome.SUPERSEDED:
                self._superseded(key, evaluated_at_ms)
            else:
                self._kept(key, self._found(report, evaluated_at_ms))

    def agreed(self, fix: Fix) -> None:
        """The evaluator agrees to a fix; its exposure is closed unless another of its rules has yet to."""
        key = (fix.rule, fix.account_id, fix.subject.region, fix.subject.resource_id)
        with self._lock:
            known = self._open.get(key)
            if known is None or fix.config_rule_id not in known.awaited:
                return
            left = known.awaited - {fix.config_rule_id}
            if left:
                self._open[key] = replace(known, awaited=left)
            else:
                del self._open[key]

    def letters(self, found: tuple[GivenUp, ...], *, complete: bool, looked_at_ms: int, retention_seconds: int) -> None:
        """What the dead-letter queue shows; `complete` if nothing else is visible there."""
        with self._lock:
            for letter in self._letters.fresh(found):
                began_ms = believed_ms(letter.evaluated_at_ms, looked_at_ms)
                given_up = _Open(began_ms, given_up=letter.reason, letter_at_ms=letter.at_ms)
                self._kept(letter.key, given_up)
            written = {key: known.letter_at_ms for key, known in self._open.items() if known.letter_at_ms}
            seen = {letter.key for letter in found}
            for key in self._letters.settled(written, seen, complete, looked_at_ms, retention_seconds):
                self._letter_settled(key)

    @property
    def letters_known(self) -> bool:
        """Whether every exposure behind a dead letter is known: the whole queue was seen, and none forgotten since."""
        return self._letters.known

    def oldest(self) -> dict[str, float]:
        """The earliest evaluation of an open exposure by rule, in seconds since the epoch; rules without are absent."""
        oldest: dict[str, float] = {}
        for (rule, *_), found in self._current():
            oldest[rule] = min(oldest.get(rule, float("inf")), found.evaluated_at_ms / 1000)
        return oldest

    def given_up(self) -> Counter[tuple[str, str]]:
        """How many open exposures were given up, by rule and reason."""
        return Counter((key[0], found.given_up) for key, found in self._current() if found.given_up)

    def missing_actions(self) -> Counter[tuple[str, str]]:
        """How many open exposures wait for an action to be granted, by action and account."""
        return Counter((found.missing_action, key[1]) for key, found in self._current() if found.missing_action)

    def _current(self) -> list[tuple[ExposureKey, _Open]]:
        now, since = self._wall(), self._keeping_up_since()
        with self._lock:
            for key in [key for key, found in self._open.items() if _over(found, now, since)]:
                self._left_the_queue(key)
            return list(self._open.items())

    def _left_the_queue(self, key: ExposureKey) -> None:
        known = self._open[key]
        if known.letter_at_ms:
            self._open[key] = replace(known, known_until=0.0, awaited=frozenset(), missing_action="")
        else:
            del self._open[key]

    def _letter_settled(self, key: ExposureKey) -> None:
        known = self._open[key]
        if known.known_until:
            self._open[key] = replace(known, letter_at_ms=0, given_up="")
        else:
            del self._open[key]

    def _closed(self, key: ExposureKey, report: Report) -> None:
        """Close it, or keep it until the evaluator agrees; that we find it compliant again does not change that."""
        self._letters.answered(key, report.settled_at_ms)
        known = self._open.get(key)
        awaited = known.awaited if known else frozenset()
        fix = fix_of(report, self._agreement.account_id) if self._agreement else None
        if self._agreement and fix:
            until = report.settled_at_ms / 1000 + self._agreement.open_seconds
            fixed = believed_ms(fix.evaluated_at_ms, report.settled_at_ms, report.first_ms)
            began = min(fixed, known.evaluated_at_ms) if known else fixed
            self._open.pop(key, None)
            self._kept(key, _Open(began, until, awaited | {fix.config_rule_id}))
        elif not (awaited and report.ending and report.ending.outcome is Outcome.ALREADY_COMPLIANT):
            self._open.pop(key, None)

    def _found(self, report: Report, evaluated_at_ms: int) -> _Open:
        ending = report.ending
        given_up = (ending.reason or ending.outcome.value) if ending and ending.outcome in _GIVEN_UP else ""
        if report.disposition is Disposition.DEAD_LETTERED:
            return _Open(evaluated_at_ms, given_up=given_up or "unknown", letter_at_ms=report.settled_at_ms)
        deleted = report.disposition is Disposition.DELETED
        unseen_seconds = self._brought_back_seconds if deleted else report.kept_seconds
        known_until = report.settled_at_ms / 1000 + unseen_seconds + GRACE_SECONDS
        action = ending.missing_action if ending else ""
        return _Open(evaluated_at_ms, known_until, given_up=given_up, missing_action=action)

    def _kept(self, key: ExposureKey, found: _Open) -> None:
        known = self._open.pop(key, None)
        self._open[key] = _together(known, found) if known else found
        if len(self._open) > self._remembered:
            # The longest unseen; its message's next delivery brings it back, its letter only a whole look.
            _, forgotten = self._open.popitem(last=False)
            if forgotten.letter_at_ms:
                self._letters.forgot()

    def _superseded(self, key: ExposureKey, evaluated_at_ms: int) -> None:
        """The newer event decides whether the exposure is open; if it is, it began with the older one."""
        known = self._open.get(key)
        if known is not None and evaluated_at_ms < known.evaluated_at_ms:
            self._open[key] = replace(known, evaluated_at_ms=evaluated_at_ms)


def _together(known: _Open, found: _Open) -> _Open:
    """What is known of a resource by now: it has been open since the first evaluation, and a letter stays a letter."""
    message = found if found.known_until else known
    return _Open(
        min(known.evaluated_at_ms, found.evaluated_at_ms),
        # A message that has just become a letter is on the queue no more.
        0.0 if found.letter_at_ms > known.letter_at_ms else message.known_until,
        found.awaited,
        found.given_up or (known.given_up if known.letter_at_ms else ""),
        max(known.letter_at_ms, found.letter_at_ms),
        message.missing_action if found.known_until else "",
    )


def _over(found: _Open, now: float, keeping_up_since: float | None) -> bool:
    """Whether what waited on the queue must be another replica's by now, or the evaluator's time is up."""
    if not found.known_until or now <= found.known_until:
        return False
    return bool(found.awaited) or (keeping_up_since is not None and now > keeping_up_since + GRACE_SECONDS)
