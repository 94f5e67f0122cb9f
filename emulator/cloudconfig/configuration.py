"""One resource as Cloud Config sees it: plain values that rules can decide on, and the snapshot it publishes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

BUCKET = "ACS::OSS::Bucket"
SECURITY_GROUP = "ACS::ECS::SecurityGroup"


class Configuration(Protocol):
    """What Cloud Config knows of a resource of any type."""

    resource_type: ClassVar[str]

    @property
    def id(self) -> str:
        """The resource's id, unique within its type."""
        ...

    @property
    def name(self) -> str:
        """What its owner calls it; a bucket's id is its name."""
        ...

    @property
    def arn(self) -> str:
        """How policies name it."""
        ...

    @property
    def owner_id(self) -> str:
        """The account it belongs to."""
        ...

    @property
    def region(self) -> str:
        """Where it is: `cn-hangzhou`."""
        ...

    @property
    def created(self) -> float:
        """When it was made, in seconds since the epoch."""
        ...

    @property
    def tags(self) -> tuple[tuple[str, str], ...]:
        """Its tags."""
        ...

    def as_snapshot(self) -> dict[str, Any]:
        """The `configuration` of a resource change message."""
        ...


@dataclass(frozen=True, slots=True)
class BucketConfiguration:
    """What the managed rules can see of one bucket."""

    resource_type: ClassVar[str] = BUCKET

    name: str
    owner_id: str
    region: str
    """Without `oss-`: `cn-hangzhou`."""
    created: float
    """Seconds since the epoch."""
    acl: str = "private"
    policy: str | None = None
    """The bucket policy as stored, JSON text."""
    sse_algorithm: str | None = None
    kms_key_id: str | None = None
    versioning: str | None = None
    """`Enabled`, `Suspended`, or None when it was never set."""
    log_bucket: str | None = None
    log_prefix: str = ""
    allow_empty_referer: bool = True
    referers: tuple[str, ...] = ()
    tls_enabled: bool = False
    tls_versions: tuple[str, ...] = ()
    redundancy: str = "LRS"
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        """A bucket's name is its id."""
        return self.name

    @property
    def arn(self) -> str:
        """As in RAM policies."""
        return f"acs:oss:{self.region}:{self.owner_id}:bucket/{self.name}"

    def statements(self) -> Iterator[dict[str, Any]]:
        """The statements of the bucket policy; none when it is unset or no policy at all."""
        try:
            document = json.loads(self.policy or "{}")
        except ValueError:
            return
        found = document.get("Statement", []) if isinstance(document, dict) else []
        for statement in [found] if isinstance(found, dict) else found:
            if isinstance(statement, dict):
                yield statement

    def as_snapshot(self) -> dict[str, Any]:
        """The `configuration` of a resource change message; access-log settings stand under BucketPolicy there.

        Source: the OSS sample on the documentation page "Resource change events" of Cloud Config.
        """
        return {
            "AccessControlList": {"Grant": self.acl},
            "ServerSideEncryptionRule": {"SSEAlgorithm": self.sse_algorithm or "None"},
            "Comment": "",
            "CreationDate": _iso(self.created),
            "Owner": {"DisplayName": self.owner_id, "ID": self.owner_id},
            "StorageClass": "Standard",
            "DataRedundancyType": self.redundancy,
            "AllowEmptyReferer": "true" if self.allow_empty_referer else "false",
            "Name": self.name,
            "BucketPolicy": {"LogPrefix": self.log_prefix, "LogBucket": self.log_bucket or ""},
            "ExtranetEndpoint": f"oss-{self.region}.aliyuncs.com",
            "IntranetEndpoint": f"oss-{self.region}-internal.aliyuncs.com",
            "Location": f"oss-{self.region}",
        }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
