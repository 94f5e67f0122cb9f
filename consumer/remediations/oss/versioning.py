"""Repairs a bucket that keeps no earlier versions of its objects."""

from __future__ import annotations

from typing import ClassVar

from consumer.remediations.base import Change, Options
from consumer.remediations.oss._setting import Notation, SettingRepair
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.settings.versioning import VERSIONING

ENABLED = "Enabled"
SUSPENDED = "Suspended"


class VersioningOptions(Options):
    """`oss.versioning` has no settings."""


class BucketVersioning(SettingRepair[str]):
    """PutBucketVersioning: https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketversioning"""

    name: ClassVar[str] = "oss.versioning"
    summary: ClassVar[str] = "switches versioning on"
    repairs: ClassVar[tuple[str, ...]] = ("oss-bucket-versioning-enabled",)
    reversible: ClassVar[str] = "in part: it is suspended, for it can never be unset; versions kept meanwhile stay"
    one_way: ClassVar[bool] = True
    may_break: ClassVar[str] = "nothing, but every overwritten or deleted object goes on costing storage"
    actions: ClassVar[tuple[str, ...]] = (VERSIONING.read_action, VERSIONING.write_action)

    Options: ClassVar[type[VersioningOptions]] = VersioningOptions
    notation: ClassVar[Notation[str]] = Notation(str)

    def read(self, bucket: Bucket) -> str:
        """The status, empty where it was never set."""
        return bucket.read(VERSIONING)

    def wanted(self, state: str) -> str:  # noqa: ARG002 - whatever it is, it should be on
        """On."""
        return ENABLED

    def write(self, bucket: Bucket, state: str) -> None:
        """Set the status."""
        bucket.write(VERSIONING, state)

    def revert(self, bucket: Bucket, change: Change) -> None:  # noqa: ARG002 - suspended is all that can be had
        """Suspend it, whether it was suspended or unset before."""
        bucket.write(VERSIONING, SUSPENDED)
