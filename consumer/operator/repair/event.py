"""The event that stands for a person's wish, in the evaluator's form: the pipeline treats it as any other. Pure.

It has what the named rule selects by: the first of its config rule ids or source identifiers, or a display name that
fits its patterns, and the first of its risk levels. About the resource it says what the person says, of which nothing
is believed before a look. Its time is now, so it is newer than every event that is under way.

The form is that of https://www.alibabacloud.com/help/en/cloud-config/latest/events-example-of-resource-non-compliance-events
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase

from consumer.core.errors import ConfigurationError
from consumer.guards.rule import Rule, Selector

BY_HAND = "repair-by-hand"
"""The config rule id where the rule selects by none, which no id of the service can be: those begin with `cr-`."""

_WILD = re.compile(r"\[(!?)(\]?[^\]]*)\]|\*|\?")


def body(rule: Rule, *, resource_id: str, account_id: str, region: str, at_ms: int) -> str:
    """The body of a message that asks a rule to repair a resource.

    Raises:
        ConfigurationError: no display name fits the rule's patterns.
    """
    selector = rule.selector
    by_id = bool(selector.config_rule_ids)
    by_name = not by_id and not selector.source_identifiers and bool(selector.rule_names)
    qualifier = {
        "configRuleId": min(selector.config_rule_ids) if by_id else BY_HAND,
        "configRuleName": _display_name(rule.name, selector) if by_name else "",
        "sourceIdentifier": min(selector.source_identifiers, default="") if not by_id else "",
        "resourceType": rule.remediation.kind.resource_type,
        "resourceId": resource_id,
        "regionId": region,
        "resourceOwnerId": account_id,
    }
    return json.dumps(
        {
            "eventType": "ResourceCompliance",
            "eventName": "NonCompliant",
            "complianceType": "NON_COMPLIANT",
            "riskLevel": min(selector.risk_levels, default=""),
            "accountId": account_id,
            "notificationCreationTime": at_ms,
            "evaluationResultIdentifier": {"orderingTimestamp": at_ms, "evaluationResultQualifier": qualifier},
        }
    )


def _display_name(rule: str, selector: Selector) -> str:
    for pattern in selector.rule_names:
        name = _WILD.sub(_one_of, pattern)
        if fnmatchcase(name, pattern):
            return name
    raise ConfigurationError(f"rule {rule}: no event can be made for its rule_names; give it config_rule_ids as well")


def _one_of(found: re.Match[str]) -> str:
    """A text that a part of a shell pattern takes."""
    if found[0] in ("*", "?"):
        return "" if found[0] == "*" else "x"
    negated, members = found[1], found[2]
    if not negated:
        return members[0]
    return next((character for character in "xyz0123456789abcdefghijklmnopqrstuvw" if character not in members), "")
