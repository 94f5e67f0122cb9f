"""What can be configured on a bucket besides its ACL: immutable records, and the protocol to read and write them.

A record holds everything the service keeps for its setting, also what no repair is about, because a PUT overwrites the
whole: what is not sent back is lost. Unset settings read as None or as what holds without them, never as an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Encryption:
    """How new objects are encrypted by default."""

    algorithm: str
    """`AES256`, `SM4` or `KMS`."""
    kms_key_id: str = ""
    """The user's own key; empty lets KMS use the one it keeps for OSS."""
    kms_data_encryption: str = ""
    """`SM4`, or empty for the algorithm KMS uses without being told."""


@dataclass(frozen=True, slots=True)
class Logging:
    """Where access logs are written."""

    target_bucket: str
    target_prefix: str = ""
    role: str = ""
    """The RAM role that writes them, where one was named."""


@dataclass(frozen=True, slots=True)
class Referer:
    """Hotlink protection; it is on when `allowed` names somebody."""

    allow_empty: bool
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    allow_truncate_query_string: bool | None = None
    truncate_path: bool | None = None


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """Which cipher suites a bucket accepts."""

    enabled: bool
    strong: bool | None = None
    custom: tuple[str, ...] = ()
    tls13_custom: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpsConfig:
    """Which TLS versions a bucket accepts; while not enabled, whatever the region accepts."""

    enabled: bool
    versions: tuple[str, ...] = ()
    cipher_suite: CipherSuite | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One task that moves a bucket from local to zone redundancy."""

    task_id: str
    status: str
    """`Queueing`, `Processing` or `Finished`."""


class Settings(Protocol):
    """Reads and writes of one bucket's settings; a write replaces the whole setting.

    Operations: https://www.alibabacloud.com/help/en/oss/developer-reference/bucket-operations
    """

    def policy(self) -> str | None:
        """The bucket policy: JSON text of an object, as it was put."""
        ...

    def put_policy(self, policy: str) -> None:
        """PutBucketPolicy. Refused while Block Public Access is on and the policy is public."""
        ...

    def delete_policy(self) -> None:
        """DeleteBucketPolicy; without a policy nothing happens."""
        ...

    def public_access_block(self) -> bool:
        """Whether Block Public Access is on for this bucket; the account's own switch is not mixed in."""
        ...

    def put_public_access_block(self, blocks: bool) -> None:
        """PutBucketPublicAccessBlock."""
        ...

    def encryption(self) -> Encryption | None:
        """Default encryption."""
        ...

    def put_encryption(self, encryption: Encryption) -> None:
        """PutBucketEncryption; objects that are there already stay as they are."""
        ...

    def delete_encryption(self) -> None:
        """DeleteBucketEncryption; without a rule nothing happens."""
        ...

    def versioning(self) -> str:
        """`Enabled`, `Suspended`, or empty when it was never set."""
        ...

    def put_versioning(self, status: str) -> None:
        """PutBucketVersioning with `Enabled` or `Suspended`; it can never be unset again."""
        ...

    def logging(self) -> Logging | None:
        """Access logging."""
        ...

    def put_logging(self, logging: Logging) -> None:
        """PutBucketLogging; the target has to be in the same region and of the same owner."""
        ...

    def delete_logging(self) -> None:
        """DeleteBucketLogging; logs already written stay."""
        ...

    def referer(self) -> Referer:
        """Hotlink protection."""
        ...

    def put_referer(self, referer: Referer) -> None:
        """PutBucketReferer."""
        ...

    def https_config(self) -> HttpsConfig:
        """TLS versions and cipher suites."""
        ...

    def put_https_config(self, config: HttpsConfig) -> None:
        """PutBucketHttpsConfig."""
        ...

    def transitions(self) -> tuple[Transition, ...]:
        """The bucket's redundancy tasks, ended ones included."""
        ...

    def start_zone_redundancy(self) -> None:
        """CreateBucketDataRedundancyTransition to ZRS; a task that is there already is as good as a new one."""
        ...

    def tags(self) -> Mapping[str, str]:
        """The bucket's tags, empty without any."""
        ...

    def put_tags(self, tags: Mapping[str, str]) -> None:
        """PutBucketTags, at least one."""
        ...

    def delete_tags(self) -> None:
        """DeleteBucketTags, all of them."""
        ...
