"""Reads the emulated buckets and security groups the way Cloud Config's snapshots do; it never changes one."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.cloudconfig.configuration import BucketConfiguration
from emulator.cloudconfig.security_group import GroupConfiguration, GroupRule
from emulator.ecs.descriptions import described_rule
from emulator.ecs.group import INGRESS, Permission, SecurityGroup
from emulator.oss.bucket import Bucket


class OssInventory:
    """The buckets of the emulated OSS as `CloudConfig` wants to see them."""

    def __init__(self, buckets: Mapping[str, Bucket]) -> None:
        self._buckets = buckets

    def names(self) -> list[str]:
        """Every existing bucket, oldest first."""
        return list(self._buckets)

    def configuration(self, resource_id: str) -> BucketConfiguration | None:
        """One bucket as it is now; None when it does not exist."""
        found = self._buckets.get(resource_id)
        return None if found is None else snapshot(found)


def snapshot(bucket: Bucket) -> BucketConfiguration:
    """What the rules can see of this bucket."""
    return BucketConfiguration(
        name=bucket.name,
        owner_id=bucket.owner_id,
        region=bucket.region,
        created=bucket.created,
        acl=bucket.acl,
        policy=bucket.policy,
        sse_algorithm=bucket.encryption.algorithm if bucket.encryption else None,
        kms_key_id=bucket.encryption.kms_key_id if bucket.encryption else None,
        versioning=bucket.versioning,
        log_bucket=bucket.logging.target_bucket if bucket.logging else None,
        log_prefix=bucket.logging.target_prefix if bucket.logging else "",
        allow_empty_referer=bucket.referer.allow_empty,
        referers=bucket.referer.allowed,
        tls_enabled=bucket.https_config.tls_enabled,
        tls_versions=bucket.https_config.tls_versions,
        redundancy=bucket.redundancy,
        tags=tuple(bucket.tagging.items()),
    )


class EcsInventory:
    """The security groups of the emulated ECS as `CloudConfig` wants to see them."""

    def __init__(self, groups: Mapping[str, SecurityGroup]) -> None:
        self._groups = groups

    def names(self) -> list[str]:
        """The id of every existing group, oldest first."""
        return list(self._groups)

    def configuration(self, resource_id: str) -> GroupConfiguration | None:
        """One group as it is now; None when it does not exist."""
        found = self._groups.get(resource_id)
        return None if found is None else group_snapshot(found)


def group_snapshot(group: SecurityGroup) -> GroupConfiguration:
    """What the rules can see of this group."""
    return GroupConfiguration(
        id=group.id,
        name=group.name,
        owner_id=group.owner_id,
        region=group.region,
        created=group.created,
        vpc_id=group.vpc_id,
        managed=group.managed,
        tags=tuple(group.tags.items()),
        rules=tuple(_rule(permission) for permission in group.permissions.values()),
    )


def _rule(permission: Permission) -> GroupRule:
    first, _, last = permission.port_range.partition("/")
    ports = (int(first), int(last)) if first.isdecimal() and last.isdecimal() else None
    return GroupRule(
        ingress=permission.direction == INGRESS,
        accepts=permission.policy == "Accept",
        protocol=permission.protocol,
        # A list of ports has no range, and no page says whether it is looked into: assumed to be no port.
        ports=(0, -1) if permission.port_range_list_id else ports,
        source=permission.source_cidr_ip,
        priority=permission.priority,
        described=described_rule(permission),
    )
