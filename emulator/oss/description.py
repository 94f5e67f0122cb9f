"""Listing buckets and describing one: its information, its place, its size."""

from __future__ import annotations

import re
from collections.abc import Mapping

from emulator.http import Response
from emulator.oss.addressing import location
from emulator.oss.bucket import Bucket, Encryption
from emulator.oss.call import Admission, Level, Operation, OssCall, answer
from emulator.oss.printing import iso, read_max_keys, tag_set
from emulator.xml import Node

_ASKED = {"Prefix": "prefix", "Marker": "marker", "MaxKeys": "max-keys"}
"""Elements of a list of buckets and the parameters that they repeat."""
_TAG = re.compile(r'"([^"]*)"(?::"([^"]*)")?')
_COLDER: tuple[Node, ...] = tuple(
    (name + figure, "0")
    for name in ("InfrequentAccess", "Archive", "ColdArchive", "DeepColdArchive")
    for figure in ("Storage", "RealStorage", "ObjectCount")
)


def listing(call: OssCall) -> Response:
    """The caller's buckets in all regions, by name."""
    prefix, marker = call.query.get("prefix", ""), call.query.get("marker", "")
    wanted = _wanted_tags(call)
    limit = read_max_keys(call, 100)
    group = call.header("x-oss-resource-group-id")
    names = sorted(
        name
        for name, bucket in call.store.buckets.items()
        if bucket.owner_id == call.account_id
        and name.startswith(prefix)
        and name > marker
        and _tagged(bucket, wanted)
        and group in (None, bucket.resource_group)
    )
    shown = names[:limit]
    truncated = len(names) > limit
    content: list[Node] = [("Owner", [("ID", call.account_id), ("DisplayName", call.account_id)])]
    # What was not requested is left out, unless the answer is only a page.
    content += [(tag, call.query[name]) for tag, name in _ASKED.items() if name in call.query]
    if truncated or any(name in call.query for name in _ASKED.values()):
        content.append(("IsTruncated", "true" if truncated else "false"))
    if truncated:
        content.append(("NextMarker", shown[-1]))
    buckets = [call.store.buckets[name] for name in shown]
    by_tag = "tagging" in call.query
    content.append(("Buckets", [("Bucket", [*_summary(bucket), *_tags(bucket, by_tag)]) for bucket in buckets]))
    return answer("ListAllMyBucketsResult", content)


def _wanted_tags(call: OssCall) -> dict[str, str]:
    """Keys with values, empty for any, from `tagging="k":"v","k2":"v2"` or from `tag-key` and `tag-value`."""
    wanted = {key: value or "" for key, value in _TAG.findall(call.query.get("tagging", ""))}
    if key := call.query.get("tag-key"):
        wanted[key] = call.query.get("tag-value", "")
    return wanted


def _tagged(bucket: Bucket, wanted: Mapping[str, str]) -> bool:
    return all(key in bucket.tagging and value in ("", bucket.tagging[key]) for key, value in wanted.items())


def _tags(bucket: Bucket, shown: bool) -> list[Node]:
    """A bucket's tags, which a list by tag shows (the suite of ali-oss asserts it)."""
    return [("Tagging", [tag_set(bucket.tagging.items())])] if shown else []


def _summary(bucket: Bucket) -> list[Node]:
    where = location(bucket.region)
    return [
        ("CreationDate", iso(bucket.created)),
        ("ExtranetEndpoint", f"{where}.aliyuncs.com"),
        ("IntranetEndpoint", f"{where}-internal.aliyuncs.com"),
        ("Location", where),
        ("Name", bucket.name),
        ("Region", bucket.region),
        ("ResourceGroupId", bucket.resource_group),
        ("StorageClass", bucket.storage_class),
    ]


def info(call: OssCall) -> Response:
    """GetBucketInfo: what the service tells about a bucket at a glance."""
    bucket = call.bucket
    call.store.settle(bucket)
    blocked = call.store.blocks_public_access(bucket)
    content: list[Node] = [
        ("AccessMonitor", _status(bucket, "accessmonitor", "Status")),
        *_summary(bucket),
        ("DataRedundancyType", bucket.redundancy),
        ("CrossRegionReplication", "Disabled"),
        ("TransferAcceleration", "Disabled"),
        ("Owner", [("DisplayName", bucket.owner_id), ("ID", bucket.owner_id)]),
        ("AccessControlList", [("Grant", bucket.acl)]),
        ("BlockPublicAccess", "true" if blocked else "false"),
        ("Comment", ""),
        ("BucketPolicy", _log_target(bucket)),
        ("ServerSideEncryptionRule", _encryption(bucket.encryption)),
    ]
    if bucket.versioning is not None:
        content.append(("Versioning", bucket.versioning))
    return answer("BucketInfo", [("Bucket", content)])


def _status(bucket: Bucket, document: str, tag: str) -> str:
    kept = bucket.documents.get(document)
    return (kept.value(tag) if kept is not None else None) or "Disabled"


def _log_target(bucket: Bucket) -> list[Node]:
    if bucket.logging is None:
        return [("LogBucket", ""), ("LogPrefix", "")]
    return [("LogBucket", bucket.logging.target_bucket), ("LogPrefix", bucket.logging.target_prefix)]


def _encryption(rule: Encryption | None) -> list[Node]:
    if rule is None:
        return [("SSEAlgorithm", "None")]
    nodes: list[Node] = [("SSEAlgorithm", rule.algorithm)]
    if rule.kms_key_id:
        nodes.append(("KMSMasterKeyID", rule.kms_key_id))
    if rule.kms_data_encryption:
        nodes.append(("KMSDataEncryption", rule.kms_data_encryption))
    return nodes


def where(call: OssCall) -> Response:
    """GetBucketLocation."""
    return answer("LocationConstraint", location(call.bucket.region))


def stat(call: OssCall) -> Response:
    """GetBucketStat: objects and bytes, all of them in the standard class; nothing was modified in an empty bucket."""
    objects = call.bucket.objects
    parts = sum(len(upload.parts) for upload in call.bucket.uploads.values())
    size = sum(len(stored.body) for stored in objects.values())
    return answer(
        "BucketStat",
        [
            ("Storage", str(size)),
            ("ObjectCount", str(len(objects))),
            ("MultipartUploadCount", str(len(call.bucket.uploads))),
            ("MultipartPartCount", str(parts)),
            ("LiveChannelCount", "0"),
            ("LastModifiedTime", str(int(call.store.world.clock.now())) if objects or parts else "0"),
            ("StandardStorage", str(size)),
            ("StandardObjectCount", str(len(objects))),
            *_COLDER,
            ("DeleteMarkerCount", "0"),
        ],
    )


OPERATIONS = (
    Operation("ListBuckets", Level.SERVICE, "GET", "", listing, Admission.SIGNED, reads=True),
    Operation("ListBuckets", Level.SERVICE, "GET", "tagging", listing, Admission.SIGNED, reads=True),
    Operation("GetBucketInfo", Level.BUCKET, "GET", "bucketInfo", info, reads=True),
    Operation("GetBucketLocation", Level.BUCKET, "GET", "location", where, Admission.OWNER_ANYWHERE, reads=True),
    Operation("GetBucketStat", Level.BUCKET, "GET", "stat", stat, reads=True),
)
