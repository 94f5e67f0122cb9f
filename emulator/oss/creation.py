"""Creating, deleting, listing and describing buckets."""

from __future__ import annotations

import re
import time

from emulator.http import Response
from emulator.oss.addressing import location
from emulator.oss.bucket import Bucket, Encryption
from emulator.oss.call import Admission, Call, Level, Operation, answer, done, gone
from emulator.oss.errors import Refusal, invalid_argument
from emulator.oss.xml import Node

ACLS = frozenset({"private", "public-read", "public-read-write"})
_STORAGE_CLASSES = frozenset({"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"})
_BLOCKING_OPTIONS = ("oss_block_public_access_by_default", "block_public_access_by_default")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


_COLDER: tuple[Node, ...] = tuple(
    (name + figure, "0")
    for name in ("InfrequentAccess", "Archive", "ColdArchive", "DeepColdArchive")
    for figure in ("Storage", "RealStorage", "ObjectCount")
)


def check_name(name: str) -> None:
    """Raise Refusal(InvalidBucketName) unless the name could be a bucket's."""
    if not _NAME.fullmatch(name):
        raise Refusal("InvalidBucketName", BucketName=name)


def iso(seconds: float) -> str:
    """A moment as the service prints it: `2026-01-31T10:56:21.000Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def requested_acl(call: Call, default: str) -> str:
    """The ACL a request asks for; raises Refusal for one that does not exist."""
    acl = call.header("x-oss-acl") or default
    if acl not in ACLS:
        raise invalid_argument("x-oss-acl", acl, "no such bucket access control exists", ec="0016-00000204")
    return acl


def new_bucket(call: Call, acl: str) -> Bucket:
    """Create the addressed bucket for the caller, where the request was addressed to."""
    world = call.store.world
    blocks = any(world.options.get(name) for name in _BLOCKING_OPTIONS)
    bucket = Bucket(
        call.name,
        call.account_id,
        call.region or world.region,
        world.clock.now(),
        acl,
        public_access_block=blocks,
    )
    if acl != "private" and call.store.blocks_public_access(bucket):
        raise Refusal("AccessDenied", "Put public bucket acl is not allowed")
    call.store.create(
        bucket,
        call.operation.name,
        request_id=call.request_id,
        access_key_id=call.caller.access_key_id,
    )
    return bucket


def put(call: Call) -> Response:
    """Create a bucket; by its owner in its region, again without effect except on a named ACL."""
    acl = requested_acl(call, "private")
    storage_class, redundancy = _creation_settings(call)
    existing = call.store.buckets.get(call.name)
    if existing is None:
        bucket = new_bucket(call, acl)
        bucket.storage_class, bucket.redundancy = storage_class, redundancy
        bucket.encryption = _creation_encryption(call)
        bucket.resource_group = call.header("x-oss-resource-group-id") or bucket.resource_group
        return Response(200, [("Location", f"/{call.name}")])
    if existing.owner_id != call.account_id or (call.region or existing.region) != existing.region:
        raise Refusal("BucketAlreadyExists", BucketName=call.name)
    if call.header("x-oss-acl") is not None and acl != existing.acl:
        if acl != "private" and call.store.blocks_public_access(existing):
            raise Refusal("AccessDenied", "Put public bucket acl is not allowed")
        before, existing.acl = existing.acl, acl
        call.changed(before, acl)
    return Response(200, [("Location", f"/{call.name}")])


def _creation_encryption(call: Call) -> Encryption | None:
    """The default encryption that the headers ask for."""
    algorithm = call.header("x-oss-server-side-encryption")
    if algorithm is None:
        return None
    return Encryption(
        algorithm,
        call.header("x-oss-server-side-encryption-key-id"),
        call.header("x-oss-server-side-data-encryption"),
    )


def _creation_settings(call: Call) -> tuple[str, str]:
    """The storage class and redundancy that the body asks for."""
    if not call.request.body.strip():
        return "Standard", "LRS"
    body = call.body("CreateBucketConfiguration")
    storage_class = body.value("StorageClass") or "Standard"
    redundancy = body.value("DataRedundancyType") or "LRS"
    if storage_class not in _STORAGE_CLASSES:
        raise invalid_argument("StorageClass", storage_class, "Invalid storage class.")
    if redundancy not in ("LRS", "ZRS"):
        raise invalid_argument("DataRedundancyType", redundancy, "Invalid data redundancy type.")
    return storage_class, redundancy


def delete(call: Call) -> Response:
    """Delete an empty bucket."""
    if call.bucket.objects or call.bucket.uploads:
        raise Refusal("BucketNotEmpty", BucketName=call.name)
    call.store.delete(
        call.name,
        call.operation.name,
        request_id=call.request_id,
        access_key_id=call.caller.access_key_id,
    )
    return gone()


def listing(call: Call) -> Response:
    """The caller's buckets in all regions, by name."""
    prefix, marker = call.query.get("prefix", ""), call.query.get("marker", "")
    limit = read_max_keys(call, 100)
    group = call.header("x-oss-resource-group-id")
    names = sorted(
        name
        for name, bucket in call.store.buckets.items()
        if bucket.owner_id == call.account_id
        and name.startswith(prefix)
        and name > marker
        and _tagged(bucket, call)
        and group in (None, bucket.resource_group)
    )
    shown = names[:limit]
    truncated = len(names) > limit
    content: list[Node] = [
        ("Owner", [("ID", call.account_id), ("DisplayName", call.account_id)]),
        ("Prefix", prefix),
        ("Marker", marker),
        ("MaxKeys", str(limit)),
        ("IsTruncated", "true" if truncated else "false"),
        ("NextMarker", shown[-1] if truncated else ""),
        ("Buckets", [("Bucket", _summary(call.store.buckets[name])) for name in shown]),
    ]
    return answer("ListAllMyBucketsResult", content)


def _tagged(bucket: Bucket, call: Call) -> bool:
    key, value = call.query.get("tag-key"), call.query.get("tag-value")
    if key is None:
        return True
    return key in bucket.tagging and value in (None, "", bucket.tagging[key])


def read_max_keys(call: Call, default: int, most: int = 1000) -> int:
    """The page size a request asks for; raises Refusal unless it is 1 to `most`."""
    text = call.query.get("max-keys", "")
    if not text:
        return default
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise invalid_argument("max-keys", text, "Argument max-keys must be an integer between 1 and 1000.")
    return int(text)


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


def info(call: Call) -> Response:
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


def where(call: Call) -> Response:
    """GetBucketLocation."""
    return answer("LocationConstraint", location(call.bucket.region))


def stat(call: Call) -> Response:
    """GetBucketStat: objects and bytes, all of them in the standard class."""
    objects = call.bucket.objects
    size = sum(len(stored.body) for stored in objects.values())
    return answer(
        "BucketStat",
        [
            ("Storage", str(size)),
            ("ObjectCount", str(len(objects))),
            ("MultipartUploadCount", str(len(call.bucket.uploads))),
            ("LiveChannelCount", "0"),
            ("LastModifiedTime", str(int(call.store.world.clock.now()))),
            ("StandardStorage", str(size)),
            ("StandardObjectCount", str(len(objects))),
            *_COLDER,
        ],
    )


__all__ = ["OPERATIONS", "check_name", "done", "iso", "new_bucket", "read_max_keys", "requested_acl"]

OPERATIONS = (
    Operation("ListBuckets", Level.SERVICE, "GET", "", listing, Admission.SIGNED, reads=True),
    Operation("PutBucket", Level.BUCKET, "PUT", "", put, Admission.SIGNED),
    Operation("DeleteBucket", Level.BUCKET, "DELETE", "", delete),
    Operation("GetBucketInfo", Level.BUCKET, "GET", "bucketInfo", info, reads=True),
    Operation("GetBucketLocation", Level.BUCKET, "GET", "location", where, Admission.OWNER_ANYWHERE, reads=True),
    Operation("GetBucketStat", Level.BUCKET, "GET", "stat", stat, reads=True),
)
