"""What repairs of public access say afterwards: whether anyone can still reach the bucket by another path."""

from __future__ import annotations

from abc import ABC
from typing import TypeVar

from consumer import public_access
from consumer.bucket import Bucket, BucketInfo
from consumer.errors import BucketGone, ServiceError
from consumer.public_access import PublicAccess
from consumer.remediations.base import Note, Remediation

State = TypeVar("State")


class PublicAccessRepair(Remediation[State], ABC):
    """A repair after which a person wants to know whether the bucket is private now, not only whether it changed."""

    def note(self, bucket: Bucket, info: BucketInfo) -> Note | None:
        """Whether ACL or policy still lets anyone in, Block Public Access considered."""
        try:
            blocked = bucket.public_access_block()
            policy = bucket.policy()
        except BucketGone:
            raise
        except ServiceError as error:
            # The repair is read back and done; not knowing the rest must not undo that, but it must be heard.
            detail = f"it could not be read whether anyone can still reach the bucket: {error}"
            return Note("exposure_unknown", detail)
        return _told(public_access.evaluate(info.acl, policy, blocked=blocked))


def _told(found: PublicAccess) -> Note | None:
    if found.open:
        return Note("still_public", f"anyone can still reach the bucket by its {' and its '.join(found.open)}")
    if found.granted:
        paths = " and its ".join(found.granted)
        return Note("public_but_blocked", f"its {paths} would let anyone in if Block Public Access were switched off")
    return None
