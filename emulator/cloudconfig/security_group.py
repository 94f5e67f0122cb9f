"""One security group as Cloud Config sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from emulator.cloudconfig.configuration import SECURITY_GROUP


@dataclass(frozen=True, slots=True)
class GroupRule:
    """What the managed rules can see of one rule of a group."""

    ingress: bool
    accepts: bool
    """Whether it lets traffic in; otherwise it drops it."""
    protocol: str
    """`TCP`, `UDP`, `ICMP`, `GRE`, `ALL` or a number."""
    ports: tuple[int, int] | None
    """First and last; None: every port, or a protocol without ports."""
    source: str
    """The IPv4 block; empty when the source is something else."""
    priority: int
    described: dict[str, str]
    """As the snapshot shows it."""


@dataclass(frozen=True, slots=True)
class GroupConfiguration:
    """What the managed rules can see of one security group."""

    resource_type: ClassVar[str] = SECURITY_GROUP

    id: str
    name: str
    owner_id: str
    region: str
    created: float
    vpc_id: str = ""
    managed: bool = False
    tags: tuple[tuple[str, str], ...] = ()
    rules: tuple[GroupRule, ...] = ()

    @property
    def arn(self) -> str:
        """As in RAM policies."""
        return f"acs:ecs:{self.region}:{self.owner_id}:securitygroup/{self.id}"

    def as_snapshot(self) -> dict[str, Any]:
        """The `configuration` of a resource change message; assumed to be what the ECS API says of the group."""
        return {
            "SecurityGroupId": self.id,
            "SecurityGroupName": self.name,
            "RegionId": self.region,
            "VpcId": self.vpc_id,
            "ServiceManaged": self.managed,
            "Permissions": {"Permission": [rule.described for rule in self.rules]},
            "Tags": {"Tag": [{"TagKey": key, "TagValue": value} for key, value in self.tags]},
        }
