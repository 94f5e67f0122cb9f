"""Reads the emulated buckets the way Cloud Config's snapshots do; it never changes one."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.cloudconfig.configuration import BucketConfiguration
from emulator.oss.bucket import Bucket


class OssInventory:
    """The buckets of the emulated OSS as `CloudConfig` wants to see them."""

    def __init__(self, buckets: Mapping[str, Bucket]) -> None:
        self._buckets = buckets

    def names(self) -> list[str]:
        """Every existing bucket, oldest first."""
        return list(self._buckets)

    def configuration(self, bucket: str) -> BucketConfiguration | None:
        """One bucket as it is now; None when it does not exist."""
        found = self._buckets.get(bucket)
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
