"""Security groups and their rules as the API answers them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from emulator.ecs.group import Permission, SecurityGroup


def described_rule(permission: Permission) -> dict[str, str]:
    """One rule, with empty text for whatever is not set, as the service writes it."""
    return {
        "SecurityGroupRuleId": permission.id,
        "Direction": permission.direction,
        "Policy": permission.policy,
        "IpProtocol": permission.protocol,
        "PortRange": permission.port_range,
        "PortRangeListId": permission.port_range_list_id,
        "PortRangeListName": "",
        "Priority": str(permission.priority),
        "SourceCidrIp": permission.source_cidr_ip,
        "Ipv6SourceCidrIp": permission.ipv6_source_cidr_ip,
        "SourceGroupId": permission.source_group_id,
        "SourceGroupName": "",
        "SourceGroupOwnerAccount": permission.source_group_owner_account,
        "SourcePrefixListId": permission.source_prefix_list_id,
        "SourcePrefixListName": "",
        "SourcePortRange": permission.source_port_range,
        "DestCidrIp": permission.dest_cidr_ip,
        "Ipv6DestCidrIp": permission.ipv6_dest_cidr_ip,
        "DestGroupId": "",
        "DestGroupName": "",
        "DestGroupOwnerAccount": "",
        "DestPrefixListId": "",
        "DestPrefixListName": "",
        "NicType": permission.nic_type,
        "Description": permission.description,
        "CreateTime": iso(permission.created),
    }


def described_group(group: SecurityGroup) -> dict[str, Any]:
    """What DescribeSecurityGroups says of one group."""
    return {
        "SecurityGroupId": group.id,
        "SecurityGroupName": group.name,
        "Description": group.description,
        "SecurityGroupType": group.type,
        "VpcId": group.vpc_id,
        "CreationTime": iso(group.created),
        "EcsCount": 0,
        "AvailableInstanceAmount": 0,
        "ResourceGroupId": "",
        "ServiceManaged": group.managed,
        "Tags": {"Tag": [{"TagKey": key, "TagValue": value} for key, value in group.tags.items()]},
        "RuleCount": len(group.permissions),
        "GroupToGroupRuleCount": sum(1 for each in group.permissions.values() if each.source_group_id),
    }


def iso(seconds: float) -> str:
    """A moment as ECS writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
