"""How long resources were exposed, and which still are, as far as this process can know.

Exposure counts from the evaluation time in the event to the verified fix. Both clocks are others' and ours mixed
(the evaluator's, the queue's, this machine's), so a difference that comes out negative is clock skew and shown as 0.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from consumer.core.observers import Report
from consumer.core.outcome import Disposition, Outcome
from consumer.reevaluation.agreement import AgreementPolicy, Fix, fix_of

GRACE_SECONDS = 300.0
"""How long past its next visibility a kept message may go unseen here before its exposure is no longer ours to tell.

After that time some replica has received it again and tells of it, and this one would never hear of the fix.
"""

_REMEMBERED = 20_000

_CLOSING = frozenset({Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.GONE, Outcome.EXEMPT, Outcome.NOT_OURS})


def exposure_seconds(report: Report) -> float | None:
    """From the evaluation to the verified fix; None unless this delivery's work fixed the resource.

    A fix counts even when the delivery was then lost: the resource is safe, and the message's next delivery will
    find it compliant. Settling is not part of it.
    """
    if report.event is None or report.ending is None or report.ending.outcome is not Outcome.FIXED:
        return None
    settling_seconds = dict(report.stage_seconds).get("settle", 0.0)
    return max(0.0, (report.settled_at_ms - report.event.evaluated_at_ms) / 1000 - settling_seconds)


def upstream_seconds(report: Report) -> tuple[tuple[str, float], ...]:
    """Before the first receive: notify (evaluation to notification) and enqueue (from there into the queue).

    Only for a message's first delivery, so that one that is held for days does not count once per look.
    """
    event, message = report.event, report.message
    if event is None or message.dequeue_count > 1:
        return ()
    notify = ("notify", max(0.0, (event.notified_at_ms - event.evaluated_at_ms) / 1000))
    if not message.enqueued_at_ms:  # a rescued message may lack the stamp
        return (notify,)
    return notify, ("enqueue", max(0.0, (message.enqueued_at_ms - event.notified_at_ms) / 1000))


@dataclass(frozen=True, slots=True)
class _Open:
    evaluated_at_ms: int
    known_until: float
    """Local wall-clock seconds."""
    awaited: frozenset[str] = frozenset()
    """The evaluator's rules that have not agreed yet to our fix; without any, a kept message keeps it open."""


_Key = tuple[str, str, str, str]


class OpenExposures:
    """Resources whose message was kept, per rule: found non-compliant, or not yet looked at with success.

    An exposure closes when an ending says that the resource is safe, gone or not to be touched; it leaves the memory
    as well when the message has gone to the dead-letter queue, where other alerts take over, or has not been seen
    here for long enough that another replica must have it. Under an agreement policy a fix closes it only when the
    evaluator has agreed, or after that policy's longest time.
    """

    def __init__(
        self,
        remembered: int = _REMEMBERED,
        *,
        agreement: AgreementPolicy | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._remembered = remembered
        self._agreement = agreement
        self._wall = wall
        self._open: OrderedDict[_Key, _Open] = OrderedDict()
        self._lock = threading.Lock()

    def observe(self, report: Report) -> None:
        """Open, prolong or close the exposure that a report is about."""
        event = report.event
        if event is None or not report.rule:
            return
        key = (report.rule, event.account_id, event.region, event.resource_id)
        outcome = report.ending.outcome if report.ending else None
        with self._lock:
            if outcome in _CLOSING:
                self._closed(key, report)
            elif outcome is Outcome.SUPERSEDED:
                self._superseded(key, event.evaluated_at_ms)
            elif report.disposition is Disposition.DEAD_LETTERED:
                self._open.pop(key, None)
            else:
                known_until = report.settled_at_ms / 1000 + report.hidden_seconds + GRACE_SECONDS
                self._kept(key, event.evaluated_at_ms, known_until)

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

    def oldest(self) -> dict[str, float]:
        """The earliest evaluation of an open exposure by rule, in seconds since the epoch; rules without are absent."""
        now = self._wall()
        oldest: dict[str, float] = {}
        with self._lock:
            for key in [key for key, found in self._open.items() if found.known_until < now]:
                del self._open[key]
            for (rule, *_), found in self._open.items():
                oldest[rule] = min(oldest.get(rule, float("inf")), found.evaluated_at_ms / 1000)
        return oldest

    def _closed(self, key: _Key, report: Report) -> None:
        """Close it, or keep it until the evaluator agrees; that we find it compliant again does not change that."""
        known = self._open.get(key)
        awaited = known.awaited if known else frozenset()
        fix = fix_of(report, self._agreement.account_id) if self._agreement else None
        if self._agreement and fix:
            until = report.settled_at_ms / 1000 + self._agreement.open_seconds
            self._kept(key, fix.evaluated_at_ms, until, awaited | {fix.config_rule_id})
        elif not (awaited and report.ending and report.ending.outcome is Outcome.ALREADY_COMPLIANT):
            self._open.pop(key, None)

    def _kept(self, key: _Key, evaluated_at_ms: int, known_until: float, awaited: frozenset[str] = frozenset()) -> None:
        known = self._open.pop(key, None)
        if known is not None:
            evaluated_at_ms = min(evaluated_at_ms, known.evaluated_at_ms)
        self._open[key] = _Open(evaluated_at_ms, known_until, awaited)
        if len(self._open) > self._remembered:
            self._open.popitem(last=False)  # the longest unseen; its message's next delivery brings it back

    def _superseded(self, key: _Key, evaluated_at_ms: int) -> None:
        """The newer event decides whether the exposure is open; if it is, it began with the older one."""
        known = self._open.get(key)
        if known is not None and evaluated_at_ms < known.evaluated_at_ms:
            self._open[key] = replace(known, evaluated_at_ms=evaluated_at_ms)
