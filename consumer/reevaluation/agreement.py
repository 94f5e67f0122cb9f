"""Which fixes wait for the evaluator's agreement, and what its results say about each of them.

It sends nothing and has no thread of its own: `consumer.reevaluation.requester` looks when a look is due and passes on
what it saw.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from consumer.core.evaluation import Judgement, Subject
from consumer.core.event import Event
from consumer.core.observers import Report
from consumer.core.outcome import Outcome

LOOK_SECONDS = 30.0
"""Between two looks at one resource, and from the request for an evaluation to the first of them."""

KEPT_OPEN_SECONDS = 3_600.0
"""How much longer than the wait an exposure is shown as open when the evaluator did not agree."""

_SATISFIED = frozenset({"COMPLIANT", "NOT_APPLICABLE"})
"""A rule that no longer applies finds nothing wrong either, such as one for public buckets only."""


class Conclusion(StrEnum):
    """How the wait for one fix ended."""

    AGREED = "agreed"
    DISAGREED = "disagreed"
    """At the end of the wait the resource was still non-compliant by an evaluation that followed the fix."""
    NOT_KNOWN = "not_known"
    """The wait ended without any evaluation that followed the fix."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One verified fix whose evaluator may still have to agree."""

    subject: Subject
    account_id: str
    rule: str
    config_rule_id: str
    evaluated_at_ms: int
    """When the evaluator found the resource non-compliant, by its own clock."""
    fixed_at_ms: int
    """By the local clock."""

    @classmethod
    def of(cls, report: Report, event: Event) -> Fix:
        """The fix in a report."""
        return cls(
            Subject(event.resource_type, event.resource_id, event.region),
            event.account_id,
            report.rule,
            event.config_rule_id,
            event.evaluated_at_ms,
            report.settled_at_ms,
        )

    def conclusion(self, judgement: Judgement | None) -> Conclusion:
        """What a result says about this fix; None is a result that does not exist.

        Agreement has to be newer than the finding, which one clock shows; disagreement has to be newer than the fix,
        for which two clocks are compared, so only the end of the wait makes it final.
        """
        if judgement is None:
            return Conclusion.NOT_KNOWN
        if judgement.compliance in _SATISFIED and judgement.judged_at_ms > self.evaluated_at_ms:
            return Conclusion.AGREED
        if judgement.compliance == "NON_COMPLIANT" and judgement.judged_at_ms > self.fixed_at_ms:
            return Conclusion.DISAGREED
        return Conclusion.NOT_KNOWN


@dataclass(frozen=True, slots=True)
class Concluded:
    """The end of the wait for one fix."""

    fix: Fix
    conclusion: Conclusion
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class AgreementPolicy:
    """Whose agreement is waited for, and how long."""

    account_id: str
    """Our own account: a member's resources are judged by its own Cloud Config."""
    timeout_seconds: float
    """From the request for an evaluation on."""

    @property
    def open_seconds(self) -> float:
        """How long after its fix an exposure is shown as open at most."""
        return self.timeout_seconds + KEPT_OPEN_SECONDS


def fix_of(report: Report, account_id: str) -> Fix | None:
    """The verified fix of that account's resource in a report, also when the delivery was lost afterwards."""
    event, ending = report.event, report.ending
    if event is None or ending is None or ending.outcome is not Outcome.FIXED or event.account_id != account_id:
        return None
    return Fix.of(report, event)


@dataclass(slots=True)
class _Awaited:
    fix: Fix
    since: float
    known: Conclusion = Conclusion.NOT_KNOWN


_RulePair = tuple[str, str]
"""Ours and the evaluator's."""


@dataclass(slots=True)
class _WatchedResource:
    look_at: float
    waiting: dict[_RulePair, _Awaited]


class Agreements:
    """The fixes that wait, by resource, for one look at a resource shows all its rules. Not thread-safe."""

    def __init__(
        self,
        timeout_seconds: float,
        on_concluded: Callable[[Concluded], None] = lambda _: None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Whoever makes the looks calls `on_concluded` with the end of each wait."""
        self.on_concluded = on_concluded
        self._timeout_seconds = timeout_seconds
        self._monotonic = monotonic
        self._watched: OrderedDict[Subject, _WatchedResource] = OrderedDict()
        """The one whose look is due first comes first."""

    def __len__(self) -> int:
        """How many resources are watched."""
        return len(self._watched)

    def wait_for(self, fixes: Iterable[Fix]) -> None:
        """Wait for these from now on; an evaluation of their resource has been requested."""
        now = self._monotonic()
        for fix in fixes:
            watched = self._watched.setdefault(fix.subject, _WatchedResource(now, {}))
            watched.waiting[fix.rule, fix.config_rule_id] = _Awaited(fix, now)
            self._look_later(fix.subject, watched)

    def forget(self, subject: Subject, rule: str, config_rule_id: str) -> None:
        """No longer wait for a fix, because something newer decides about it."""
        watched = self._watched.get(subject)
        if watched is not None:
            watched.waiting.pop((rule, config_rule_id), None)
            self._drop_if_done(subject, watched)

    def due(self) -> Subject | None:
        """The resource to look at now, if there is one."""
        first = next(iter(self._watched.items()), None)
        return first[0] if first and first[1].look_at <= self._monotonic() else None

    def seen(self, subject: Subject, judgements: Iterable[Judgement] | None) -> tuple[Concluded, ...]:
        """What a look concludes; None is a look that failed, and the last one that did not still counts."""
        watched = self._watched.get(subject)
        if watched is None:
            return ()
        if judgements is not None:
            by_rule = {judgement.config_rule_id: judgement for judgement in judgements}
            for waiting in watched.waiting.values():
                waiting.known = waiting.fix.conclusion(by_rule.get(waiting.fix.config_rule_id))
        concluded = [(key, self._ended(waiting)) for key, waiting in watched.waiting.items()]
        ended = {key: found for key, found in concluded if found is not None}
        for key in ended:
            del watched.waiting[key]
        self._look_later(subject, watched)
        self._drop_if_done(subject, watched)
        return tuple(ended.values())

    def _ended(self, waiting: _Awaited) -> Concluded | None:
        waited = self._monotonic() - waiting.since
        if waiting.known is Conclusion.AGREED or waited >= self._timeout_seconds:
            return Concluded(waiting.fix, waiting.known, waited)
        return None

    def _look_later(self, subject: Subject, watched: _WatchedResource) -> None:
        watched.look_at = self._monotonic() + LOOK_SECONDS
        self._watched.move_to_end(subject)

    def _drop_if_done(self, subject: Subject, watched: _WatchedResource) -> None:
        if not watched.waiting:
            del self._watched[subject]
