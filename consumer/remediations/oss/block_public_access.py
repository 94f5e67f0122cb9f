"""Switches Block Public Access on, which closes a bucket whatever its ACL and policy say."""

from __future__ import annotations

from typing import ClassVar

from consumer.remediations.base import Change
from consumer.remediations.oss._public_access import PublicAccessOptions, PublicAccessRepair
from consumer.remediations.oss._setting import Notation, SettingRepair
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.settings.policy import POLICY
from consumer.resources.oss.settings.public_access_block import PUBLIC_ACCESS_BLOCK


class BlockPublicAccessOptions(PublicAccessOptions):
    """Settings of `oss.block-public-access`."""


class BlockPublicAccess(PublicAccessRepair[bool], SettingRepair[bool]):
    """PutBucketPublicAccessBlock: https://www.alibabacloud.com/help/en/oss/user-guide/block-public-access

    No managed rule looks at this switch, and rules about ACL and policy go on reporting what it makes harmless; so it
    is for rules of one's own, or where ACL and policy must not be touched.
    """

    name: ClassVar[str] = "oss.block-public-access"
    summary: ClassVar[str] = "switches Block Public Access on for the bucket; ACL and policy stay as they are"
    repairs: ClassVar[tuple[str, ...]] = ()
    reversible: ClassVar[str] = "yes: it is switched off again, and ACL and policy have their effect again"
    may_break: ClassVar[str] = "sites and clients that use the bucket without signing, and later public grants: refused"
    actions: ClassVar[tuple[str, ...]] = (
        PUBLIC_ACCESS_BLOCK.read_action,
        PUBLIC_ACCESS_BLOCK.write_action,
    )
    optional_actions: ClassVar[tuple[str, ...]] = (POLICY.read_action,)

    break_opens: ClassVar[bool] = True

    Options: ClassVar[type[BlockPublicAccessOptions]] = BlockPublicAccessOptions
    notation: ClassVar[Notation[bool]] = Notation(bool)

    def read(self, bucket: Bucket) -> bool:
        """Whether it is on."""
        return bucket.read(PUBLIC_ACCESS_BLOCK)

    def wanted(self, state: bool) -> bool:  # noqa: ARG002 - whatever it is, it should be on
        """On."""
        return True

    def weakens(self, change: Change) -> str:  # noqa: ARG002 - it is always off that is put back
        """What it kept closed is open again."""
        return "anyone may be able to reach the bucket again, by a public ACL or policy"

    def harmless_breaks(self, state: bool) -> tuple[bool, ...]:  # noqa: ARG002 - whatever it is
        """Off, so that ACL and policy have their effect."""
        return (False,)

    def write(self, bucket: Bucket, state: bool) -> None:
        """Switch it."""
        bucket.write(PUBLIC_ACCESS_BLOCK, state)
