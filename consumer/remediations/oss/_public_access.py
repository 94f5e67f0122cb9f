"""What repairs of public access say afterwards: whether anyone can still reach the bucket by another path."""

from __future__ import annotations

from abc import ABC
from typing import TypeVar

from pydantic import Field

from consumer.core.errors import ResourceGone, ServiceError
from consumer.remediations.base import Note, Options
from consumer.remediations.oss._bucket import BucketRemediation
from consumer.resources.oss import public_access
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.public_access import PRIVATE, Exposure
from consumer.resources.oss.settings.policy import POLICY
from consumer.resources.oss.settings.public_access_block import PUBLIC_ACCESS_BLOCK

State = TypeVar("State")


class PublicAccessOptions(Options):
    """Settings of every repair of public access."""

    other_paths: bool = Field(
        default=True,
        description=(
            "Look after the repair whether anyone can still get in by another path, and say so in the ending;"
            " `oss.bucket-acl` looks also where nothing was to be repaired. It takes one request more, two where the"
            " policy or the ACL is public; false leaves that to the rules about those."
        ),
    )


class PublicAccessRepair(BucketRemediation[State], ABC):
    """A repair after which a person wants to know whether the bucket is private now, not only whether it changed."""

    def __init__(self, options: PublicAccessOptions) -> None:
        self._other_paths = options.other_paths

    def remark(self, bucket: Bucket, info: BucketInfo) -> Note | None:
        """The same of a compliant bucket, if its ACL already says that it may be open.

        With a private ACL only the policy is left, which a repair that has not planned by it looks at as well.
        """
        return None if info.acl == PRIVATE else self.note(bucket, info)

    def note(self, bucket: Bucket, info: BucketInfo) -> Note | None:
        """Whether ACL or policy still lets anyone in, Block Public Access considered."""
        if not self._other_paths:
            return None
        try:
            exposure = public_access.exposure(info.acl, bucket.read(POLICY))
            blocked = bool(exposure) and bucket.read(PUBLIC_ACCESS_BLOCK)
        except ResourceGone:
            raise
        except ServiceError as error:
            # The repair is read back and done; not knowing the rest must not undo that, but it must be heard.
            detail = f"it could not be read whether anyone can still reach the bucket: {error}"
            return Note("exposure_unknown", detail)
        return _note(exposure, blocked=blocked)


def _note(exposure: Exposure, *, blocked: bool) -> Note | None:
    if not exposure:
        return None
    paths = " and its ".join(exposure.paths)
    if blocked:
        by = f"its {paths} would" if paths else "its policy, which is not understood, may"
        return Note("public_but_blocked", f"{by} let anyone in if Block Public Access were switched off")
    if paths:
        return Note("still_public", f"anyone can still reach the bucket by its {paths}")
    return Note("exposure_unknown", f"it cannot be known whether anyone can still reach the bucket: {exposure.doubts}")
