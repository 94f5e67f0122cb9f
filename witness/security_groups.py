"""Security groups as the witness sees them: what each change left, and which of their rules are open to the world.

Written from the pages of the managed rules alone (sg-risky-ports-check and its neighbours). Where they leave something
open, the stricter reading is taken: IPv6, protocols without ports, and rules behind a denial count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from witness.entry import JournalEntry

GROUP_TYPE = "ACS::ECS::SecurityGroup"

_EVERYONE = frozenset({"0.0.0.0/0", "::/0"})
_OPERATIONS = frozenset(
    {
        "CreateSecurityGroup",
        "PatchSecurityGroup",
        "DeleteSecurityGroup",
        "AuthorizeSecurityGroup",
        "RevokeSecurityGroup",
    }
)

GroupRule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GroupState:
    """What rules can see of one security group."""

    resource_type: ClassVar[str] = GROUP_TYPE

    name: str
    """Its id."""
    owner_id: str
    region: str
    rules: tuple[GroupRule, ...]


def is_about_a_group(entry: JournalEntry) -> bool:
    """Whether an entry that changed something changed a security group."""
    return entry.operation in _OPERATIONS


def after(entry: JournalEntry, before: GroupState | None) -> GroupState | None:
    """The group after an entry; None while there is none."""
    if entry.operation == "CreateSecurityGroup":
        made = entry.detail["after"]
        return GroupState(entry.resource, str(made["owner_id"]), str(made["region"]), tuple(made["permissions"]))
    if entry.operation == "DeleteSecurityGroup" or before is None:
        return None
    removed = {rule["id"] for rule in entry.detail.get("removed", ())}
    kept = (rule for rule in before.rules if rule["id"] not in removed)
    return replace(before, rules=(*kept, *entry.detail.get("added", ())))


def is_closed(group: GroupState, parameters: Mapping[str, str]) -> bool:
    """Whether no ingress rule lets the world in at one of the ports."""
    return not any(is_open(rule, parameters) for rule in group.rules)


def is_open(rule: GroupRule, parameters: Mapping[str, str]) -> bool:
    """Whether one rule does."""
    sources = {rule.get("source_cidr_ip"), rule.get("ipv6_source_cidr_ip")}
    if rule.get("direction") != "ingress" or rule.get("policy") != "Accept" or not sources & _EVERYONE:
        return False
    first, _, last = str(rule.get("port_range")).partition("/")
    ports = [int(port) for port in parameters["ports"].split(",")]
    return (first, last) == ("-1", "-1") or any(int(first) <= port <= int(last) for port in ports)
