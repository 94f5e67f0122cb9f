"""What a remediation may ask of one bucket: a protocol over immutable records, no SDK in sight.

Identity, ACL and existence stand here, everything else that can be configured in `consumer.resources.oss.settings`.

`consumer.aliyun.oss.client` implements it. Every method may raise `consumer.core.errors.ServiceError`; transient
failures have been retried by then, as far as the delivery's work budget allowed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consumer.core.errors import Refused
from consumer.core.event import REGION
from consumer.resources.oss.settings import Settings

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", re.ASCII)
"""The service's own rule for names: https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions"""


@dataclass(frozen=True, slots=True)
class Resource:
    """A bucket that an event names: checked for form, so that it is safe in a host name and in a path."""

    account_id: str
    region: str
    name: str

    @classmethod
    def checked(cls, account_id: str, region: str, name: str) -> Resource:
        """The resource, if its name can be a bucket's and its region one.

        Raises:
            Refused: it cannot, so acting on it can never succeed.
        """
        if not REGION.fullmatch(region):
            raise Refused("invalid_region", "the region does not have the form of a region id")
        if not BUCKET_NAME.fullmatch(name):
            raise Refused("invalid_bucket_name", "the resource id does not have the form of a bucket name")
        return cls(account_id, region, name)


@dataclass(frozen=True, slots=True)
class BucketInfo:
    """The live bucket, as GetBucketInfo shows it."""

    owner_id: str
    region: str
    """Without the `oss-` prefix; empty if the service did not say."""
    created: str
    """The service's text for the moment of creation: equal for the same bucket, different for a new one.

    ISO 8601, in UTC and by the second: https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketinfo
    """
    acl: str
    """`private`, `public-read` or `public-read-write`."""
    redundancy: str = ""
    """`LRS` or `ZRS`; empty if the service did not say."""

    def made_since(self, moment_ms: int) -> bool:
        """Whether it was created later than a moment, in milliseconds since the epoch; also if that cannot be told."""
        try:
            created = datetime.fromisoformat(self.created)
        except ValueError:
            return True
        return created.tzinfo is None or created.timestamp() * 1000 > moment_ms

    def replaces(self, earlier: BucketInfo) -> bool:
        """Whether this is another bucket of the same owner under the name of an earlier one.

        One of another owner cannot have been created by us, and is never ours to take away.
        """
        return self.created != earlier.created and self.owner_id == earlier.owner_id


class Bucket(Settings, Protocol):
    """One bucket at one endpoint, for one delivery."""

    name: str
    request_ids: list[str]
    """The service's ids of the requests made so far: what its support asks for."""
    granted: set[str]
    """Operations that the service has carried out on it so far."""

    def info(self) -> BucketInfo:
        """GetBucketInfo, always asked anew."""
        ...

    def put_acl(self, acl: str) -> None:
        """PutBucketAcl. The service creates the bucket if it is missing."""
        ...

    def delete(self) -> None:
        """DeleteBucket; the service refuses while anything is in the bucket."""
        ...
