"""The routing table: which operation a level, a method and a sub-resource mean."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.http import Response
from emulator.oss import (
    creation,
    description,
    multipart,
    object_listing,
    object_tagging,
    objects,
    preflight,
    symlinks,
)
from emulator.oss.call import Admission, Level, Operation, OssCall
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.subresources import (
    absent,
    acl,
    documents,
    encryption,
    https_config,
    logging,
    policy,
    public_access_block,
    redundancy,
    referer,
    resource_group,
    tagging,
    versioning,
)

_OPERATIONS = (
    *creation.OPERATIONS,
    *description.OPERATIONS,
    *object_listing.OPERATIONS,
    *objects.OPERATIONS,
    *multipart.OPERATIONS,
    *object_tagging.OPERATIONS,
    *symlinks.OPERATIONS,
    *preflight.OPERATIONS,
    *absent.OPERATIONS,
    *acl.OPERATIONS,
    *documents.OPERATIONS,
    *encryption.OPERATIONS,
    *https_config.OPERATIONS,
    *logging.OPERATIONS,
    *policy.OPERATIONS,
    *public_access_block.OPERATIONS,
    *redundancy.OPERATIONS,
    *referer.OPERATIONS,
    *resource_group.OPERATIONS,
    *tagging.OPERATIONS,
    *versioning.OPERATIONS,
)

ROUTES: dict[tuple[Level, str, str], Operation] = {
    (operation.level, operation.method, operation.subresource): operation for operation in _OPERATIONS
}

# Sub-resources the service has and the emulator does not: refused rather than mistaken for a bucket listing.
NOT_EMULATED = frozenset(
    {
        "accessPoint", "accessPointPolicy", "append", "asyncFetch", "cleanRestoredObject", "cloudboxes", "cname",
        "dataPipeline", "inventory", "legalHold", "live", "metaQuery", "metadataConfiguration", "objectWorm",
        "overwriteConfig", "qosInfo", "quota", "regions", "replication", "replicationLocation",
        "replicationProgress", "requesterQosInfo", "resourcePool", "resourcePoolBuckets", "resourcePoolInfo",
        "restore", "retention", "rtc", "seal", "style", "uploadId", "uploads",
        "versions", "vod", "worm", "wormExtend", "wormId", "x-oss-async-process",
        "x-oss-process",
    }
)  # fmt: skip

_KNOWN = frozenset(operation.subresource for operation in _OPERATIONS if operation.subresource) | NOT_EMULATED


def unknown(level: Level, method: str, selected: str) -> Operation:
    """What stands for an operation that is not here: refused, though only once its signature is found right."""

    def refuse(_call: OssCall) -> Response:
        if selected in NOT_EMULATED:
            raise OssRefusal(Oss.NOT_EMULATED, SubResource=selected)
        raise OssRefusal(Oss.NO_METHOD, Method=method, ResourceType=level.value.capitalize())

    admission = Admission.SIGNED if level is Level.SERVICE else Admission.OWNER
    return Operation("Unknown", level, method, selected, refuse, admission)


def subresource(query: Mapping[str, str]) -> str:
    """The sub-resource that a query names, or an empty string."""
    for name in query:
        if name in _KNOWN:
            return name
    return ""
