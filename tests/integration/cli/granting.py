"""What a RAM policy grants, what requests need, and rules for both."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from consumer.resources.ram_actions import actions_of
from tests.integration.ecs.test_worker import RULE as GROUP_RULE
from tests.integration.remediations.cases import ALL
from tests.integration.remediations.workbench import Case

REEVALUATE = """
[reevaluate]
enabled = true
wait_for_agreement = true

[catch_up]
aggregator_id = "ca-1"

[announce]
topic = "announcements"

[canary]
bucket = "the-canary"
"""
"""Everything that is asked besides the queues and the resources."""
ZRS = Case("oss.zrs", {}, "oss-zrs-enabled", options={"acknowledge_one_way_and_cost": True})


def granted(policy: dict[str, Any], resource: str = "*") -> set[str]:
    """The actions that a policy allows on resources of that pattern."""
    return {
        action
        for statement in policy["Statement"]
        for action in statement["Action"]
        if any(fnmatchcase(each, resource) for each in statement["Resource"])
    }


def needed(operations: set[tuple[str, str]]) -> set[str]:
    """The actions behind requests, by service and operation."""
    return {action for service, operation in operations for action in actions_of(service, operation)}


def rule(case: Case, mode: str = "enforce") -> str:
    """A rule that runs the case's remediation for every event."""
    lines = [f"{key} = {_toml(value)}" for key, value in case.options.items()]
    head = f'\n[[rules]]\nname = "the-rule"\nremediation = "{case.remediation}"\nmode = "{mode}"\nrule_names = ["*"]\n'
    return head + "".join(f"options.{line}\n" for line in lines)


def every_rule() -> str:
    """One rule for each remediation."""
    buckets = (rule(case).replace("the-rule", f"rule-{number}") for number, case in enumerate([*ALL, ZRS]))
    return "".join(buckets) + GROUP_RULE


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = "{entry}"' for key, entry in value.items()) + "}"
    return {True: "true", False: "false"}.get(value, "") if isinstance(value, bool) else repr(value)
