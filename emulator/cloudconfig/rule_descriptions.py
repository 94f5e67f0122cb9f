"""Rules as ListConfigRules and GetConfigRule describe them, and as their Aggregate forms do.

https://www.alibabacloud.com/help/en/cloud-config/latest/api-config-2020-09-07-listconfigrules and …-getconfigrule .
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from emulator.cloudconfig.events import account_number
from emulator.cloudconfig.paging import number
from emulator.cloudconfig.results import RISK
from emulator.cloudconfig.rules import Rule
from emulator.cloudconfig.service import CloudConfig
from emulator.cloudconfig.verdict import Compliance

_STATE = "ACTIVE"
_MOST_PAGES = 100_000_000


def listed(config: CloudConfig, query: Mapping[str, str], owners: set[str]) -> dict[str, Any]:
    """One page of the rules that fit the filters, by number of page."""
    page, size = number(query, "PageNumber", 1, high=_MOST_PAGES), number(query, "PageSize", 10)
    rules = [rule for rule in config.rules.values() if _fits(config, rule, query, owners)]
    first = (page - 1) * size
    return {
        "ConfigRuleList": [_summary(config, rule, owners) for rule in rules[first : first + size]],
        "PageNumber": page,
        "PageSize": size,
        "TotalCount": len(rules),
    }


def _fits(config: CloudConfig, rule: Rule, query: Mapping[str, str], owners: set[str]) -> bool:
    keyword = query.get("Keyword", "").lower()
    return (
        query.get("ConfigRuleName") in (None, rule.name)
        and query.get("ConfigRuleState") in (None, _STATE)
        and query.get("RiskLevel") in (None, str(RISK[rule.risk_level]))
        and query.get("ComplianceType") in (None, _compliance(config, rule, owners)["ComplianceType"])
        and rule.managed.resource_type in (query.get("ResourceTypes") or rule.managed.resource_type)
        and not query.get("CompliancePackId")
        and any(keyword in text.lower() for text in (rule.id, rule.name, rule.managed.identifier))
    )


def _compliance(config: CloudConfig, rule: Rule, owners: set[str]) -> dict[str, Any]:
    """The worst that the rule has found, and on how many resources."""
    counts = Counter(
        recorded.finding.verdict.compliance
        for recorded in config.recorded()
        if recorded.finding.rule is rule and recorded.owner_id in owners
    )
    for worst in (Compliance.NON_COMPLIANT, Compliance.COMPLIANT, Compliance.NOT_APPLICABLE):
        if counts[worst]:
            return {"ComplianceType": worst, "Count": counts[worst]}
    return {"ComplianceType": "INSUFFICIENT_DATA", "Count": 0}


def _common(config: CloudConfig, rule: Rule, owners: set[str]) -> dict[str, Any]:
    return {
        "AccountId": account_number(config.account_id),
        "Compliance": _compliance(config, rule, owners),
        "ConfigRuleArn": f"acs:config::{config.account_id}:rule/{rule.id}",
        "ConfigRuleId": rule.id,
        "ConfigRuleName": rule.name,
        "ConfigRuleState": _STATE,
        "Description": rule.managed.title,
        "ResourceTypesScope": rule.managed.resource_type,
        "RiskLevel": RISK[rule.risk_level],
    }


def _summary(config: CloudConfig, rule: Rule, owners: set[str]) -> dict[str, Any]:
    return {
        **_common(config, rule, owners),
        "SourceIdentifier": rule.managed.identifier,
        "SourceOwner": "ALIYUN",
    }


def described(config: CloudConfig, rule: Rule, owners: set[str]) -> dict[str, Any]:
    """One rule with its parameters."""
    return {
        **_common(config, rule, owners),
        "ConfigRuleTriggerTypes": "ConfigurationItemChangeNotification",
        "InputParameters": dict(rule.parameters),
        "ManagedRule": {"Identifier": rule.managed.identifier, "ManagedRuleName": rule.managed.title},
        "Scope": {"ComplianceResourceTypes": [rule.managed.resource_type]},
        "Source": {"Identifier": rule.managed.identifier, "Owner": "ALIYUN"},
    }
