"""How new objects are encrypted by default; objects that are there already stay as they are.

https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketencryption
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from consumer.resources.oss.settings.base import Setting, SettingRequest
from consumer.resources.oss.xml_documents import add, unambiguous

_ROOT, _DEFAULT = "ServerSideEncryptionRule", "ApplyServerSideEncryptionByDefault"


@dataclass(frozen=True, slots=True)
class Encryption:
    """How new objects are encrypted by default."""

    algorithm: str
    """`AES256`, `SM4` or `KMS`."""
    kms_key_id: str = ""
    """The user's own key; empty lets KMS use the one it keeps for OSS."""
    kms_data_encryption: str = ""
    """`SM4`, or empty for the algorithm KMS uses by default."""


def _parse(body: bytes) -> Encryption:
    applied = unambiguous(body, _ROOT).find(_DEFAULT)
    algorithm = None if applied is None else applied.findtext("SSEAlgorithm")
    if applied is None or algorithm is None:
        raise ValueError("the answer names no algorithm")
    key, data = applied.findtext("KMSMasterKeyID"), applied.findtext("KMSDataEncryption")
    return Encryption(algorithm, key or "", data or "")


def _render(encryption: Encryption | None) -> bytes:
    if encryption is None:
        raise ValueError("no default encryption is deleted, not written")
    root = ET.Element(_ROOT)
    applied = ET.SubElement(root, _DEFAULT)
    add(applied, "SSEAlgorithm", encryption.algorithm)
    add(applied, "KMSMasterKeyID", encryption.kms_key_id or None)
    add(applied, "KMSDataEncryption", encryption.kms_data_encryption or None)
    return ET.tostring(root)


ENCRYPTION: Setting[Encryption | None] = Setting(
    name="encryption",
    record=Encryption | None,
    unset=None,
    get=SettingRequest.reading("GetBucketEncryption", "encryption"),
    put=SettingRequest.writing("PutBucketEncryption", "encryption"),
    delete=SettingRequest.clearing("DeleteBucketEncryption", "encryption"),
    parse=_parse,
    render=_render,
    unset_code="NoSuchServerSideEncryptionRule",
)
