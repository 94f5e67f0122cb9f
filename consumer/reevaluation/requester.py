"""Requests from Cloud Config a new evaluation of what was fixed, and if configured waits for it to agree.

It listens to settled deliveries, in a thread of its own and never faster than agreed: nothing waits for it, and what it
cannot request is counted and forgotten, for rules that watch changes look again by themselves.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import Protocol

from consumer.core.errors import ServiceError
from consumer.core.evaluation import Judgement, Subject
from consumer.core.observers import ApiCall, LeaseRenewal, Report, Retry, SettleError
from consumer.core.outcome import Outcome
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.loop import PacedLoop
from consumer.reevaluation.agreement import Agreements, Conclusion, Fix, fix_of

MOST_WAITING = 1_000
RESULTS = ("asked", "failed", "dropped")
"""What can become of a fix: an evaluation was requested, or refused, or dropped because too many waited."""

_SAYS_NOTHING_NEW = frozenset({Outcome.ALREADY_COMPLIANT, Outcome.SUPERSEDED})
"""Endings of a later event after which a fix is still the last thing that happened to its resource."""

_LOOK_SECONDS = 1.0
"""The stop, and results that become due, wait so long at most while nothing is in line."""


class Evaluator(Protocol):
    """The requests that this sends; `consumer.aliyun.cloud_config` implements it."""

    def evaluate(self, resource_id: str) -> None:
        """Request an evaluation of one resource.

        Raises:
            ServiceError: the service did not take the request.
        """
        ...

    def judgements(self, subject: Subject) -> tuple[Judgement, ...]:
        """The newest result of every rule on one resource.

        Raises:
            ServiceError: the request failed.
        """
        ...


class Reevaluation(PacedLoop):
    """A `consumer.core.observers.Listener` with a thread; the line and the fixes that wait are shared between both."""

    def __init__(
        self,
        evaluator: Evaluator,
        stopping: threading.Event,
        heartbeat: Heartbeat,
        *,
        account_id: str,
        max_per_minute: int,
        agreements: Agreements | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Wait for agreement if `agreements` is given."""
        super().__init__(heartbeat, stopping)
        self._evaluator = evaluator
        self._account_id = account_id
        self._interval_seconds = 60.0 / max_per_minute
        self._agreements = agreements
        self._most_waiting = most_waiting
        self._waiting: OrderedDict[str, dict[tuple[str, str], Fix]] = OrderedDict()
        self._looked_last = False
        """Only used by the thread: requests and looks take turns when there are both."""
        self._changed = threading.Condition()
        self._results: Counter[str] = Counter()

    def step(self) -> float:
        """Make the next request, and pause then as was agreed; what still waits when the process stops is forgotten."""
        requested = self.request_next(min(self._heartbeat.idle_seconds, _LOOK_SECONDS))
        return self._interval_seconds if requested else 0.0

    def request_next(self, wait_seconds: float) -> bool:
        """Make the next request, for an evaluation or for results; false if there was none to make for so long."""
        with self._changed:
            due = self._due()
            if not self._waiting and due is None:
                self._changed.wait(wait_seconds)
                due = self._due()
            self._looked_last = due is not None and not (self._waiting and self._looked_last)
            request = None if self._looked_last or not self._waiting else self._waiting.popitem(last=False)
        if request is not None:
            self._request(request[0], tuple(request[1].values()))
        elif due is not None:
            self._look(due)
        else:
            return False
        return True

    def results(self) -> dict[str, int]:
        """How many fixes had which result; whether the evaluator agreed only if that is waited for."""
        results = (*RESULTS, *(Conclusion if self._agreements is not None else ()))
        with self._changed:
            return {str(result): self._results[result] for result in results}

    def report(self, report: Report) -> None:
        """Put a fixed resource of our own account in line, once; a member's has its own Cloud Config."""
        self._outdate(report)
        fix = fix_of(report, self._account_id)
        if fix is None:
            return
        resource_id = fix.subject.resource_id
        with self._changed:
            watched = len(self._agreements) if self._agreements is not None else 0
            if resource_id not in self._waiting and len(self._waiting) + watched >= self._most_waiting:
                self._results["dropped"] += 1
                return
            self._waiting.setdefault(resource_id, {})[fix.rule, fix.config_rule_id] = fix
            self._changed.notify()

    def api_call(self, call: ApiCall) -> None:
        """Not of interest here."""

    def retry(self, retry: Retry) -> None:
        """Not of interest here."""

    def renewal(self, renewal: LeaseRenewal) -> None:
        """Not of interest here."""

    def settle_error(self, error: SettleError) -> None:
        """Not of interest here."""

    def _due(self) -> Subject | None:
        return self._agreements.due() if self._agreements is not None else None

    def _outdate(self, report: Report) -> None:
        """Forget a fix once a later event about its resource and rule has ended."""
        event, ending = report.event, report.ending
        if self._agreements is None or event is None or ending is None or ending.outcome in _SAYS_NOTHING_NEW:
            return
        with self._changed:
            subject = Subject(event.resource_type, event.resource_id, event.region)
            self._agreements.forget(subject, report.rule, event.config_rule_id)

    def _request(self, resource_id: str, fixes: tuple[Fix, ...]) -> None:
        self._heartbeat.beat("requesting an evaluation")
        try:
            self._evaluator.evaluate(resource_id)
        except ServiceError:
            result = "failed"
        else:
            result = "asked"
        with self._changed:
            self._results[result] += 1
            if self._agreements is not None:
                self._agreements.wait_for(fixes)

    def _look(self, subject: Subject) -> None:
        self._heartbeat.beat("looking for agreement")
        try:
            judgements = self._evaluator.judgements(subject)
        except ServiceError:
            judgements = None  # counted as a failed request; the next look may do better
        agreements = self._agreements
        if agreements is None:
            return
        with self._changed:
            concluded = agreements.seen(subject, judgements)
            self._results.update(found.conclusion for found in concluded)
        for found in concluded:
            agreements.on_concluded(found)
