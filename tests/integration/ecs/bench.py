"""Repairs single security groups with the real pipeline and the vendor's client, and shows what that did to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.ecs.client import Ecs, EcsGroup, EcsSettings
from consumer.aliyun.retry import Retrier, RetryPolicy
from consumer.core.event import Event
from consumer.core.message import Received
from consumer.core.observers import Hooks
from consumer.core.outcome import Ending
from consumer.engine.change import ChangeMaker
from consumer.engine.delivery import Delivery
from consumer.engine.pipeline import Pipeline
from consumer.engine.routing import Routing
from consumer.guards.chain import Guards
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.base import Change
from consumer.remediations.ecs.public_ingress import PublicIngressOptions, RevokePublicIngress
from consumer.resources.ecs.kind import SECURITY_GROUPS
from emulator.client import Emulator
from tests.integration.conftest import FixedCredentials, Recorder
from tests.integration.remediations.workbench import Interrupted
from tests.patience import PATIENCE_SECONDS

GROUP = "sg-web"
EVERYONE = "0.0.0.0/0"
SSH = {"id": "sgr-ssh", "port_range": "22/22", "source_cidr_ip": EVERYONE}
OFFICE = {"id": "sgr-office", "port_range": "22/22", "source_cidr_ip": "203.0.113.0/24"}
WEB = {"id": "sgr-web", "port_range": "443/443", "source_cidr_ip": EVERYONE}
OUT = {"id": "sgr-out", "direction": "egress", "protocol": "ALL", "port_range": "-1/-1", "source_cidr_ip": EVERYONE}


class Bench:
    """One emulator, one worker's pipeline, and a record of every request."""

    def __init__(self, emulator: Emulator, recorder: Recorder, *, call_timeout_seconds: float = 5.0) -> None:
        known = emulator.endpoints
        self.emulator = emulator
        self.recorder = recorder
        self.account_id, self.region = known.account_id, known.region
        self.hooks = Hooks((recorder,))
        self.settings = EcsSettings(
            {"*": emulator.ecs}, call_timeout_seconds=call_timeout_seconds, sts_endpoint=emulator.control.url
        )
        self.ecs = self.client(Credentials(known.access_key_id, known.access_key_secret, ""))

    def client(self, key: Credentials, **members: Credentials) -> Ecs:
        """A gateway that signs with this key, and with those of members in their accounts."""
        retrier = Retrier(RetryPolicy(4, 0.001, 0.002), self.hooks, threading.Event())
        signers = {account.removeprefix("account_"): FixedCredentials(member) for account, member in members.items()}
        return Ecs(self.settings, FixedCredentials(key), self.hooks, retrier, members=signers)

    def group(
        self, group_id: str = GROUP, *, region: str = "", account_id: str = "", ecs: Ecs | None = None
    ) -> EcsGroup:
        """A group, as a remediation gets it; its requests are tried again for half a minute."""
        resource = SECURITY_GROUPS.resource(account_id or self.account_id, region or self.region, group_id)
        until = time.monotonic() + PATIENCE_SECONDS
        return (ecs or self.ecs).open(resource, lambda: until)

    def repair(
        self,
        options: Mapping[str, Any] | None = None,
        *,
        group_id: str = GROUP,
        mode: Mode = Mode.ENFORCE,
        meanwhile: Callable[[], object] = bool,
        guards: Guards | None = None,
    ) -> Ending:
        """One delivery about the group; `meanwhile` happens between the look at it and the change."""
        rule = Rule("the-rule", Selector(), remediation(**(options or {})), mode, hold_seconds=600)
        routing, changes = Routing([rule], {self.account_id}, self.region), ChangeMaker(Hooks())
        pipeline = Pipeline(routing, self.ecs.open, guards or Guards(), changes, work_budget_seconds=60)
        delivery = Delivery(Received("m-1", "", "h", 1, 0, 0, 60.0), Interrupted(meanwhile), 0.0)
        delivery.event, delivery.rule = event(group_id, self.account_id, self.region), rule
        delivery.resource = SECURITY_GROUPS.resource(self.account_id, self.region, group_id)
        return pipeline.repair(delivery)

    def undo(self, ending: Ending, options: Mapping[str, Any] | None = None) -> None:
        """Take the repair back, after a look whether the group is still as the repair left it."""
        repair, group = remediation(**(options or {})), self.group()
        assert repair.plan(repair.inspect(group, group.identity())).state == ending.after
        repair.revert(group, Change(ending.before, ending.after))

    def rules(self, group_id: str = GROUP) -> list[dict[str, Any]]:
        """The group's rules from the emulator itself, in an order of their own, without what the service chooses."""
        found = self.emulator.security_group(group_id)["permissions"]
        plain = [{name: value for name, value in each.items() if name not in ("id", "created")} for each in found]
        return sorted(plain, key=str)

    def ids(self, group_id: str = GROUP) -> set[str]:
        """The rules that are there."""
        return {each["id"] for each in self.emulator.security_group(group_id)["permissions"]}

    def changes(self) -> list[str]:
        """What was changed by signed requests, in order."""
        return [entry.operation for entry in self.emulator.journal(service="ecs", changed=True)]

    @property
    def actions(self) -> set[str]:
        """The service and operation of every request so far."""
        return {f"{call.service}:{call.operation}" for call in self.recorder.calls}


def remediation(**options: Any) -> RevokePublicIngress:
    """The repair with these options."""
    return RevokePublicIngress(PublicIngressOptions.model_validate(options))


def event(group_id: str, account_id: str, region: str) -> Event:
    """What Cloud Config says of a group."""
    return Event(
        config_rule_id="cr-1",
        config_rule_name="a rule",
        source_identifier="",
        resource_type="ACS::ECS::SecurityGroup",
        resource_id=group_id,
        region=region,
        account_id=account_id,
        risk_level="warning",
        evaluated_at_ms=1_700_000_000_000,
        notified_at_ms=1_700_000_000_000,
        request_id="",
    )
