"""Security groups as a kind of resource: which ids are possible, and what RAM grants on one. Pure."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from typing import ClassVar

from consumer.resources.base import ResourceKind
from consumer.resources.ecs.security_group import SecurityGroup
from consumer.resources.id_form import IdForm

_LETTERS = string.ascii_letters + string.digits
_GROUP_ID = IdForm(
    prefix="sg-",
    first=_LETTERS,
    inner=_LETTERS + "-",
    last=_LETTERS + "-",
    shortest=4,
    longest=63,
    described="a security group's id is sg-, then 1 to 60 letters, digits and hyphens, the first one no hyphen",
)
"""Wider than the ids that the service gives today, `sg-` and some twenty letters and digits."""


class SecurityGroupKind(ResourceKind):
    """`ACS::ECS::SecurityGroup`; the id is unique within a region, and the API shows an account only its own groups."""

    resource_type: ClassVar[str] = "ACS::ECS::SecurityGroup"
    noun: ClassVar[str] = "security group"
    look_actions: ClassVar[tuple[str, ...]] = ("ecs:DescribeSecurityGroups",)
    tag_actions: ClassVar[tuple[str, ...]] = ("ecs:DescribeSecurityGroups",)
    form: ClassVar[IdForm] = _GROUP_ID
    codes: ClassVar[frozenset[str]] = frozenset(
        {
            "Forbidden.RAM",
            "InvalidOperation.ResourceManagedByCloudProduct",
            "InvalidParam.SecurityGroupRuleId",
            "InvalidSecurityGroupId.NotFound",
            "Throttling",
            "Throttling.User",
            "changed_meanwhile",
            "managed_by_service",
            "no_region",
            "no_such_security_group",
            "rules_not_understood",
            "wrong_account",
        }
    )
    reads: ClassVar[Mapping[str, Callable[[SecurityGroup], object]]] = {
        "ecs:DescribeSecurityGroupAttribute": lambda group: group.ingress(),
    }

    def names(self, resource_id: str) -> bool:
        """Whether it has the form of a group's id."""
        return self.form.fits(resource_id)

    def absent(self) -> str:
        """An id that the service has not given to anybody: it makes longer ones."""
        return f"sg-check-{secrets.token_hex(8)}"

    needs_region = True
    arn_names_region = True

    def arn(self, resource_id: str) -> str:
        """https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-revokesecuritygroup"""
        return f"acs:ecs:*:*:securitygroup/{resource_id}"


SECURITY_GROUPS = SecurityGroupKind()
