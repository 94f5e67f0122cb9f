"""What is read from the answers of ECS, each field checked once: an answer that says less is damaged, never guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from consumer.aliyun.openapi import text
from consumer.core.errors import DamagedReply
from consumer.resources.ecs.security_group import IngressRule, ListedRule

FIELDS: Mapping[str, str] = {
    "policy": "Policy",
    "protocol": "IpProtocol",
    "ports": "PortRange",
    "port_list": "PortRangeListId",
    "priority": "Priority",
    "source": "SourceCidrIp",
    "ipv6_source": "Ipv6SourceCidrIp",
    "source_group": "SourceGroupId",
    "source_group_owner": "SourceGroupOwnerAccount",
    "source_prefix_list": "SourcePrefixListId",
    "source_ports": "SourcePortRange",
    "destination": "DestCidrIp",
    "ipv6_destination": "Ipv6DestCidrIp",
    "nic_type": "NicType",
    "description": "Description",
}
"""The fields of a rule, and what the service calls them in its answers and in requests."""


def listed(answer: Mapping[str, Any], operation: str, outer: str, inner: str) -> list[Mapping[str, Any]]:
    """The objects of a list, which stands in an object of its own: `{"Permissions": {"Permission": […]}}`."""
    around = answer.get(outer)
    found = around.get(inner) if isinstance(around, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise DamagedReply("ecs", operation, "damaged_reply", f"the answer has no list {outer}.{inner}")
    return found


def ingress_rules(answer: Mapping[str, Any], operation: str) -> Iterator[ListedRule]:
    """The rules of one page.

    Raises:
        DamagedReply: one of them has no id or is not of the requested direction.
    """
    for each in listed(answer, operation, "Permissions", "Permission"):
        rule_id = text(each, "SecurityGroupRuleId")
        if not rule_id or text(each, "Direction") != "ingress":
            raise DamagedReply("ecs", operation, "damaged_reply", "a rule has no id or is not an ingress rule")
        rule = IngressRule(**{name: _text(each, called, operation) for name, called in FIELDS.items()})
        yield ListedRule(rule_id, rule)


def requested(rule: IngressRule) -> dict[str, str]:
    """A rule as AuthorizeSecurityGroup takes it: what is not set is left out, and the policy is in lower case."""
    written = {called: value for name, called in FIELDS.items() if (value := str(getattr(rule, name)))}
    return {**written, "Policy": rule.policy.lower()}


def blocks(answer: Mapping[str, Any], operation: str) -> tuple[str, ...]:
    """The address blocks of a prefix list.

    Raises:
        DamagedReply: an entry has none.
    """
    found = tuple(text(each, "Cidr") for each in listed(answer, operation, "Entries", "Entry"))
    if not all(found):
        raise DamagedReply("ecs", operation, "damaged_reply", "an entry of the prefix list has no address block")
    return found


def tags(group: Mapping[str, Any], operation: str) -> dict[str, str]:
    """The tags of a group; one without any may come without the list."""
    if not group.get("Tags"):
        return {}
    return {text(each, "TagKey"): text(each, "TagValue") for each in listed(group, operation, "Tags", "Tag")}


def _text(each: Mapping[str, Any], name: str, operation: str) -> str:
    """A field of a rule, which may be left out but not be anything else than a text or a number."""
    found = each.get(name)
    if found is None:
        return ""
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise DamagedReply("ecs", operation, "damaged_reply", f"{name} of a rule is no text")
    return str(found)
