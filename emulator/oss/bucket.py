"""A bucket and everything that can be configured on it, as values; no rules and no wire formats."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from emulator.xml import Element


@dataclass(frozen=True, slots=True)
class Encryption:
    """Default server-side encryption."""

    algorithm: str
    """`AES256`, `KMS` or `SM4`."""
    kms_key_id: str | None = None
    """The customer master key; None lets KMS use the one it manages."""
    kms_data_encryption: str | None = None


@dataclass(frozen=True, slots=True)
class Logging:
    """Where access logs go."""

    target_bucket: str
    target_prefix: str = ""
    role: str | None = None
    """The RAM role that writes the logs, where one was named."""


@dataclass(frozen=True, slots=True)
class Referer:
    """Hotlink protection; as a new bucket has it: off."""

    allow_empty: bool = True
    allow_truncate_query_string: bool = True
    truncate_path: bool | None = None
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpsConfig:
    """Which TLS versions the bucket accepts; not enabled means: whatever the region accepts."""

    tls_enabled: bool = False
    tls_versions: tuple[str, ...] = ()
    cipher_suite: tuple[tuple[str, str], ...] = ()
    """Tags and texts of the CipherSuite element, as they were put."""


@dataclass(slots=True)
class RedundancyTransition:
    """One task that moves a bucket from local to zone redundancy."""

    task_id: str
    created: float
    finishes: float
    """Emulated seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object, whole."""

    body: bytes
    etag: str
    crc64: int
    """Computed once, when the object is made."""
    modified: float
    headers: tuple[tuple[str, str], ...] = ()
    """Content-Type and the like, and `x-oss-meta-` headers, as they were put."""
    acl: str = "default"
    kind: str = "Normal"
    """`Normal`, `Multipart`, `Appendable` or `Symlink`, as `x-oss-object-type` says."""
    tags: tuple[tuple[str, str], ...] = ()
    target: str | None = None
    """The name of the object that a symbolic link stands for."""


@dataclass(slots=True)
class Upload:
    """A multipart upload under way."""

    key: str
    started: float
    headers: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...] = ()
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Bucket:
    """One bucket; changed by the service only, so that nothing changes unnoticed."""

    name: str
    owner_id: str
    region: str
    created: float
    """Emulated seconds since the epoch."""
    acl: str = "private"
    storage_class: str = "Standard"
    redundancy: str = "LRS"
    """`LRS` or `ZRS`."""
    encryption: Encryption | None = None
    versioning: str | None = None
    """`Enabled`, `Suspended`, or None when it was never set."""
    logging: Logging | None = None
    referer: Referer = field(default_factory=Referer)
    policy: str | None = None
    """The policy's JSON text exactly as it was put."""
    https_config: HttpsConfig = field(default_factory=HttpsConfig)
    public_access_block: bool = False
    tagging: dict[str, str] = field(default_factory=dict)
    resource_group: str = "rg-acfmw3ty5y7****"
    lifecycle: Element | None = None
    cors: Element | None = None
    website: Element | None = None
    documents: dict[str, Element] = field(default_factory=dict)
    """Sub-resources that are only kept and given back, by name (`requestPayment`)."""
    transitions: dict[str, RedundancyTransition] = field(default_factory=dict)
    objects: dict[str, StoredObject] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The bucket for the control port, its objects by name and size only."""
        shown = {
            name: getattr(self, name)
            for name in self.__slots__
            if name not in ("objects", "uploads", "lifecycle", "cors", "website", "documents", "transitions")
        }
        for name in ("encryption", "logging", "referer", "https_config"):
            shown[name] = as_json(shown[name])
        for name in ("lifecycle", "cors", "website"):
            shown[name] = as_json(getattr(self, name))
        shown["documents"] = {name: as_json(document) for name, document in self.documents.items()}
        shown["transitions"] = [asdict(transition) for transition in self.transitions.values()]
        shown["objects"] = {key: len(stored.body) for key, stored in self.objects.items()}
        return shown


Configured = Encryption | Logging | Referer | HttpsConfig | Element | str | bool | dict[str, str] | None


def as_json(value: Configured) -> Any:
    """A configured value as the journal and the control port show it."""
    if isinstance(value, Element):
        children = [as_json(child) for child in value.children]
        return {value.tag: children or value.text.strip()}
    if isinstance(value, Encryption | Logging | Referer | HttpsConfig):
        return asdict(value)
    return value
