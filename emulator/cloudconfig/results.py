"""Lists of evaluation results: of a resource, of a rule, and of a rule over all accounts of an account group.

They show what was recorded when it was last judged; nothing is judged for them.
https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-listconfigruleevaluationresults and its
neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.cloudconfig.events import account_number
from emulator.cloudconfig.paging import by_token
from emulator.cloudconfig.rules import Rule
from emulator.cloudconfig.service import CloudConfig, Recorded

RISK = {"Critical": 1, "Warning": 2, "Info": 3}


def of_resource(config: CloudConfig, resource_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """ListResourceEvaluationResults: every rule on one resource; empty for one that does not exist (assumed)."""
    found = [
        recorded
        for recorded in config.recorded()
        if recorded.finding.resource_id == resource_id
        and query.get("ResourceType") in (None, recorded.finding.resource_type)
        and query.get("Region") in (None, recorded.region)
    ]
    return _page(config, query, found)


def of_rules(config: CloudConfig, rule: Rule | None, query: Mapping[str, str], owners: set[str]) -> dict[str, Any]:
    """List(Aggregate)ConfigRuleEvaluationResults: one rule, or every one, on the resources of these accounts."""
    found = [
        recorded
        for recorded in config.recorded()
        if rule in (None, recorded.finding.rule)
        and recorded.owner_id in owners
        and _listed(query.get("ResourceTypes"), recorded.finding.resource_type)
        and _listed(query.get("Regions"), recorded.region)
    ]
    return _page(config, query, found)


def _listed(names: str | None, name: str) -> bool:
    return not names or name in (part.strip() for part in names.split(","))


def _page(config: CloudConfig, query: Mapping[str, str], found: Iterable[Recorded]) -> dict[str, Any]:
    wanted = query.get("ComplianceType")
    keyed = sorted(
        ((recorded.finding.resource_id, recorded.finding.rule.id), recorded)
        for recorded in found
        if wanted in (None, recorded.finding.verdict.compliance)
    )
    page, size, token = by_token(query, keyed)
    return {
        "EvaluationResultList": [_shown(config.account_id, recorded) for recorded in page],
        "MaxResults": size,
        **({"NextToken": token} if token else {}),
    }


def _shown(account_id: str, recorded: Recorded) -> dict[str, Any]:
    finding = recorded.finding
    return {
        **({"Annotation": finding.verdict.annotation.as_text()} if finding.verdict.annotation else {}),
        "ComplianceType": finding.verdict.compliance,
        "ConfigRuleInvokedTimestamp": recorded.judged_ms,
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleArn": f"acs:config::{account_id}:rule/{finding.rule.id}",
                "ConfigRuleId": finding.rule.id,
                "ConfigRuleName": finding.rule.name,
                "RegionId": recorded.region,
                "ResourceId": finding.resource_id,
                "ResourceName": recorded.name,
                "ResourceOwnerId": account_number(recorded.owner_id),
                "ResourceType": finding.resource_type,
            },
            "OrderingTimestamp": recorded.judged_ms,
        },
        "InvokingEventMessageType": recorded.trigger,
        **_moments(recorded),
        "RemediationEnabled": False,
        "ResultRecordedTimestamp": recorded.judged_ms,
        "RiskLevel": RISK[finding.rule.risk_level],
    }


def _moments(recorded: Recorded) -> dict[str, int]:
    """When the last non-compliance began and ended, where there was one.

    "The start time of the last non-compliance": the response models of the service's Java and Go clients; that a
    resource without one has no such field is assumed.
    """
    known = {
        "LastNonCompliantRecordTimestamp": recorded.since_ms,
        "LastCompliantFixedTimestamp": recorded.fixed_ms,
    }
    return {name: value for name, value in known.items() if value is not None}
