"""Buckets as a kind of resource: which names are possible, and what RAM grants on one. Pure."""

from __future__ import annotations

import re
from typing import ClassVar

from consumer.resources.base import ResourceKind

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII)
"""The service's own rule for names: https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions"""


class BucketKind(ResourceKind):
    """`ACS::OSS::Bucket`; the id is the bucket's name, which is unique over all accounts and regions."""

    resource_type: ClassVar[str] = "ACS::OSS::Bucket"
    noun: ClassVar[str] = "bucket"
    look_actions: ClassVar[tuple[str, ...]] = ("oss:GetBucketInfo",)
    tag_actions: ClassVar[tuple[str, ...]] = ("oss:GetBucketTagging",)

    def names(self, resource_id: str) -> bool:
        """Whether it has the form of a bucket's name."""
        return BUCKET_NAME.fullmatch(resource_id) is not None

    def arn(self, resource_id: str) -> str:
        """https://www.alibabacloud.com/help/en/oss/user-guide/ram-policy"""
        return f"acs:oss:*:*:{resource_id}"


BUCKETS = BucketKind()
