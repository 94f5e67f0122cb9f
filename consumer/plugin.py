"""What a package with remediations of its own may import; everything else in `consumer` may move between releases.

How one is written: docs/writing-a-remediation.md.
"""

from __future__ import annotations

from consumer.core.errors import (
    BucketGone,
    ChangedMeanwhile,
    ConfigurationError,
    PermanentError,
    PermissionMissing,
    PublicAccessBlocked,
    Refused,
    ResourceGone,
    Retryable,
    ServiceError,
)
from consumer.core.observers import ApiCall
from consumer.core.outcome import Ending, Outcome
from consumer.remediations.base import (
    Change,
    Compliant,
    Finding,
    Note,
    Options,
    Pending,
    Remediation,
    ReportOnly,
)
from consumer.remediations.oss._bucket import BucketRemediation, take_back
from consumer.remediations.oss._policy import PolicyRepair, PolicyState
from consumer.remediations.oss._public_access import PublicAccessOptions, PublicAccessRepair
from consumer.remediations.oss._setting import Notation, SettingRepair
from consumer.resources.base import Identity, Opener, Resource, ResourceKind, Target, Written
from consumer.resources.catalogue import ClientContext, InstalledKind
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.settings.base import Setting, SettingRequest
from consumer.resources.oss.xml_documents import unambiguous as setting_document

__all__ = [
    "ApiCall",
    "Bucket",
    "BucketGone",
    "BucketInfo",
    "BucketRemediation",
    "Change",
    "ChangedMeanwhile",
    "ClientContext",
    "Compliant",
    "ConfigurationError",
    "Ending",
    "Finding",
    "Identity",
    "InstalledKind",
    "Notation",
    "Note",
    "Opener",
    "Options",
    "Outcome",
    "Pending",
    "PermanentError",
    "PermissionMissing",
    "PolicyRepair",
    "PolicyState",
    "PublicAccessBlocked",
    "PublicAccessOptions",
    "PublicAccessRepair",
    "Refused",
    "Remediation",
    "ReportOnly",
    "Resource",
    "ResourceGone",
    "ResourceKind",
    "Retryable",
    "ServiceError",
    "Setting",
    "SettingRepair",
    "SettingRequest",
    "Target",
    "Written",
    "setting_document",
    "take_back",
]
