"""Cloud Config itself: watches buckets, judges them by the configured rules, reports what became non-compliant.

It never changes a bucket. Evaluations run in the event loop some time after the change, as in the service, so
several changes at once are judged together and by the latest state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from emulator.cloudconfig.configuration import BucketConfiguration
from emulator.cloudconfig.delivery import Delivered, Delivery, Publish
from emulator.cloudconfig.events import (
    ChangeType,
    Event,
    NonCompliance,
    Trigger,
    Variant,
    non_compliance,
    resource_change,
)
from emulator.cloudconfig.flow import Flow
from emulator.cloudconfig.rules import DEFAULT_RULES, Rule, configured
from emulator.cloudconfig.verdict import Annotation, Compliance, Verdict
from emulator.world import World

AGGREGATOR_ID = "ca-emulated000000000000"
"""The one account group, of the emulated account: every account that owns a bucket is a member."""
_AT_ONCE = 50


class Inventory(Protocol):
    """The buckets as Cloud Config reads them."""

    def names(self) -> list[str]:
        """Every existing bucket."""
        ...

    def configuration(self, bucket: str) -> BucketConfiguration | None:
        """One bucket now; None when it does not exist."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What one evaluation of one bucket by one rule found."""

    bucket: str
    rule: Rule
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Recorded:
    """The newest finding on one bucket by one rule, as the service keeps it."""

    finding: Finding
    owner_id: str
    region: str
    trigger: Trigger
    judged_ms: int


class CloudConfig:
    """One account's rules, its delivery channel, and what is compliant now."""

    def __init__(self, world: World, publish: Publish, inventory: Inventory) -> None:
        self._world = world
        self._inventory = inventory
        self.account_id = world.account_id
        self.flow = Flow(world.options, world.clock.now)
        self.delivery = Delivery(world, publish)
        self.rules: dict[str, Rule] = {}
        self.delay_seconds = 0.0
        """Emulated time between a change and its evaluation."""
        self._judged: dict[tuple[str, str], Recorded] = {}
        self._seen: dict[str, BucketConfiguration] = {}
        self._pending: dict[str, None] = {}
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

    def changed(self, bucket: str) -> None:
        """Told by OSS that a bucket was created, changed or deleted; judges it later, once for several changes."""
        if not self._pending:
            self._schedule()
        self._pending[bucket] = None

    def _schedule(self) -> None:
        if self.delay_seconds > 0:
            self._delayed = asyncio.get_running_loop().create_task(self._judge_later())
        else:
            asyncio.get_running_loop().call_soon(self._judge_pending)

    async def _judge_later(self) -> None:
        await self._world.clock.sleep(self.delay_seconds)
        self._judge_pending()

    def _judge_pending(self) -> None:
        for name in list(islice(self._pending, _AT_ONCE)):
            del self._pending[name]
            self._report_change(name)
            for finding in self._findings([name], self.rules.values()):
                if self._is_news(finding, Trigger.CHANGE):
                    self._report(finding, Trigger.CHANGE)
        if self._pending:
            # In slices, so that a mass change does not keep everybody else waiting.
            asyncio.get_running_loop().call_soon(self._judge_pending)

    async def evaluate(
        self, buckets: Iterable[str] | None = None, rule_id: str | None = None, trigger: Trigger = Trigger.MANUAL
    ) -> list[Finding]:
        """Judge buckets (all without a list) now and report every non-compliance again.

        Raises:
            KeyError: no rule has that id.
        """
        rules = list(self.rules.values()) if rule_id is None else [self.rules[rule_id]]
        findings = self._findings(self._inventory.names() if buckets is None else buckets, rules)
        for number, finding in enumerate(findings):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            self._is_news(finding, trigger)
            if finding.verdict.compliance is Compliance.NON_COMPLIANT:
                self._report(finding, trigger)
        return findings

    def compliance(self) -> list[Finding]:
        """What is compliant now, judged afresh; nothing is reported or remembered."""
        return self._findings(self._inventory.names(), self.rules.values())

    def recorded(self) -> list[Recorded]:
        """The newest finding of each rule on each bucket, as it was judged last; nothing is judged now."""
        return list(self._judged.values())

    def owners(self) -> set[str]:
        """The accounts in the account group: the emulated one and every owner of a bucket."""
        return {self.account_id, *(owner for name in self._inventory.names() if (owner := self._owner(name)))}

    def buckets_of(self, owners: set[str]) -> list[str]:
        """The existing buckets of these accounts."""
        return [name for name in self._inventory.names() if self._owner(name) in owners]

    def _owner(self, name: str) -> str:
        bucket = self._inventory.configuration(name)
        return "" if bucket is None else bucket.owner_id

    def describe(
        self, bucket: BucketConfiguration, rule: Rule, annotation: Annotation, trigger: Trigger, variant: Variant
    ) -> Event:
        """The event that a non-compliance of this bucket would be reported by, in the wanted form."""
        now_ms = self._world.clock.now_ms()
        fact = NonCompliance(
            bucket=bucket.name,
            region=bucket.region,
            owner_id=bucket.owner_id,
            account_id=self._world.account_id,
            rule=rule,
            annotation=annotation,
            trigger=trigger,
            evaluated_ms=now_ms,
            created_ms=now_ms,
        )
        return non_compliance(fact, variant)

    def _findings(self, buckets: Iterable[str], rules: Iterable[Rule]) -> list[Finding]:
        rules = list(rules)
        return [
            Finding(name, rule, rule.evaluate(bucket))
            for name in buckets
            if (bucket := self._inventory.configuration(name)) is not None
            for rule in rules
        ]

    def _is_news(self, finding: Finding, trigger: Trigger) -> bool:
        """Keep a finding; whether it is a transition that the service reports."""
        bucket, now_ms = self._inventory.configuration(finding.bucket), self._world.clock.now_ms()
        key, before = (finding.bucket, finding.rule.id), self._judged.get((finding.bucket, finding.rule.id))
        self._judged[key] = Recorded(
            finding, bucket.owner_id if bucket else "", bucket.region if bucket else "", trigger, now_ms
        )
        known = before.finding.verdict.compliance if before else None
        return finding.verdict.compliance is Compliance.NON_COMPLIANT and known is not Compliance.NON_COMPLIANT

    def _report(self, finding: Finding, trigger: Trigger) -> Delivered | None:
        bucket, channel = self._inventory.configuration(finding.bucket), self.delivery.channel
        if bucket is None or finding.verdict.annotation is None or not channel.non_compliance:
            return None
        event = self.describe(bucket, finding.rule, finding.verdict.annotation, trigger, channel.variant)
        return self.delivery.send(event, finding.bucket)

    def _report_change(self, name: str) -> None:
        before, now = self._seen.get(name), self._inventory.configuration(name)
        if now is None:
            self._seen.pop(name, None)
            self._judged = {key: found for key, found in self._judged.items() if key[0] != name}
        else:
            self._seen[name] = now
        known = now or before
        if known is None or not self.delivery.channel.resource_changes:
            return
        kind = ChangeType.REMOVE if now is None else ChangeType.MODIFY if before else ChangeType.DISCOVERED
        self.delivery.send(self.describe_change(known, kind), name)

    def describe_change(self, bucket: BucketConfiguration, kind: ChangeType) -> Event:
        """The resource change message for this bucket."""
        return resource_change(bucket, kind, self._world.clock.now_ms())
