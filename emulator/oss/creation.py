"""Creating and deleting buckets."""

from __future__ import annotations

import re

from emulator.http import Response
from emulator.oss.bucket import Bucket, Encryption
from emulator.oss.call import Admission, Call, Level, Operation, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import Refusal, invalid_argument

ACLS = frozenset({"private", "public-read", "public-read-write"})
_STORAGE_CLASSES = frozenset({"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"})
_BLOCKING_OPTIONS = ("oss_block_public_access_by_default", "block_public_access_by_default")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def check_name(name: str) -> None:
    """Raise Refusal(InvalidBucketName) unless the name could be a bucket's."""
    if not _NAME.fullmatch(name):
        raise Refusal(Oss.BUCKET_NAME, BucketName=name)


def requested_acl(call: Call, default: str) -> str:
    """The ACL a request asks for, without a header `default`; raises Refusal for one that does not exist."""
    acl = call.header("x-oss-acl") or default
    if acl not in ACLS:
        raise invalid_argument(Oss.ACL, "x-oss-acl", acl)
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
        raise Refusal(Oss.PUBLIC_ACL)
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
        return located(call)
    if existing.owner_id != call.account_id or (call.region or existing.region) != existing.region:
        raise Refusal(Oss.NAME_TAKEN, BucketName=call.name)
    if call.header("x-oss-acl") is not None and acl != existing.acl:
        if acl != "private" and call.store.blocks_public_access(existing):
            raise Refusal(Oss.PUBLIC_ACL)
        before, existing.acl = existing.acl, acl
        call.changed(before, acl)
    return located(call)


def located(call: Call) -> Response:
    """200 that says where the addressed bucket is."""
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
        raise invalid_argument(Oss.STORAGE_CLASS, "StorageClass", storage_class)
    if redundancy not in ("LRS", "ZRS"):
        raise invalid_argument(Oss.REDUNDANCY, "DataRedundancyType", redundancy)
    return storage_class, redundancy


def delete(call: Call) -> Response:
    """Delete an empty bucket."""
    if call.bucket.objects or call.bucket.uploads:
        raise Refusal(Oss.NOT_EMPTY, BucketName=call.name)
    call.store.delete(
        call.name,
        call.operation.name,
        request_id=call.request_id,
        access_key_id=call.caller.access_key_id,
    )
    return gone()


OPERATIONS = (
    Operation("PutBucket", Level.BUCKET, "PUT", "", put, Admission.SIGNED),
    Operation("DeleteBucket", Level.BUCKET, "DELETE", "", delete),
)
