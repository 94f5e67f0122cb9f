"""What a remediation may ask of one security group: a protocol over immutable records, no SDK in sight.

`consumer.aliyun.ecs.client` implements it. Every method may raise `consumer.core.errors.ServiceError`; transient
failures have been retried by then, as far as the delivery's work budget allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.core.errors import PermanentError
from consumer.resources.base import Identity, Target


class NoSuchRule(PermanentError):
    """One of the rules that were to be revoked does not exist, or not any more; none was revoked."""

    resource_alone = True


@dataclass(frozen=True, slots=True)
class IngressRule:
    """One ingress rule of a group, without its id: the service gives the same rule a new one each time it is made.

    Texts are as the service writes them, empty where nothing is set.
    https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describesecuritygroupattribute
    """

    policy: str
    """`Accept` or `Drop`."""
    protocol: str
    """`TCP`, `UDP`, `ICMP`, `ICMPV6`, `GRE`, `ALL`, or in some regions a number."""
    ports: str = ""
    """`22/22`; `-1/-1` is every port, or a protocol without ports."""
    port_list: str = ""
    """The id of a list of ports that stands for `ports`."""
    priority: str = "1"
    source: str = ""
    """An IPv4 block or address."""
    ipv6_source: str = ""
    source_group: str = ""
    source_group_owner: str = ""
    source_prefix_list: str = ""
    source_ports: str = ""
    destination: str = ""
    ipv6_destination: str = ""
    nic_type: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class ListedRule:
    """A rule as a group has it now."""

    rule_id: str
    rule: IngressRule


@dataclass(frozen=True, slots=True)
class GroupInfo(Identity):
    """The live group, as DescribeSecurityGroups shows it, and the account whose credentials were used.

    The API does not say whose a group is: it shows nobody else's, so the owner is the account that signed the request,
    which STS names. The incarnation is the creation time, ISO 8601 in UTC.
    """

    managed: bool
    """Whether a cloud service made the group for itself. Its rules can be read and not changed:
    https://www.alibabacloud.com/help/en/ecs/user-guide/managed-security-groups"""


class SecurityGroup(Target[GroupInfo], Protocol):
    """One security group, for one delivery."""

    def ingress(self) -> tuple[ListedRule, ...]:
        """Every ingress rule, read anew each time."""
        ...

    def prefix_list(self, list_id: str) -> tuple[str, ...]:
        """DescribePrefixListAttributes: the address blocks that a prefix list stands for."""
        ...

    def revoke(self, rule_ids: Sequence[str]) -> None:
        """RevokeSecurityGroup, as many at once as the service takes.

        Raises:
            NoSuchRule: one of them is not there; those that were revoked at once with it still are.
        """
        ...

    def authorize(self, rules: Sequence[IngressRule]) -> None:
        """AuthorizeSecurityGroup; a rule that is there already is not added again."""
        ...
