"""The actions of the Cloud Config API that evaluate again, list what was found, and describe the rules.

An account sees its own resources; the management account also those of every account, through the Aggregate forms with
the id of its account group. https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-overview .
No page says what is answered about a resource that does not exist: here nothing is evaluated, and the list is
empty.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.acs3 import RpcRequest, caller
from emulator.cloudconfig import results, rule_descriptions
from emulator.cloudconfig.rules import Rule
from emulator.cloudconfig.service import AGGREGATOR_ID, CloudConfig
from emulator.identity import AccessKey
from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc
from emulator.world import World

VERSION = "2020-09-07"


@dataclass(frozen=True, slots=True)
class _Call:
    """One accepted request."""

    world: World
    config: CloudConfig
    action: str
    query: Mapping[str, str]
    key: AccessKey
    request_id: str

    def owners(self) -> set[str]:
        """The accounts whose resources it is about; raises Refusal for an account group that is not the caller's."""
        if "Aggregate" not in self.action:
            return {self.key.account_id}
        if self.query.get("AggregatorId") != AGGREGATOR_ID or self.key.account_id != self.world.account_id:
            raise Refusal(Rpc.NO_AGGREGATOR)
        everyone = self.config.owners()
        wanted = self.query.get("ResourceOwnerId") or self.query.get("ResourceAccountId")
        return everyone & {wanted} if wanted else everyone

    def rule(self) -> Rule | None:
        """The named rule; None when none is named. Raises Refusal for one that does not exist."""
        rule_id = self.query.get("ConfigRuleId")
        if not rule_id:
            return None
        found = self.config.rules.get(rule_id)
        if found is None:
            raise Refusal(Rpc.NO_RULE)
        return found

    def required(self, name: str, refused: Rpc) -> str:
        """A parameter that has to be there."""
        if not (value := self.query.get(name)):
            raise Refusal(refused)
        return value

    def listed(self, resource: str = "") -> None:
        """Journal that nothing was changed."""
        self.world.journal.read(
            "config", self.action, resource, request_id=self.request_id, access_key_id=self.key.access_key_id
        )

    def started(self, resource: str) -> None:
        """Journal that an evaluation was started."""
        self.world.journal.changed(
            "config", self.action, resource, request_id=self.request_id, access_key_id=self.key.access_key_id
        )


async def _evaluate_resource(call: _Call) -> dict[str, Any]:
    resource_id = call.required("ResourceId", Rpc.NO_RESOURCE_ID)
    call.started(resource_id)
    await call.config.evaluate(call.config.named(resource_id))
    return {"Result": True}


async def _evaluate_rule(call: _Call) -> dict[str, Any]:
    if call.query.get("CompliancePackId"):
        raise Refusal(Rpc.NO_PACK)
    owners, rule_id = call.owners(), call.required("ConfigRuleId", Rpc.NO_RULE_ID)
    call.rule()
    call.started(rule_id)
    await call.config.evaluate(call.config.owned_by(owners), rule_id)
    return {"Result": True}


async def _results_of_resource(call: _Call) -> dict[str, Any]:
    resource_id = call.required("ResourceId", Rpc.NO_RESOURCE_ID)
    found = results.of_resource(call.config, resource_id, call.query)
    call.listed(resource_id)
    return {"EvaluationResults": found}


async def _results_of_rules(call: _Call) -> dict[str, Any]:
    found = results.of_rules(call.config, call.rule(), call.query, call.owners())
    call.listed(call.query.get("ConfigRuleId", ""))
    return {"EvaluationResults": found}


async def _rules(call: _Call) -> dict[str, Any]:
    found = rule_descriptions.listed(call.config, call.query, call.owners())
    call.listed()
    return {"ConfigRules": found}


async def _rule(call: _Call) -> dict[str, Any]:
    owners, rule_id = call.owners(), call.required("ConfigRuleId", Rpc.NO_RULE_ID)
    rule = call.rule()
    assert rule is not None
    call.listed(rule_id)
    return {"ConfigRule": rule_descriptions.described(call.config, rule, owners)}


_ACTIONS: dict[str, Callable[[_Call], Awaitable[dict[str, Any]]]] = {
    "StartConfigRuleEvaluationByResource": _evaluate_resource,
    "StartConfigRuleEvaluation": _evaluate_rule,
    "StartAggregateConfigRuleEvaluation": _evaluate_rule,
    "ListResourceEvaluationResults": _results_of_resource,
    "ListConfigRuleEvaluationResults": _results_of_rules,
    "ListAggregateConfigRuleEvaluationResults": _results_of_rules,
    "ListConfigRules": _rules,
    "ListAggregateConfigRules": _rules,
    "GetConfigRule": _rule,
    "GetAggregateConfigRule": _rule,
}


async def config_answer(world: World, config: CloudConfig, request: RpcRequest) -> dict[str, Any]:
    """The answer to one request.

    Raises:
        Refusal: the caller, its signature, how often it asks or what it asks for is not accepted.
    """
    key = caller(world, request)
    action = request.headers.get("x-acs-action", "")
    operation = _ACTIONS.get(action)
    if operation is None or request.headers.get("x-acs-version") != VERSION:
        raise Refusal(Rpc.NO_ACTION)
    if config.flow.refuses(key.access_key_id, action):
        raise Refusal(Rpc.THROTTLED)
    call = _Call(world, config, action, request.parameters, key, world.request_id())
    return {"RequestId": call.request_id, **await operation(call)}
