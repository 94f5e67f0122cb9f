"""Buckets as a kind of resource: which names are possible, and what RAM grants on one. Pure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import ClassVar

from consumer.resources.base import ResourceKind
from consumer.resources.oss.bucket import Bucket

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII)
"""The service's own rule for names: https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions"""


class BucketKind(ResourceKind):
    """`ACS::OSS::Bucket`; the id is the bucket's name, which is unique over all accounts and regions."""

    resource_type: ClassVar[str] = "ACS::OSS::Bucket"
    noun: ClassVar[str] = "bucket"
    look_actions: ClassVar[tuple[str, ...]] = ("oss:GetBucketInfo",)
    tag_actions: ClassVar[tuple[str, ...]] = ("oss:GetBucketTagging",)
    codes: ClassVar[frozenset[str]] = frozenset(
        {
            # reasons for which a person has to look
            "acl_not_understood",
            "encryption_not_understood",
            "logs_into_itself",
            "policy_not_understood",
            "redundancy_not_understood",
            "source_ip_without_vpc",
            "tag_value_differs",
            "wrong_bucket",
            # https://www.alibabacloud.com/help/en/oss/developer-reference/error-responses
            "BucketBusy",
            "BucketNotEmpty",
            "NoSuchBucket",
        }
    )
    reads: ClassVar[Mapping[str, Callable[[Bucket], object]]] = {
        "oss:GetBucketPolicy": lambda bucket: bucket.policy(),
        "oss:GetBucketPublicAccessBlock": lambda bucket: bucket.public_access_block(),
        "oss:GetBucketEncryption": lambda bucket: bucket.encryption(),
        "oss:GetBucketVersioning": lambda bucket: bucket.versioning(),
        "oss:GetBucketLogging": lambda bucket: bucket.logging(),
        "oss:GetBucketReferer": lambda bucket: bucket.referer(),
        "oss:GetBucketHttpsConfig": lambda bucket: bucket.https_config(),
        "oss:GetBucketTagging": lambda bucket: bucket.tags(),
        "oss:ListBucketDataRedundancyTransition": lambda bucket: bucket.transitions(),
    }

    def names(self, resource_id: str) -> bool:
        """Whether it has the form of a bucket's name."""
        return BUCKET_NAME.fullmatch(resource_id) is not None

    def absent(self) -> str:
        """A name that nobody has taken but by chance."""
        return f"config-remediator-check-{secrets.token_hex(8)}"

    def arn(self, resource_id: str) -> str:
        """https://www.alibabacloud.com/help/en/oss/user-guide/ram-policy"""
        return f"acs:oss:*:*:{resource_id}"


BUCKETS = BucketKind()
