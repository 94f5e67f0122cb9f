"""The way a message takes: receive → decode → match → guard → inspect → apply → verify → settle → report.

The steps from decode to verify stand here, in order. Each fills its part of the delivery or ends it; nothing in this
module touches the queue, so whatever happens here, the message is still there. What an ending does to it is defined in
`consumer.core.outcome` and carried out in `consumer.engine.settlement`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, assert_never

from consumer.core.errors import InvalidMessage, Refused
from consumer.core.event import OtherMessage, decode
from consumer.core.outcome import Ending, Outcome
from consumer.engine.change import ChangeMaker, PermittedChange
from consumer.engine.delivery import Delivery
from consumer.engine.endings import ended_by, left_alone
from consumer.engine.routing import Routing
from consumer.guards.chain import Guards, Intent
from consumer.guards.rule import Rule
from consumer.remediations.base import Change, Compliant, Pending, ReportOnly
from consumer.resources.base import Resource, Target

OpenTarget = Callable[[Resource, Callable[[], float]], Target[Any]]
"""Opens a resource of any kind for one delivery, as `consumer.resources.base.Opener.open` does."""


class Pipeline:
    """Decides and repairs; one for the process, used by every worker."""

    def __init__(
        self,
        routing: Routing,
        open_target: OpenTarget,
        guards: Guards,
        changes: ChangeMaker,
        *,
        work_budget_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`work_budget_seconds` is how long after its start a repair may still send requests to a resource."""
        self._routing = routing
        self._open_target = open_target
        self._guards = guards
        self._changes = changes
        self._work_budget_seconds = work_budget_seconds
        self._monotonic = monotonic

    def triage(self, delivery: Delivery) -> None:
        """Decode and match: fills in event, rule and resource, or the ending of what needs no look at a resource."""
        if damage := delivery.message.damage:
            # No reply can carry its body, so nothing is known about it: a person has to look.
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
        delivery.event, delivery.rule = found, self._routing.rule_of(found)
        if delivery.rule is None:
            delivery.ending = Ending(Outcome.NOT_OURS, "no_rule", "no rule takes this event")
            return
        try:
            delivery.resource = self._routing.resource_of(found, delivery.rule)
        except Exception as error:  # noqa: BLE001 - a kind may be a plugin's, and a fault in it must not end the worker
            delivery.ending = ended_by(error, delivery.rule)
            return
        # The region that an event names is not the resource's until the resource says so.
        delivery.ending = self._guards.before_look(delivery.rule, delivery.resource, region="")

    def repair(self, delivery: Delivery) -> Ending:
        """Inspect, guard, apply and verify: every way this can go is an ending, never an exception.

        Where the live resource is another rule's than its event suggested, the delivery is that one's from then on.
        """
        rule, resource = delivery.rule, delivery.resource
        if rule is None or resource is None:
            raise ValueError("only a delivery with a rule and a resource can be repaired for")
        until = self._monotonic() + self._work_budget_seconds
        try:
            target = self._open_target(resource, lambda: min(until, delivery.lease.held_until))
            request_ids, granted = target.request_ids, target.granted
        except Exception as error:  # noqa: BLE001 - a fault in one repair must not take the other messages with it
            return ended_by(error, rule)
        try:
            with delivery.timings.recording_requests():
                ending = self._repair(delivery, rule, resource, target, until)
        except Exception as error:  # noqa: BLE001 - as above
            ending = ended_by(error, delivery.rule or rule, delivery.finding)
        delivery.timings.request_ids = tuple(request_ids)
        return self._guards.after_look(resource, ending, granted)

    def _repair(self, delivery: Delivery, rule: Rule, resource: Resource, target: Target[Any], until: float) -> Ending:
        with delivery.timings.measure("inspect"):
            found = target.identity()
            if found.owner_id != resource.account_id:
                noun = rule.remediation.kind.noun
                raise Refused("not_owner", f"the {noun} belongs to another account than the event says")
            delivery.incarnation = found.incarnation
            if found.region not in ("", resource.region):
                resource = replace(resource, region=found.region)
            confirmed = self._routing.confirmed(delivery, rule, resource, target)
            if isinstance(confirmed, Ending):
                return confirmed
            rule = confirmed
            if ending := self._guards.before_look(rule, resource, region=resource.region):
                return ending
            finding = delivery.finding = rule.remediation.plan(rule.remediation.inspect(target, found))
            if ending := self._changes.made_before(rule, resource, target, found, finding):
                return ending
        match finding:
            case Compliant(state):
                note = rule.remediation.remark(target, found)
                reason, detail = (note.reason, note.detail) if note else ("", "")
                return Ending(Outcome.ALREADY_COMPLIANT, reason, detail, before=state, after=state)
            case Pending() | ReportOnly():
                return left_alone(rule, finding, finding.state)
            case Change():
                intent = Intent(rule, resource, resource.region, finding, delivery.event)
            case _:
                assert_never(finding)
        with delivery.timings.measure("inspect"):
            permit = self._guards.permit(intent, target.tags)
        if isinstance(permit, Ending):
            return permit
        with permit:
            change = PermittedChange(delivery, rule, resource, target, found, finding, permit, until)
            return permit.concluded(self._changes.make(change))
