"""What the worker would do with a body: its own decoding, matching, guards and looks, and no change.

Every rule is made to observe, so the worker's own code stops before the change; what an enforcing rule would have
gone on to do is shown instead. Limits, contests and breakers live in running workers and are not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from consumer.app.build import build_pipeline, build_switch
from consumer.config import Config, build_exemptions, build_rules
from consumer.core.errors import DeniedByResource, PermissionMissing
from consumer.core.event import Event
from consumer.core.message import Received
from consumer.core.observers import Hooks
from consumer.core.outcome import Ending, Outcome
from consumer.core.sent import NO_REQUESTS, SentRequests
from consumer.engine.change import ChangeMaker
from consumer.engine.delivery import Delivery
from consumer.engine.lease import Lease
from consumer.engine.pipeline import OpenTarget
from consumer.guards.chain import OUTSIDE_WINDOW, PERMISSION_MISSING, READS_BACK_OLD, Guards
from consumer.guards.rule import Mode, Rule
from consumer.guards.window import described


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """What one message would lead to."""

    outcome: Outcome | None
    """None where only a look at the resource would show it, and none was wanted."""
    reason: str
    detail: str
    rule: str = ""
    mode: str = ""
    event: Event | None = None
    before: str = ""
    after: str = ""
    unavailable: bool = False
    """Whether a service kept it from ending otherwise."""
    requests: SentRequests = NO_REQUESTS
    """What the look at the resource has sent, with the answers."""

    @property
    def resource(self) -> str:
        """What the event names; empty for a message that is none."""
        return self.event.resource_id if self.event else ""

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "outcome": self.outcome.value if self.outcome else None,
            "reason": self.reason,
            "detail": self.detail,
            "rule": self.rule,
            "mode": self.mode,
            "resource": self.resource,
            "region": self.event.region if self.event else "",
            "account": self.event.account_id if self.event else "",
            "before": self.before,
            "after": self.after,
        }


class DryRun:
    """Rehearses one configuration."""

    def __init__(
        self, config: Config, open_target: OpenTarget, *, look: bool = True, as_if_enforcing: str = ""
    ) -> None:
        """`as_if_enforcing` names a rule whose mode does not matter: what it would do if it enforced is wanted."""
        self._look = look
        self._as_if_enforcing = as_if_enforcing
        self._modes = {rule.name: rule.mode for rule in build_rules(config)}
        self._held_by = build_switch(config).held_by
        self._guards = Guards(exemptions=build_exemptions(config))
        rules = [replace(rule, mode=Mode.OBSERVE) for rule in build_rules(config)]
        self._pipeline = build_pipeline(config, rules, open_target, self._guards, ChangeMaker(Hooks()))

    def of(self, body: str) -> DryRunResult:
        """What a message with that body would lead to now."""
        delivery = rehearsed(body)
        self._pipeline.triage(delivery)
        if delivery.ending is None and delivery.rule and not self._look:
            text = f"depends on the live {delivery.rule.remediation.kind.noun}, which was not looked at"
            mode = self._modes[delivery.rule.name].value
            return DryRunResult(None, "not_looked", text, delivery.rule.name, mode, delivery.event)
        ending = delivery.ending or self._pipeline.repair(delivery)
        return replace(self._result(ending, delivery.event, delivery.rule), requests=delivery.timings.requests)

    def _result(self, ending: Ending, event: Event | None, rule: Rule | None) -> DryRunResult:
        mode = self._modes[rule.name] if rule else None
        outcome, reason, detail = ending.outcome, ending.reason, ending.detail
        if rule and outcome is Outcome.WOULD_FIX and reason == "observe_mode" and self._enforces(rule):
            outcome, reason, detail = self._enforced(rule)
        return DryRunResult(
            outcome,
            reason,
            detail,
            rule.name if rule else "",
            mode.value if mode else "",
            event,
            ending.before,
            ending.after,
            is_unavailable(ending),
        )

    def _enforces(self, rule: Rule) -> bool:
        return self._modes[rule.name] is Mode.ENFORCE or rule.name == self._as_if_enforcing

    def _enforced(self, rule: Rule) -> tuple[Outcome, str, str]:
        if held_by := self._held_by():
            return Outcome.HELD, "paused", f"changes are paused by {held_by}"
        if not self._guards.window_open(rule):
            return Outcome.HELD, OUTSIDE_WINDOW, f"the rule makes changes only {described(rule.windows)}"
        if rule.remediation.one_way:
            return Outcome.FIXED, "", "it would be changed and read back, once the evaluator confirms it"
        return Outcome.FIXED, "", "it would be changed and read back"


def rehearsed(body: str) -> Delivery:
    """A delivery of a body that came from no queue: its lease never ends."""
    return Delivery(Received("", body, "", 1, 0, 0, inf), Lease("", "", 0.0, inf), 0.0)


_SERVICE_HOLDS = frozenset({PERMISSION_MISSING, READS_BACK_OLD, "tags_unreadable", "shared_unreachable"})
_DENIALS = frozenset({PermissionMissing.__name__, DeniedByResource.__name__})


def is_unavailable(ending: Ending) -> bool:
    """Whether a service kept it from ending otherwise: it is out of reach, gives no permission, or takes too long."""
    match ending.outcome:
        case Outcome.FAILED | Outcome.EXHAUSTED | Outcome.LEASE_LOST:
            return True
        case Outcome.HELD:
            return ending.reason in _SERVICE_HOLDS
        case Outcome.REJECTED:
            return ending.error_class in _DENIALS
        case _:
            return False


def summary(found: Iterable[DryRunResult]) -> list[tuple[str, str, int]]:
    """How many messages lead where: rule, outcome, number."""
    counts = Counter((each.rule or "no rule", each.outcome.value if each.outcome else "unknown") for each in found)
    return [(rule, outcome, number) for (rule, outcome), number in sorted(counts.items())]
