"""One proof: break the canary, publish the event, wait for the worker, and leave the canary as it was found.

From the moment at which the request that breaks it may have left, nothing ends this module without putting it back:
not an error, not a time-out, and not a signal, which only requests a stop (`consumer.operator.prove.stopping`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from consumer.core.errors import RemediatorError
from consumer.guards.rule import Rule
from consumer.operator import output
from consumer.operator.check.findings import Status
from consumer.operator.prove import by_hand, preflight
from consumer.operator.prove import canary as canaries
from consumer.operator.prove.canary import Canary, NotBreakable, Restored
from consumer.operator.prove.journaled import Marks
from consumer.operator.prove.preflight import NotProvable
from consumer.operator.prove.record import ProofFinding, ProofRecord, ProofResult, finding
from consumer.operator.prove.stopping import Stop
from consumer.operator.prove.verdict import judged
from consumer.operator.prove.waiting import WatchedWay, Witnesses
from consumer.operator.repair import event
from consumer.operator.session import Session
from consumer.remediations.base import Change
from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.kind import BUCKETS

_AGAIN = "run it again"


@dataclass(frozen=True, slots=True)
class ProofMeans:
    """What every proof of a run uses."""

    session: Session
    rules: Sequence[Rule]
    witnesses: Witnesses
    stop: Stop
    say: Callable[[str], None] = output.note
    monotonic: Callable[[], float] = time.monotonic
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000


class Proof:
    """The proof of one rule."""

    def __init__(self, means: ProofMeans, rule: Rule) -> None:
        config = means.session.config
        self._means = means
        self._config = config
        self._rule = rule
        self._record = ProofRecord(
            rule.name, rule.remediation.name, rule.mode.value, config.canary.bucket, config.canary_region
        )
        self._record.event = f"prove-{uuid.uuid4().hex}"
        rights = means.session.command("ram-policy", "--for", "prove")
        self._try_again = f"try again; if it stays, ask with the request id. {rights} prints what it needs"
        self._by_hand = by_hand.command(config, means.session.path, rule.name)
        self._marks = Marks(config.canary.bucket, rule.name, means.wall_ms())

    def carry_out(self) -> ProofFinding:
        """Prove it, unless nothing may be broken; raises nothing that a service can bring about."""
        session, rule = self._means.session, self._rule
        try:
            preflight.provable(self._config, rule)
            canary = canaries.opened(session, rule)
            info = canary.checked()
            rehearsal = canary.rehearsal(info, self._by_hand)
            body = self._event()
            preflight.taken(session, rule, body)
        except NotProvable as error:
            return finding(self._record, error.status, f"nothing was broken: {error}", self._remedy(error))
        except RemediatorError as error:
            return finding(self._record, Status.FAILED, f"nothing was broken: {error}", self._try_again)
        return self._broken(canary, rehearsal, info, body)

    def _remedy(self, error: NotProvable) -> str:
        if isinstance(error, NotBreakable):
            return f"{error.remedy}, and {self._means.session.command('ram-policy')} prints the rights of this one"
        return error.remedy

    def _event(self) -> str:
        """Its body, in the evaluator's form.

        Raises:
            ConfigurationError: no event can be made for the rule.
        """
        record, config = self._record, self._config
        subject = event.NamedResource(BUCKETS.resource_type, record.bucket, config.account_id, record.region)
        at_ms = self._marks.evaluated_at_ms
        return event.chosen(self._rule, self._means.rules, subject, at_ms, request_id=record.event)

    def _broken(self, canary: Canary, rehearsal: Change, info: BucketInfo, body: str) -> ProofFinding:
        means, record = self._means, self._record
        record.found, record.broken_as, record.result = rehearsal.after, rehearsal.before, ProofResult.STOPPED
        way = WatchedWay(means.session, means.witnesses, self._rule, self._marks, record, means.stop, means.monotonic)
        means.say(
            f"Breaking {record.bucket} for {record.rule}: {rehearsal.after} becomes {rehearsal.before}."
            f" Should this process be killed, put it back with: {self._by_hand}"
        )
        refused = False
        try:
            verdict = self._gone(canary, rehearsal, info, body, way)
        except NotBreakable as error:
            refused, record.result, record.broken_as = True, ProofResult.NOT_BEGUN, ""
            verdict = finding(record, error.status, f"nothing was broken: {error}", self._remedy(error))
        except RemediatorError as error:
            remedy = self._remedy(error) if isinstance(error, NotProvable) else self._try_again
            verdict = finding(record, Status.FAILED, f"it could not be gone through to the end: {error}", remedy)
        finally:
            restored = self._restored(canary, rehearsal, info, repaired=way.repaired or refused)
        return self._with(verdict, restored)

    def _gone(self, canary: Canary, rehearsal: Change, info: BucketInfo, body: str, way: WatchedWay) -> ProofFinding:
        """Break it and go the way; what that shows.

        Raises:
            RemediatorError: it could not be gone to the end.
        """
        means, record = self._means, self._record
        with self._timed("broken"):
            canary.break_it(rehearsal, info)
        if means.stop:
            return finding(record, Status.FAILED, "stopped before its event was published", _AGAIN)
        record.published_at_ms, since = means.wall_ms(), means.monotonic()
        with self._timed("published"):
            record.published_as = means.session.topic(self._config.topic.name).publish(body, "")
        seen = way.followed(lambda: canary.state(info) == rehearsal.after, since=since)
        if means.stop and not seen.repaired:
            return finding(record, Status.FAILED, "stopped before it was repaired", _AGAIN)
        return judged(self._rule, record, seen, means.session.command)

    def _restored(self, canary: Canary, rehearsal: Change, info: BucketInfo, *, repaired: bool) -> Restored:
        with self._timed("restored"):
            restored = canary.restore(rehearsal, info, repaired=repaired)
        self._record.restored = restored.well
        if not restored.well or not repaired:
            self._means.say(f"{self._record.bucket} {restored.text}.")
        return restored

    def _with(self, verdict: ProofFinding, restored: Restored) -> ProofFinding:
        message = f"{verdict.message}. The canary {restored.text} ({self._record.seconds.text()})"
        if restored.well:
            return replace(verdict, message=message)
        return replace(verdict, status=Status.FAILED, message=message, remedy=f"put it back with: {self._by_hand}")

    @contextmanager
    def _timed(self, leg: str) -> Iterator[None]:
        began = self._means.monotonic()
        yield
        setattr(self._record.seconds, leg, round(self._means.monotonic() - began, 3))
