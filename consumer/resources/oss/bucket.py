"""What a remediation may ask of one bucket: a protocol over immutable records, no SDK in sight.

Identity, ACL and existence stand here, everything else that can be configured in `consumer.resources.oss.settings`.

`consumer.aliyun.oss.client` implements it. Every method may raise `consumer.core.errors.ServiceError`; transient
failures have been retried by then, as far as the delivery's work budget allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from consumer.resources.base import Identity, Target
from consumer.resources.oss.named_settings import NamedSettings


@dataclass(frozen=True, slots=True)
class BucketInfo(Identity):
    """The live bucket, as GetBucketInfo shows it.

    Its incarnation is the service's creation date, ISO 8601 in UTC and by the second; its region comes without the
    `oss-` prefix: https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketinfo
    """

    acl: str
    """`private`, `public-read` or `public-read-write`."""
    redundancy: str = ""
    """`LRS` or `ZRS`; empty if the service did not say."""

    @property
    def created(self) -> str:
        """The incarnation, under the name that it has in the service's answer."""
        return self.incarnation


class Bucket(NamedSettings, Target[BucketInfo], Protocol):
    """One bucket at one endpoint, for one delivery."""

    name: str

    def info(self) -> BucketInfo:
        """GetBucketInfo, a new request each time; the same as `identity`."""
        ...

    def put_acl(self, acl: str) -> None:
        """PutBucketAcl. The service creates the bucket if it is missing."""
        ...

    def delete(self) -> None:
        """DeleteBucket; the service refuses while anything is in the bucket."""
        ...
