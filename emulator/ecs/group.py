"""A security group and its rules, as values; no checks and no wire formats."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

INGRESS, EGRESS = "ingress", "egress"


@dataclass(frozen=True, slots=True)
class Permission:
    """One rule of a group; the API calls it a permission. Empty text: not set."""

    id: str = ""
    direction: str = INGRESS
    policy: str = "Accept"
    """`Accept` or `Drop`."""
    protocol: str = "TCP"
    """Upper case, or a number from 0 to 255."""
    port_range: str = "-1/-1"
    """`22/22`; `-1/-1` is every port, or a protocol without ports."""
    port_range_list_id: str = ""
    priority: int = 1
    """1 to 100, the smaller the earlier."""
    source_cidr_ip: str = ""
    ipv6_source_cidr_ip: str = ""
    source_group_id: str = ""
    source_group_owner_account: str = ""
    source_prefix_list_id: str = ""
    source_port_range: str = ""
    dest_cidr_ip: str = ""
    ipv6_dest_cidr_ip: str = ""
    nic_type: str = "intranet"
    description: str = ""
    created: float = 0.0
    """Seconds since the epoch."""

    def same_rule(self, other: Permission) -> bool:
        """Whether both are one rule to the service, which neither priority nor description tells apart.

        The page of AuthorizeSecurityGroup lists the parameters that determine a rule.
        """
        return _determining(self) == _determining(other)

    def as_json(self) -> dict[str, Any]:
        """What is set, for the journal and the control port."""
        return {name: value for name, value in asdict(self).items() if value != ""}


def _determining(permission: Permission) -> Permission:
    return replace(permission, id="", priority=1, description="", created=0.0)


@dataclass(frozen=True, slots=True)
class PrefixList:
    """Address blocks under one id, which rules may name as their source."""

    id: str
    owner_id: str
    region: str
    blocks: tuple[str, ...]


@dataclass(slots=True)
class SecurityGroup:
    """One security group."""

    id: str
    name: str
    owner_id: str
    region: str
    created: float
    vpc_id: str = "vpc-emulated"
    type: str = "normal"
    """`normal` or `enterprise`."""
    managed: bool = False
    """Whether a cloud service made it for itself: its owner may look and not touch."""
    description: str = ""
    inner_access_policy: str = "Accept"
    tags: dict[str, str] = field(default_factory=dict)
    permissions: dict[str, Permission] = field(default_factory=dict)
    """By rule id, in the order in which they were added."""

    def as_json(self) -> dict[str, Any]:
        """Everything, for the control port."""
        return {
            **{name: value for name, value in asdict(self).items() if name != "permissions"},
            "permissions": [each.as_json() for each in self.permissions.values()],
        }
