"""Signature version 1: HMAC-SHA1 over method, digest, type, date, `x-oss-` headers and the resource.

https://www.alibabacloud.com/help/en/oss/developer-reference/include-signatures-in-the-authorization-header
Pure: knows neither keys nor clocks.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping

# Only these query parameters are part of the signed resource.
SIGNED_PARAMETERS = frozenset(
    {
        "accessPoint", "accessPointPolicy", "acl", "append", "asyncFetch", "bucketArchiveDirectRead",
        "bucketInfo", "callback", "callback-var", "cleanRestoredObject", "cloudboxes", "cname", "comp",
        "continuation-token", "cors", "dataPipeline", "delete", "encryption", "endTime", "group",
        "httpsConfig", "inventory", "inventoryId", "legalHold", "lifecycle", "link", "live", "location",
        "logging", "metaQuery", "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable",
        "objectInfo", "objectMeta", "objectWorm", "overwriteConfig", "partNumber", "policy", "policyStatus",
        "position", "publicAccessBlock", "qos", "qosInfo", "qosRequester", "quota", "redundancyTransition",
        "referer", "regionList", "replication", "replicationLocation", "replicationProgress",
        "requestPayment", "requesterQosInfo", "resourceGroup", "resourcePool", "resourcePoolBuckets",
        "resourcePoolInfo", "response-cache-control", "response-content-disposition",
        "response-content-encoding", "response-content-language", "response-content-type",
        "response-expires", "restore", "retention", "rtc", "seal", "security-token", "sequential",
        "startTime", "stat", "status", "style", "styleName", "symlink", "tagging", "transferAcceleration",
        "uploadId", "uploads", "userDefinedLogFieldsConfig", "versionId", "versioning", "versions", "vod",
        "website", "worm", "wormExtend", "wormId", "x-oss-ac-forward-allow", "x-oss-ac-source-ip",
        "x-oss-ac-subnet-mask", "x-oss-ac-vpc-id", "x-oss-access-point-name", "x-oss-async-process",
        "x-oss-process", "x-oss-redundancy-transition-taskid", "x-oss-request-payer",
        "x-oss-target-redundancy-type", "x-oss-traffic-limit", "x-oss-write-get-object-response",
    }
)  # fmt: skip


def resource(bucket: str | None, key: str, query: Mapping[str, str]) -> str:
    """The canonicalized resource: bucket and key unescaped, then the signed parameters in order."""
    path = f"/{bucket}/{key}" if bucket else "/"
    signed = sorted(name for name in query if name in SIGNED_PARAMETERS)
    if not signed:
        return path
    return path + "?" + "&".join(f"{name}={query[name]}" if query[name] else name for name in signed)


def string_to_sign(method: str, headers: Mapping[str, str], date: str, canonical_resource: str) -> bytes:
    """What is signed; `date` is the Date header's text, or the expiry of a signed URL."""
    lines = [method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    lines += sorted_headers(headers)
    # Header values reach us as Latin-1, names of buckets and objects as decoded UTF-8.
    return "\n".join([*lines, ""]).encode("latin-1", "replace") + canonical_resource.encode("utf-8", "surrogateescape")


def sorted_headers(headers: Mapping[str, str], also: frozenset[str] = frozenset()) -> list[str]:
    """The `x-oss-` headers, and those named in `also`, as sorted `name:value` lines without line ends."""
    return [f"{name}:{headers[name].strip()}" for name in sorted(headers) if name.startswith("x-oss-") or name in also]


def signature(secret: str, text: bytes) -> str:
    """The Base64 signature of the string to sign."""
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha1")).decode()
