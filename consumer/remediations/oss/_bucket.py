"""What every repair of a bucket has in common: the kind it repairs, and how a bucket made by accident is taken back."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, TypeVar

from consumer.core.errors import PermanentError, PermissionMissing, ResourceGone
from consumer.core.outcome import Ending, Outcome
from consumer.remediations.base import Remediation
from consumer.resources.base import ResourceKind
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.kind import BUCKETS

State = TypeVar("State")


class BucketRemediation(Remediation[Bucket, BucketInfo, State], ABC):
    """A repair of a bucket."""

    kind: ClassVar[ResourceKind] = BUCKETS


def take_back(bucket: Bucket, before: BucketInfo) -> Ending | None:
    """Remove the bucket that a call of ours has created in the place of one that was deleted; None if it has not.

    A creating call is answered alike for a bucket that is there and one that is missing, so only the creation date
    tells. DeleteBucket takes an empty bucket away and no other, so one that its owner has made anew and begun to use
    stays, and there is no ending yet.
    """
    if not bucket.info().replaces(before):
        return None
    try:
        bucket.delete()
    except PermissionMissing as error:
        return Ending(Outcome.GONE, "created_by_accident", f"an empty bucket was left behind: {error}")
    except ResourceGone:
        pass
    except PermanentError:
        return None
    return Ending(Outcome.GONE, "taken_back", "the bucket was deleted meanwhile; the empty new one was removed")
