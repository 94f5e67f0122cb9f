"""Cloud Config itself: watches resources, judges them by the configured rules, reports what became non-compliant.

It never changes a resource. Evaluations run in the event loop some time after the change, as in the service, so
several changes at once are judged together and by the latest state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from emulator.cloudconfig.configuration import Configuration
from emulator.cloudconfig.delivery import Delivery, Publish
from emulator.cloudconfig.events import (
    ChangeType,
    Event,
    NonCompliance,
    Trigger,
    Variant,
    non_compliance,
    resource_change,
)
from emulator.cloudconfig.rules import DEFAULT_RULES, Rule, configured
from emulator.cloudconfig.verdict import Annotation, Compliance, Verdict
from emulator.flow import Flow
from emulator.world import World

AGGREGATOR_ID = "ca-emulated000000000000"
"""The one account group, of the emulated account: every account that owns a resource is a member."""
_AT_ONCE = 50

ResourceKey = tuple[str, str]
"""A resource by type and id: a bucket may be called what a security group's id is."""


class Inventory(Protocol):
    """The resources of one type as Cloud Config reads them."""

    def names(self) -> list[str]:
        """The id of every one that exists."""
        ...

    def configuration(self, resource_id: str) -> Configuration | None:
        """One of them now; None when it does not exist."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What one evaluation of one resource by one rule found."""

    resource_type: str
    resource_id: str
    rule: Rule
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Recorded:
    """The newest finding on one resource by one rule, as the service keeps it."""

    finding: Finding
    name: str
    owner_id: str
    region: str
    trigger: Trigger
    judged_ms: int
    since_ms: int | None = None
    """When its last non-compliance began, which a later evaluation with the same finding does not move; None if it was
    never non-compliant."""
    fixed_ms: int | None = None
    """When its last non-compliance was seen to have ended."""


class CloudConfig:
    """One account's rules, its delivery channel, and what is compliant now."""

    def __init__(self, world: World, publish: Publish, inventories: Mapping[str, Inventory]) -> None:
        """`inventories` by resource type."""
        self._world = world
        self._inventories = inventories
        self.account_id = world.account_id
        self.flow = Flow(world.options, world.clock.now, "config_calls_per_second")
        self.delivery = Delivery(world, publish)
        self.rules: dict[str, Rule] = {}
        self.delay_seconds = 0.0
        """Emulated time between a change and its evaluation."""
        self._judged: dict[tuple[ResourceKey, str], Recorded] = {}
        self._seen: dict[ResourceKey, Configuration] = {}
        self._pending: dict[ResourceKey, None] = {}
        self._delayed: asyncio.Task[None] | None = None
        """The evaluation that waits for its delay."""
        self.reset()

    def reset(self) -> None:
        """Forget every verdict and go back to the default rules, without a channel."""
        self.delivery = Delivery(self._world, self.delivery.publish)
        self.rules = {rule.id: rule for rule in map(configured, DEFAULT_RULES)}
        self.delay_seconds = 0.0
        self._judged.clear()
        self._seen.clear()
        self._pending.clear()
        if self._delayed is not None:
            self._delayed.cancel()

    def put_rule(self, rule: Rule) -> None:
        """Configure a rule, replacing the one of the same id; nothing is evaluated by this alone."""
        self.remove_rule(rule.id)
        self.rules[rule.id] = rule

    def remove_rule(self, rule_id: str) -> None:
        """Forget a rule and what it found."""
        self.rules.pop(rule_id, None)
        self._judged = {key: found for key, found in self._judged.items() if key[1] != rule_id}

    def changed(self, resource_type: str, resource_id: str) -> None:
        """A resource was created, changed or deleted; it is judged later, once for several changes."""
        if not self._pending:
            self._schedule()
        self._pending[resource_type, resource_id] = None

    def _schedule(self) -> None:
        if self.delay_seconds > 0:
            self._delayed = asyncio.get_running_loop().create_task(self._judge_later())
        else:
            asyncio.get_running_loop().call_soon(self._judge_pending)

    async def _judge_later(self) -> None:
        await self._world.clock.sleep(self.delay_seconds)
        self._judge_pending()

    def _judge_pending(self) -> None:
        for resource in list(islice(self._pending, _AT_ONCE)):
            del self._pending[resource]
            self._report_change(resource)
            for finding in self._findings([resource], self.rules.values()):
                if self._is_news(finding, Trigger.CHANGE):
                    self._report(finding, Trigger.CHANGE)
        if self._pending:
            # In slices, so that a mass change does not keep everybody else waiting.
            asyncio.get_running_loop().call_soon(self._judge_pending)

    async def evaluate(
        self,
        resources: Iterable[ResourceKey] | None = None,
        rule_id: str | None = None,
        trigger: Trigger = Trigger.MANUAL,
    ) -> list[Finding]:
        """Judge resources (all without a list) now and report every non-compliance again.

        Raises:
            KeyError: no rule has that id.
        """
        rules = list(self.rules.values()) if rule_id is None else [self.rules[rule_id]]
        findings = self._findings(self._all() if resources is None else resources, rules)
        for number, finding in enumerate(findings):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            self._is_news(finding, trigger)
            if finding.verdict.compliance is Compliance.NON_COMPLIANT:
                self._report(finding, trigger)
        return findings

    def compliance(self) -> list[Finding]:
        """What is compliant now, judged afresh; nothing is reported or remembered."""
        return self._findings(self._all(), self.rules.values())

    def recorded(self) -> list[Recorded]:
        """The newest finding of each rule on each resource, as it was judged last; nothing is judged now."""
        return list(self._judged.values())

    def owners(self) -> set[str]:
        """The accounts in the account group: the emulated one and every owner of a resource."""
        return {self.account_id, *(owner for resource in self._all() if (owner := self._owner(resource)))}

    def owned_by(self, owners: set[str]) -> list[ResourceKey]:
        """The existing resources of these accounts."""
        return [resource for resource in self._all() if self._owner(resource) in owners]

    def named(self, resource_id: str) -> list[ResourceKey]:
        """The existing resources of that id, of whatever type."""
        return [resource for resource in self._all() if resource[1] == resource_id]

    def _all(self) -> list[ResourceKey]:
        return [(kind, name) for kind, inventory in self._inventories.items() for name in inventory.names()]

    def _configuration(self, resource: ResourceKey) -> Configuration | None:
        return self._inventories[resource[0]].configuration(resource[1])

    def _owner(self, resource: ResourceKey) -> str:
        found = self._configuration(resource)
        return "" if found is None else found.owner_id

    def describe(
        self, resource: Configuration, rule: Rule, annotation: Annotation, trigger: Trigger, variant: Variant
    ) -> Event:
        """The event that a non-compliance of this resource would be reported by, in the wanted form."""
        now_ms = self._world.clock.now_ms()
        fact = NonCompliance(
            resource=resource,
            account_id=self._world.account_id,
            rule=rule,
            annotation=annotation,
            trigger=trigger,
            evaluated_ms=now_ms,
            created_ms=now_ms,
        )
        return non_compliance(fact, variant)

    def _findings(self, resources: Iterable[ResourceKey], rules: Iterable[Rule]) -> list[Finding]:
        rules = list(rules)
        return [
            Finding(*resource, rule, rule.evaluate(found))
            for resource in resources
            if (found := self._configuration(resource)) is not None
            for rule in rules
            if rule.managed.resource_type == resource[0]
        ]

    def _is_news(self, finding: Finding, trigger: Trigger) -> bool:
        """Keep a finding; whether it is a transition that the service reports."""
        resource = (finding.resource_type, finding.resource_id)
        found, now_ms = self._configuration(resource), self._world.clock.now_ms()
        key, before = (resource, finding.rule.id), self._judged.get((resource, finding.rule.id))
        name, owner_id, region = (found.name, found.owner_id, found.region) if found else (finding.resource_id, "", "")
        was, broken = _broken(before.finding) if before else False, _broken(finding)
        since_ms, fixed_ms = (before.since_ms, before.fixed_ms) if before else (None, None)
        self._judged[key] = Recorded(
            finding,
            name,
            owner_id,
            region,
            trigger,
            now_ms,
            now_ms if broken and not was else since_ms,
            now_ms if was and not broken else fixed_ms,
        )
        return broken and not was

    def _report(self, finding: Finding, trigger: Trigger) -> None:
        found, channel = self._configuration((finding.resource_type, finding.resource_id)), self.delivery.channel
        if found is None or finding.verdict.annotation is None or not channel.non_compliance:
            return
        event = self.describe(found, finding.rule, finding.verdict.annotation, trigger, channel.variant)
        self.delivery.report(event, finding.resource_id)

    def _report_change(self, resource: ResourceKey) -> None:
        before, now = self._seen.get(resource), self._configuration(resource)
        if now is None:
            self._seen.pop(resource, None)
            self._judged = {key: found for key, found in self._judged.items() if key[0] != resource}
        else:
            self._seen[resource] = now
        known = now or before
        if known is None or not self.delivery.channel.resource_changes:
            return
        kind = ChangeType.REMOVE if now is None else ChangeType.MODIFY if before else ChangeType.DISCOVERED
        self.delivery.report(self.describe_change(known, kind), resource[1])

    def describe_change(self, resource: Configuration, kind: ChangeType) -> Event:
        """The resource change message for this resource."""
        return resource_change(resource, kind, self._world.clock.now_ms())


def _broken(finding: Finding) -> bool:
    return finding.verdict.compliance is Compliance.NON_COMPLIANT
