"""Buckets as a kind of resource: which names are possible, and what RAM grants on one. Pure."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from consumer.resources.base import ResourceKind
from consumer.resources.id_form import IdForm
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.settings.base import Setting
from consumer.resources.oss.settings.catalogue import catalogue
from consumer.resources.oss.settings.tags import TAGS

_EDGES = string.ascii_lowercase + string.digits
BUCKET_NAME = IdForm(
    prefix="",
    first=_EDGES,
    inner=_EDGES + "-",
    last=_EDGES,
    shortest=3,
    longest=63,
    described="a bucket's name is 3 to 63 lower-case letters, digits and hyphens, with no hyphen at either end",
)
"""The service's own rule for names: https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions"""


def _read(setting: Setting[Any], bucket: Bucket) -> object:
    return bucket.read(setting)


class BucketKind(ResourceKind):
    """`ACS::OSS::Bucket`; the id is the bucket's name, which is unique over all accounts and regions."""

    resource_type: ClassVar[str] = "ACS::OSS::Bucket"
    noun: ClassVar[str] = "bucket"
    look_actions: ClassVar[tuple[str, ...]] = ("oss:GetBucketInfo",)
    tag_actions: ClassVar[tuple[str, ...]] = (TAGS.read_action,)
    form: ClassVar[IdForm] = BUCKET_NAME
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
        setting.read_action: partial(_read, setting) for setting in catalogue().values() if setting.get
    }

    def names(self, resource_id: str) -> bool:
        """Whether it has the form of a bucket's name."""
        return self.form.fits(resource_id)

    def absent(self) -> str:
        """A name that nobody has taken but by chance."""
        return f"config-remediator-check-{secrets.token_hex(8)}"

    def arn(self, resource_id: str) -> str:
        """https://www.alibabacloud.com/help/en/oss/user-guide/ram-policy"""
        return f"acs:oss:*:*:{resource_id}"


BUCKETS = BucketKind()
