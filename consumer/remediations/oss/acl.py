"""Repairs a bucket whose ACL lets anyone read or write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from consumer.core.errors import ChangedMeanwhile, PermissionMissing, Refused
from consumer.core.outcome import Ending
from consumer.core.printable import quoted
from consumer.remediations.base import Change, Compliant, Finding, Note
from consumer.remediations.oss._bucket import take_back
from consumer.remediations.oss._public_access import PublicAccessOptions, PublicAccessRepair
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.public_access import PRIVATE
from consumer.resources.oss.settings.policy import POLICY
from consumer.resources.oss.settings.public_access_block import PUBLIC_ACCESS_BLOCK

PUBLIC_READ = "public-read"
PUBLIC_READ_WRITE = "public-read-write"


class BucketAclOptions(PublicAccessOptions):
    """Settings of `oss.bucket-acl`."""

    drop: Literal["all", "write"] = Field(
        default="all",
        description=(
            "`all` makes the bucket private; `write` only takes public write away and leaves public read, which breaks"
            " no public site. The page of oss-bucket-public-write-prohibited asks for a private bucket; whether it"
            " reports one that anyone may read is not known."
        ),
    )


class BucketAcl(PublicAccessRepair[str]):
    """PutBucketAcl: https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketacl"""

    name: ClassVar[str] = "oss.bucket-acl"
    summary: ClassVar[str] = "takes public access out of the bucket's ACL"
    repairs: ClassVar[tuple[str, ...]] = (
        "oss-bucket-public-read-prohibited",
        "oss-bucket-public-write-prohibited",
        "oss-bucket-anonymous-prohibited",
    )
    reversible: ClassVar[str] = "yes: the ACL found is put back"
    may_break: ClassVar[str] = "sites and clients that read or write the bucket without signing"
    actions: ClassVar[tuple[str, ...]] = ("oss:PutBucketAcl",)
    optional_actions: ClassVar[tuple[str, ...]] = (
        POLICY.read_action,
        PUBLIC_ACCESS_BLOCK.read_action,
        "oss:DeleteBucket",
    )

    break_opens: ClassVar[bool] = True

    Options: ClassVar[type[BucketAclOptions]] = BucketAclOptions

    def __init__(self, options: BucketAclOptions) -> None:
        super().__init__(options)
        self._drop = options.drop

    def inspect(self, bucket: Bucket, info: BucketInfo) -> str:  # noqa: ARG002 - the info already holds the ACL
        """The ACL."""
        return info.acl

    def plan(self, state: str) -> Finding:
        """Private, or public read where only write is to go.

        Raises:
            Refused: only write is to go, and it is not known whether this ACL allows it.
        """
        if state == PRIVATE or (self._drop == "write" and state == PUBLIC_READ):
            return Compliant(state)
        if self._drop == "all":
            return Change(state, PRIVATE)
        if state == PUBLIC_READ_WRITE:
            return Change(state, PUBLIC_READ)
        raise Refused("acl_not_understood", f"it is not known what the ACL {quoted(state)} allows")

    def apply(self, bucket: Bucket, change: Change) -> None:
        """Set the ACL."""
        # Private is right whatever it has become meanwhile. Public read is not: somebody may have closed the bucket.
        if change.after != PRIVATE and (now := bucket.info().acl) != change.before:
            raise ChangedMeanwhile(self.name, f"planned on {change.before}, but the ACL is {now} now")
        bucket.put_acl(change.after)

    def recover(self, bucket: Bucket, before: BucketInfo) -> Ending | None:
        """PutBucketAcl creates a bucket that was deleted between the look and the change."""
        return take_back(bucket, before)

    def remark(self, bucket: Bucket, info: BucketInfo) -> Note | None:
        """A private ACL is no private bucket: the policy is looked at as after a repair."""
        return self.note(bucket, info)

    def falls_short(self) -> Mapping[str, str]:
        """Public read is left where only write is to go."""
        if self._drop == "all":
            return {}
        return dict.fromkeys(("oss-bucket-public-read-prohibited", "oss-bucket-anonymous-prohibited"), 'drop = "all"')

    def weakens(self, change: Change) -> str:
        """Everything but private is open to everyone."""
        if change.before in (PRIVATE, change.after):
            return ""
        return f"anyone may be able to reach the bucket again: its ACL is {change.before}"

    def harmless_breaks(self, state: str) -> tuple[str, ...]:  # noqa: ARG002 - whatever it is
        """Public read: whoever asks sees that the bucket is empty. Where the rule leaves that, it is no break."""
        return (PUBLIC_READ,)

    def unbreakable(self, bucket: Bucket) -> str:
        """Under Block Public Access no public ACL is taken; without the right to read it, trying shows that."""
        try:
            return "Block Public Access is on" if bucket.read(PUBLIC_ACCESS_BLOCK) else ""
        except PermissionMissing:
            return ""

    def revert(self, bucket: Bucket, change: Change) -> None:
        """Set the ACL that was found."""
        bucket.put_acl(change.before)
