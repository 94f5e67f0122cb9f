"""Which rule takes a delivery, and which resource it is about: by its event first, then by the live resource."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from consumer.core.errors import Refused, ResourceGone, ServiceError
from consumer.core.event import Event
from consumer.core.outcome import Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.guards.chain import missing_action
from consumer.guards.rule import Rule, match
from consumer.resources.base import Resource, Target


class Routing:
    """The configured rules and the accounts that are ours; used by every worker, changed by none."""

    def __init__(self, rules: Sequence[Rule], accounts: Collection[str], default_region: str) -> None:
        self._rules = rules
        self._accounts = frozenset(accounts)
        self._default_region = default_region

    def rule_of(self, event: Event) -> Rule | None:
        """The first rule that takes the event, as far as the event alone shows."""
        return match(event, self._rules)

    def resource_of(self, event: Event, rule: Rule) -> Resource:
        """The resource the event names.

        Raises:
            Refused: we never act on it: of another kind or account, or with an impossible name.
        """
        kind = rule.remediation.kind
        if event.resource_type != kind.resource_type:
            raise Refused("wrong_resource_type", f"rule {rule.name} repairs {kind.resource_type} only")
        if event.account_id not in self._accounts:
            raise Refused("account_not_allowed", f"the resource belongs to account {event.account_id}")
        return kind.parse(event, self._default_region)

    def confirmed(self, delivery: Delivery, rule: Rule, resource: Resource, target: Target[Any]) -> Rule | Ending:
        """The rule that takes the event about the live resource, or the ending where none does or that is not known.

        `resource` has the live region.

        Raises:
            Refused: that rule never acts on such a resource.
            ResourceGone: it is not there any more.
        """
        if delivery.event is None:
            raise ValueError("only a delivery with an event can be repaired for")
        event = delivery.event
        if event.region != resource.region:
            event = delivery.event = replace(event, region=resource.region)
        try:
            live = match(event, self._rules, target.tags)
        except ResourceGone:
            raise
        except ServiceError as error:
            # Its tags decide which rule takes it. In doubt nothing is changed, and a later delivery looks again.
            detail = f"a rule selects by tags, and they cannot be read: {error}"
            hold, missing = rule.hold_seconds, missing_action(error)
            return Ending(Outcome.HELD, "tags_unreadable", detail, hold_seconds=hold, missing_action=missing)
        if live is None:
            return Ending(Outcome.NOT_OURS, "no_rule", "no rule takes this event about the resource as it is")
        if live.name != rule.name:
            delivery.rule, delivery.resource = live, self.resource_of(event, live)
        return live
