"""Repairs a bucket whose new objects are not encrypted by default, or not with the wanted kind of key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from consumer.core.errors import Refused
from consumer.core.printable import quoted
from consumer.remediations.base import Options
from consumer.remediations.oss._setting import Notation, SettingRepair
from consumer.resources.oss.bucket import Bucket
from consumer.resources.oss.settings.encryption import ENCRYPTION, Encryption


class EncryptionOptions(Options):
    """Settings of `oss.encryption`."""

    algorithm: Literal["AES256", "SM4", "KMS"] = Field(
        default="AES256",
        description=(
            "AES256 and SM4 use keys of OSS, cost nothing and satisfy oss-bucket-server-side-encryption-enabled; KMS is"
            " what oss-default-encryption-kms wants: it costs per request, and whoever writes or reads objects needs"
            " kms:GenerateDataKey and kms:Decrypt."
        ),
    )
    kms_master_key_id: str = Field(
        default="",
        description=(
            "With KMS: the id of your own key, which oss-encryption-byok-check wants; alias/acs/oss is not one. Keys"
            " belong to a region: a rule with a key should select that region only. Empty: the key that KMS keeps for"
            " OSS."
        ),
    )

    @model_validator(mode="after")
    def _key_belongs_to_kms(self) -> Self:
        if self.kms_master_key_id and self.algorithm != "KMS":
            raise ValueError('kms_master_key_id needs algorithm = "KMS"')
        return self


_SERVICE_ALGORITHMS = frozenset({"AES256", "SM4"})
_DATA_ALGORITHMS = frozenset({"", "AES256", "SM4"})
_SERVICE_KEY_ALIAS = "alias/acs/"
"""Keys that KMS itself keeps for other services, such as alias/acs/oss, belong to nobody else."""


class _Strength(IntEnum):
    NONE = 0
    SERVICE_KEY = 1
    KMS = 2
    OWN_KEY = 3


class BucketEncryption(SettingRepair[Encryption | None]):
    """PutBucketEncryption: https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketencryption"""

    name: ClassVar[str] = "oss.encryption"
    summary: ClassVar[str] = "encrypts new objects by default; what is set and as strong already stays as it is"
    repairs: ClassVar[tuple[str, ...]] = (
        "oss-bucket-server-side-encryption-enabled",
        "oss-default-encryption-kms",
        "oss-encryption-byok-check",
    )
    reversible: ClassVar[str] = "yes: the setting found is put back; objects written meanwhile stay encrypted"
    may_break: ClassVar[str] = (
        "nothing with AES256 or SM4; with KMS clients without kms:GenerateDataKey and kms:Decrypt"
    )
    actions: ClassVar[tuple[str, ...]] = (ENCRYPTION.read_action, ENCRYPTION.write_action)
    undo_actions: ClassVar[tuple[str, ...]] = (ENCRYPTION.clear_action,)

    Options: ClassVar[type[EncryptionOptions]] = EncryptionOptions
    notation: ClassVar[Notation[Encryption | None]] = Notation(Encryption | None)

    def __init__(self, options: EncryptionOptions) -> None:
        self._least = Encryption(options.algorithm, options.kms_master_key_id)

    def read(self, bucket: Bucket) -> Encryption | None:
        """The default, or none."""
        return bucket.read(ENCRYPTION)

    def wanted(self, state: Encryption | None) -> Encryption | None:
        """At least the configured strength; never weaker than it is, and another own key is as good as ours.

        Raises:
            Refused: it is not known how strong the default is.
        """
        if _strength(state) >= _strength(self._least):
            return state
        if state is not None and state.algorithm == self._least.algorithm:
            return replace(state, kms_key_id=self._least.kms_key_id)  # keeps how KMS encrypts the data
        return self._least

    def falls_short(self) -> Mapping[str, str]:
        """What a weaker default than these rules want is not enough for."""
        missing = {}
        if self._least.algorithm != "KMS":
            missing["oss-default-encryption-kms"] = 'algorithm = "KMS"'
        if _strength(self._least) < _Strength.OWN_KEY:
            missing["oss-encryption-byok-check"] = 'algorithm = "KMS" and kms_master_key_id'
        return missing

    def harmless_breaks(self, state: Encryption | None) -> tuple[Encryption | None, ...]:  # noqa: ARG002 - whatever it is
        """No default: what is there already stays as it is encrypted."""
        return (None,)

    def write(self, bucket: Bucket, state: Encryption | None) -> None:
        """Replace the default, or take it away."""
        if state is None:
            bucket.clear(ENCRYPTION)
        else:
            bucket.write(ENCRYPTION, state)


def _strength(encryption: Encryption | None) -> _Strength:
    if encryption is None or encryption.algorithm in ("", "None"):
        return _Strength.NONE
    if encryption.algorithm in _SERVICE_ALGORITHMS:
        return _Strength.SERVICE_KEY
    if encryption.algorithm != "KMS" or encryption.kms_data_encryption not in _DATA_ALGORITHMS:
        found = f"{encryption.algorithm} {encryption.kms_data_encryption}".strip()
        raise Refused("encryption_not_understood", f"it is not known how strong {quoted(found)} encrypts by default")
    key = encryption.kms_key_id.strip()
    return _Strength.OWN_KEY if key and not key.startswith(_SERVICE_KEY_ALIAS) else _Strength.KMS
