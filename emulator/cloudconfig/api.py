"""The two actions of the Cloud Config API that follow a repair: evaluate one resource again, and list its results.

https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-listresourceevaluationresults . What is
said about a resource that does not exist is documented nowhere: here nothing is evaluated, and the list is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.acs3 import RpcRequest, caller
from emulator.cloudconfig.events import RESOURCE_TYPE
from emulator.cloudconfig.rules import RiskLevel
from emulator.cloudconfig.service import CloudConfig, Recorded
from emulator.refusal import Refusal
from emulator.world import World

VERSION = "2020-09-07"
_START, _LIST = "StartConfigRuleEvaluationByResource", "ListResourceEvaluationResults"
_MOST_RESULTS = 100
_RISK = {RiskLevel.CRITICAL: 1, RiskLevel.WARNING: 2, RiskLevel.INFO: 3}


async def config_answer(world: World, config: CloudConfig, request: RpcRequest) -> dict[str, Any]:
    """The answer to one request.

    Raises:
        Refusal: the caller, its signature or what it asks for is not accepted.
    """
    key = caller(world, request)
    action = request.headers.get("x-acs-action", "")
    if action not in (_START, _LIST) or request.headers.get("x-acs-version") != VERSION:
        raise Refusal(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
    asked_for = request.parameters
    resource_id = asked_for.get("ResourceId", "")
    if not resource_id:
        raise Refusal(400, "MissingResourceId", "ResourceId is mandatory for this action.")
    asked = world.request_id()
    if action == _LIST:
        shown = _results(config, resource_id, asked_for)
        world.journal.read("config", _LIST, resource_id, request_id=asked, access_key_id=key.access_key_id)
        return {"RequestId": asked, "EvaluationResults": shown}
    world.journal.changed("config", _START, resource_id, request_id=asked, access_key_id=key.access_key_id)
    await config.evaluate([resource_id])
    return {"RequestId": asked}


def _results(config: CloudConfig, resource_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of what was recorded; nothing is judged for it."""
    most, start = query.get("MaxResults", str(_MOST_RESULTS)), query.get("NextToken", "0")
    if not most.isdecimal() or not 1 <= int(most) <= _MOST_RESULTS:
        raise Refusal(400, "InvalidParameter.MaxResults", "MaxResults has to be from 1 to 100.")
    if not start.isdecimal():
        raise Refusal(400, "InvalidParameter.NextToken", "The specified NextToken is not one of ours.")
    found = [
        recorded
        for recorded in config.recorded(resource_id)
        if query.get("ComplianceType") in (None, recorded.finding.verdict.compliance)
        and query.get("ResourceType") in (None, RESOURCE_TYPE)
        and query.get("Region") in (None, recorded.region)
    ]
    end = int(start) + int(most)
    return {
        "EvaluationResultList": [_shown(recorded) for recorded in found[int(start) : end]],
        "MaxResults": int(most),
        **({"NextToken": str(end)} if end < len(found) else {}),
    }


def _shown(recorded: Recorded) -> dict[str, Any]:
    finding = recorded.finding
    return {
        **({"Annotation": finding.verdict.annotation.as_text()} if finding.verdict.annotation else {}),
        "ComplianceType": finding.verdict.compliance,
        "ConfigRuleInvokedTimestamp": recorded.judged_ms,
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleId": finding.rule.id,
                "ConfigRuleName": finding.rule.name,
                "RegionId": recorded.region,
                "ResourceId": finding.bucket,
                "ResourceName": finding.bucket,
                "ResourceType": RESOURCE_TYPE,
            },
            "OrderingTimestamp": recorded.judged_ms,
        },
        "InvokingEventMessageType": recorded.trigger,
        "RemediationEnabled": False,
        "ResultRecordedTimestamp": recorded.judged_ms,
        "RiskLevel": _RISK[finding.rule.risk_level],
    }
