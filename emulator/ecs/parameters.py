"""Rules as a request writes them: `Permissions.1.IpProtocol` and the like, or the older form without the prefix.

What is checked, and how it is refused, stands on the pages of AuthorizeSecurityGroup and RevokeSecurityGroup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network

from emulator.ecs.codes import Ecs
from emulator.ecs.group import Permission
from emulator.refusal import Refusal

MOST_RULES = 100
"""In one request."""
_PREFIXED = re.compile(r"Permissions\.([1-9][0-9]{0,3})\.([A-Za-z0-9]+)", re.ASCII)
_RULE_ID = re.compile(r"SecurityGroupRuleId\.([1-9][0-9]{0,3})", re.ASCII)
_OLDER = re.compile(
    "Policy|Priority|IpProtocol|PortRange|SourcePortRange|NicType|Description|DestCidrIp|Ipv6DestCidrIp"
    "|SourceCidrIp|Ipv6SourceCidrIp|SourcePrefixListId|SourceGroupId|SourceGroupOwnerAccount|SourceGroupOwnerId"
)
_PROTOCOLS = frozenset({"TCP", "UDP", "ICMP", "ICMPV6", "GRE", "ALL"})
_WITH_PORTS = frozenset({"TCP", "UDP"})
_LONGEST_DESCRIPTION = 512

Fields = Mapping[str, str]


def rule_ids(given: Fields) -> list[str]:
    """`SecurityGroupRuleId.N`, in the order of N."""
    found = sorted((int(match[1]), name) for name in given if (match := _RULE_ID.fullmatch(name)))
    return [given[name] for _, name in found]


def permissions(given: Fields) -> list[Permission]:
    """The rules that a request describes; none when it describes none.

    Raises:
        Refusal: a rule is not one, or both forms are used.
    """
    numbered: dict[int, dict[str, str]] = {}
    for name, value in given.items():
        if match := _PREFIXED.fullmatch(name):
            numbered.setdefault(int(match[1]), {})[match[2]] = value
    older = {name: value for name, value in given.items() if _OLDER.fullmatch(name) and value}
    if numbered and older:
        raise Refusal(Ecs.TOGETHER)
    if len(numbered) > MOST_RULES:
        raise Refusal(Ecs.TOO_MANY)
    if older:
        return [_permission(older, "")]
    found = [_permission(fields, f"Permissions.{number}.") for number, fields in sorted(numbered.items())]
    if any(one.same_rule(other) for place, one in enumerate(found) for other in found[:place]):
        raise Refusal(Ecs.TWICE)
    return found


def _permission(fields: Fields, prefix: str) -> Permission:
    protocol = fields.get("IpProtocol", "").upper()
    if protocol not in _PROTOCOLS and not (protocol.isascii() and protocol.isdecimal() and int(protocol) < 256):
        raise Refusal(Ecs.PROTOCOL, f"{prefix}IpProtocol")
    policy = fields.get("Policy", "accept").capitalize()
    if policy not in ("Accept", "Drop"):
        raise Refusal(Ecs.POLICY, f"{prefix}Policy")
    description = fields.get("Description", "")
    if len(description) > _LONGEST_DESCRIPTION:
        raise Refusal(Ecs.DESCRIPTION)
    nic_type = fields.get("NicType", "intranet")
    if nic_type not in ("intranet", "internet"):
        raise Refusal(Ecs.NIC_TYPE)
    return replace(
        _source(fields, prefix),
        policy=policy,
        protocol=protocol,
        port_range=_ports(fields, protocol, prefix),
        port_range_list_id="" if fields.get("PortRange") else fields.get("PortRangeListId", ""),
        priority=_priority(fields.get("Priority", "1"), prefix),
        source_port_range=_source_ports(fields.get("SourcePortRange", "")),
        dest_cidr_ip=_network(fields.get("DestCidrIp", ""), IPv4Network, Ecs.DEST_CIDR, f"{prefix}DestCidrIp"),
        ipv6_dest_cidr_ip=_network(
            fields.get("Ipv6DestCidrIp", ""), IPv6Network, Ecs.IPV6_DEST, f"{prefix}Ipv6DestCidrIp"
        ),
        nic_type=nic_type,
        description=description,
    )


def _source(fields: Fields, prefix: str) -> Permission:
    """With the one source that counts: an address before a group, a group before a prefix list."""
    ipv4, ipv6 = fields.get("SourceCidrIp", ""), fields.get("Ipv6SourceCidrIp", "")
    if ipv4 and ipv6:
        raise Refusal(Ecs.BOTH_SOURCES, prefix.rstrip(".") or "the request")
    if ipv4:
        return Permission(source_cidr_ip=_network(ipv4, IPv4Network, Ecs.SOURCE_CIDR, f"{prefix}SourceCidrIp"))
    if ipv6:
        return Permission(ipv6_source_cidr_ip=_network(ipv6, IPv6Network, Ecs.IPV6_SOURCE, f"{prefix}Ipv6SourceCidrIp"))
    if group := fields.get("SourceGroupId"):
        return Permission(source_group_id=group, source_group_owner_account=fields.get("SourceGroupOwnerAccount", ""))
    if prefix_list := fields.get("SourcePrefixListId"):
        return Permission(source_prefix_list_id=prefix_list)
    raise Refusal(Ecs.NO_SOURCE, prefix.rstrip(".") or "the request")


def _network(text: str, network: Callable[[str], IPv4Network | IPv6Network], refused: Ecs, name: str) -> str:
    """An address or a block, as it was written."""
    try:
        if text:
            network(text)
    except ValueError:
        raise Refusal(refused, name) from None
    return text


def _ports(fields: Fields, protocol: str, prefix: str) -> str:
    text = fields.get("PortRange", "")
    if not text and fields.get("PortRangeListId"):
        return ""
    if not text:
        raise Refusal(Ecs.NO_PORTS)
    if protocol not in _WITH_PORTS and text == "-1/-1":
        return text
    first, slash, last = text.partition("/")
    if not slash or not all(part.isascii() and part.isdecimal() and len(part) < 6 for part in (first, last)):
        raise Refusal(Ecs.PORTS, f"{prefix}PortRange")
    if protocol not in _WITH_PORTS or not 1 <= int(first) <= int(last) <= 65_535:
        raise Refusal(Ecs.PORTS, f"{prefix}PortRange")
    return text


def _source_ports(text: str) -> str:
    if text and not re.fullmatch(r"-1/-1|[0-9]{1,5}/[0-9]{1,5}", text, re.ASCII):
        raise Refusal(Ecs.SOURCE_PORTS)
    return text


def _priority(text: str, prefix: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 100):
        raise Refusal(Ecs.PRIORITY, f"{prefix}Priority")
    return int(text)
