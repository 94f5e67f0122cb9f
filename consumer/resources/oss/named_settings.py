"""A bucket's settings by name: `bucket.tags()` for `bucket.read(TAGS)`, as packages of somebody else's call them.

Whatever reads, writes and clears settings has these methods by deriving from this protocol; a setting that is added
needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from consumer.resources.oss.settings.access_logs import LOGGING, Logging
from consumer.resources.oss.settings.base import Setting
from consumer.resources.oss.settings.encryption import ENCRYPTION, Encryption
from consumer.resources.oss.settings.https_config import HTTPS_CONFIG, HttpsConfig
from consumer.resources.oss.settings.policy import POLICY
from consumer.resources.oss.settings.public_access_block import PUBLIC_ACCESS_BLOCK
from consumer.resources.oss.settings.redundancy import REDUNDANCY, TRANSITIONS, ZONE, Transition
from consumer.resources.oss.settings.referer import REFERER, Referer
from consumer.resources.oss.settings.tags import TAGS
from consumer.resources.oss.settings.versioning import VERSIONING

T = TypeVar("T")


class NamedSettings(Protocol):
    """Reads and writes of one bucket's settings; a write replaces the whole setting.

    Every method may raise `consumer.core.errors.ServiceError`.
    """

    def read(self, setting: Setting[T]) -> T:
        """The record of a setting, or what holds where nobody has configured it."""
        ...

    def write(self, setting: Setting[T], value: T) -> None:
        """Replace the whole setting."""
        ...

    def clear(self, setting: Setting[Any]) -> None:
        """Take the setting away; where it is not set, nothing happens."""
        ...

    def policy(self) -> str | None:
        """The bucket policy: JSON text of an object, as it was put."""
        return self.read(POLICY)

    def put_policy(self, policy: str) -> None:
        """PutBucketPolicy. Refused while Block Public Access is on and the policy is public."""
        self.write(POLICY, policy)

    def delete_policy(self) -> None:
        """DeleteBucketPolicy; without a policy nothing happens."""
        self.clear(POLICY)

    def public_access_block(self) -> bool:
        """Whether Block Public Access is on for this bucket; the account's own switch is not mixed in."""
        return self.read(PUBLIC_ACCESS_BLOCK)

    def put_public_access_block(self, blocks: bool) -> None:
        """PutBucketPublicAccessBlock."""
        self.write(PUBLIC_ACCESS_BLOCK, blocks)

    def encryption(self) -> Encryption | None:
        """Default encryption."""
        return self.read(ENCRYPTION)

    def put_encryption(self, encryption: Encryption) -> None:
        """PutBucketEncryption; objects that are there already stay as they are."""
        self.write(ENCRYPTION, encryption)

    def delete_encryption(self) -> None:
        """DeleteBucketEncryption; without a rule nothing happens."""
        self.clear(ENCRYPTION)

    def versioning(self) -> str:
        """`Enabled`, `Suspended`, or empty when it was never set."""
        return self.read(VERSIONING)

    def put_versioning(self, status: str) -> None:
        """PutBucketVersioning with `Enabled` or `Suspended`; it can never be unset again."""
        self.write(VERSIONING, status)

    def logging(self) -> Logging | None:
        """Access logging."""
        return self.read(LOGGING)

    def put_logging(self, logging: Logging) -> None:
        """PutBucketLogging; the target has to be in the same region and of the same owner."""
        self.write(LOGGING, logging)

    def delete_logging(self) -> None:
        """DeleteBucketLogging; logs already written stay."""
        self.clear(LOGGING)

    def referer(self) -> Referer:
        """Hotlink protection."""
        return self.read(REFERER)

    def put_referer(self, referer: Referer) -> None:
        """PutBucketReferer."""
        self.write(REFERER, referer)

    def https_config(self) -> HttpsConfig:
        """TLS versions and cipher suites."""
        return self.read(HTTPS_CONFIG)

    def put_https_config(self, config: HttpsConfig) -> None:
        """PutBucketHttpsConfig."""
        self.write(HTTPS_CONFIG, config)

    def transitions(self) -> tuple[Transition, ...]:
        """The bucket's redundancy tasks, ended ones included."""
        return self.read(TRANSITIONS)

    def start_zone_redundancy(self) -> None:
        """CreateBucketDataRedundancyTransition to ZRS; a task that is there already is as good as a new one."""
        self.write(REDUNDANCY, ZONE)

    def tags(self) -> Mapping[str, str]:
        """The bucket's tags, empty without any."""
        return self.read(TAGS)

    def put_tags(self, tags: Mapping[str, str]) -> None:
        """PutBucketTags, at least one."""
        self.write(TAGS, tags)

    def delete_tags(self) -> None:
        """DeleteBucketTags, all of them."""
        self.clear(TAGS)
