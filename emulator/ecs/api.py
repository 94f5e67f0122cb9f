"""The operations on security groups, each from its own page of the ECS API reference.

A caller sees its own account's groups of the region that the request names, and no others: any
other group does not exist. https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-overview
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from emulator.ecs import paging, parameters
from emulator.ecs.call import EcsCall
from emulator.ecs.codes import Ecs
from emulator.ecs.descriptions import described_group, described_rule
from emulator.ecs.group import EGRESS, INGRESS, Permission, SecurityGroup
from emulator.refusal import Refusal

VERSION = "2014-05-26"
MOST_RULES_OF_A_GROUP = 200
"""By default; AuthorizeSecurityGroup refuses more, those that were made over the control port count."""


def describe_security_group_attribute(call: EcsCall) -> dict[str, Any]:
    """The rules of one group, page by page: by default 500, from 10 to 1,000 each."""
    group, given = call.group(), call.given
    direction = given.get("Direction", "all")
    if direction not in (INGRESS, EGRESS, "all"):
        raise Refusal(Ecs.PARAMETER)
    if given.get("NicType", "intranet") not in ("intranet", "internet"):
        raise Refusal(Ecs.NIC_TYPE)
    if given.get("Attribute", "snapshotPolicyIds") != "snapshotPolicyIds":
        raise Refusal(Ecs.ATTRIBUTE)
    size, after = paging.size(given, 500, 10, 1_000, Ecs.PARAMETER), paging.after(given, Ecs.PARAMETER)
    found = sorted((each for each in group.permissions.values() if direction in ("all", each.direction)), key=_place)
    page, token = paging.page(found, after, size, _place)
    call.read(group.id, rules=len(page))
    return {
        "RegionId": group.region,
        "SecurityGroupId": group.id,
        "SecurityGroupName": group.name,
        "Description": group.description,
        "VpcId": group.vpc_id,
        "InnerAccessPolicy": group.inner_access_policy,
        "Permissions": {"Permission": [described_rule(each) for each in page]},
        "NextToken": token,
    }


def describe_security_groups(call: EcsCall) -> dict[str, Any]:
    """The caller's groups, page by page: by default 10, up to 100 each."""
    given, wanted = call.given, call.wanted_ids()
    if given.get("SecurityGroupType", "normal") not in ("normal", "enterprise"):
        raise Refusal(Ecs.GROUP_TYPE)
    size, after = paging.size(given, 10, 1, 100, Ecs.MOST_RESULTS), paging.after(given, Ecs.TOKEN)
    found = [
        each
        for each in sorted(call.visible(), key=lambda each: each.id)
        if (wanted is None or each.id in wanted)
        and given.get("SecurityGroupType") in (None, each.type)
        and given.get("VpcId") in (None, each.vpc_id)
        and given.get("SecurityGroupName") in (None, each.name)
        and given.get("ServiceManaged", "").lower() in ("", str(each.managed).lower())
    ]
    page, token = paging.page(found, after, size, lambda each: each.id)
    call.read(given.get("SecurityGroupId", ""), groups=len(page))
    return {
        "RegionId": given["RegionId"],
        "SecurityGroups": {"SecurityGroup": [described_group(each) for each in page]},
        "NextToken": token,
    }


def _place(permission: Permission) -> str:
    """The order of a group's rules: by age, so that pages stay what they were while rules come and go."""
    return f"{permission.created:020.6f} {permission.id}"


def describe_prefix_list_attributes(call: EcsCall) -> dict[str, Any]:
    """The address blocks of one prefix list."""
    found = call.prefix_list()
    call.read(found.id)
    return {
        "PrefixListId": found.id,
        "PrefixListName": found.id,
        "AddressFamily": "IPv6" if any(":" in block for block in found.blocks) else "IPv4",
        "MaxEntries": 200,
        "Entries": {"Entry": [{"Cidr": block, "Description": ""} for block in found.blocks]},
    }


def authorize_security_group(call: EcsCall) -> dict[str, Any]:
    """Add ingress rules; what is there already is not added again, and is no error."""
    group, added = call.changeable(), []
    wanted = parameters.permissions(call.given)
    if not wanted:
        raise Refusal(Ecs.PROTOCOL, "IpProtocol")
    present = list(group.permissions.values())
    new = [each for each in wanted if not any(each.same_rule(other) for other in present)]
    if len(present) + len(new) > MOST_RULES_OF_A_GROUP:
        raise Refusal(Ecs.LIMIT)
    for permission in new:
        made = replace(permission, id=new_rule_id(), created=call.world.clock.now())
        group.permissions[made.id] = made
        added.append(made)
    if added:
        call.wrote(group, added=[each.as_json() for each in added])
    return {}


def revoke_security_group(call: EcsCall) -> dict[str, Any]:
    """Remove ingress rules by their ids or by what they say; all of them or none."""
    group = call.changeable()
    ids, described = parameters.rule_ids(call.given), parameters.permissions(call.given)
    if ids and described:
        raise Refusal(Ecs.TOGETHER)
    removed = _by_id(group, ids) if ids else _by_description(group, described)
    for permission in removed:
        del group.permissions[permission.id]
    call.wrote(group, removed=[each.as_json() for each in removed])
    return {}


def _by_id(group: SecurityGroup, ids: list[str]) -> list[Permission]:
    if len(set(ids)) < len(ids):
        raise Refusal(Ecs.RULE_ID_TWICE)
    found = [group.permissions.get(each) for each in ids]
    if len(ids) > parameters.MOST_RULES or not all(each and each.direction == INGRESS for each in found):
        # The page's note of July 2024: a rule that does not exist is refused by this code.
        raise Refusal(Ecs.RULE_ID)
    return [each for each in found if each is not None]


def _by_description(group: SecurityGroup, described: list[Permission]) -> list[Permission]:
    if not described:
        raise Refusal(Ecs.PROTOCOL, "IpProtocol")
    found = [each for each in group.permissions.values() if any(each.same_rule(other) for other in described)]
    if not found:
        raise Refusal(Ecs.NO_RULE)
    return found


def new_rule_id() -> str:
    """An id that no rule ever had."""
    return f"sgr-bp1{secrets.token_hex(9)[:17]}"


ACTIONS: Mapping[str, Callable[[EcsCall], dict[str, Any]]] = {
    "DescribeSecurityGroupAttribute": describe_security_group_attribute,
    "DescribeSecurityGroups": describe_security_groups,
    "DescribePrefixListAttributes": describe_prefix_list_attributes,
    "AuthorizeSecurityGroup": authorize_security_group,
    "RevokeSecurityGroup": revoke_security_group,
}
