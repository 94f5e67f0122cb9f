"""Creating and deleting buckets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.http import Response
from emulator.oss.addressing import location
from emulator.oss.bucket import Bucket, Encryption
from emulator.oss.call import Admission, Level, Operation, OssCall, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal, invalid_argument

ACLS = frozenset({"private", "public-read", "public-read-write"})
_STORAGE_CLASSES = frozenset({"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"})
_BLOCKING_OPTIONS = ("oss_block_public_access_by_default", "block_public_access_by_default")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


def check_name(name: str) -> None:
    """Raise Refusal(InvalidBucketName) unless the name could be a bucket's."""
    if not _NAME.fullmatch(name):
        raise OssRefusal(Oss.BUCKET_NAME, BucketName=name)


def requested_acl(call: OssCall, default: str) -> str:
    """The ACL a request asks for, without a header `default`; raises Refusal for one that does not exist."""
    acl = call.header("x-oss-acl") or default
    if acl not in ACLS:
        raise invalid_argument(Oss.ACL, "x-oss-acl", acl)
    return acl


def new_bucket(call: OssCall, acl: str) -> Bucket:
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
        raise OssRefusal(Oss.PUBLIC_ACL)
    call.store.create(
        bucket,
        call.operation.name,
        request_id=call.request_id,
        access_key_id=call.caller.access_key_id,
    )
    return bucket


def put(call: OssCall) -> Response:
    """Create a bucket; by its owner in its region, again without effect except on a named ACL."""
    acl = requested_acl(call, "private")
    wanted = _wanted(call)
    existing = call.store.buckets.get(call.name)
    if existing is None:
        bucket = new_bucket(call, acl)
        bucket.storage_class = wanted.storage_class or bucket.storage_class
        bucket.redundancy = wanted.redundancy or bucket.redundancy
        bucket.encryption = _creation_encryption(call)
        bucket.resource_group = call.header("x-oss-resource-group-id") or bucket.resource_group
        return located(call)
    _refuse_another(call, existing, wanted)
    if call.header("x-oss-acl") is not None and acl != existing.acl:
        if acl != "private" and call.store.blocks_public_access(existing):
            raise OssRefusal(Oss.PUBLIC_ACL)
        before, existing.acl = existing.acl, acl
        call.changed(before, acl)
    return located(call)


def located(call: OssCall) -> Response:
    """200 that says where the addressed bucket is."""
    return Response(200, [("Location", f"/{call.name}")])


def _creation_encryption(call: OssCall) -> Encryption | None:
    """The default encryption that the headers ask for."""
    algorithm = call.header("x-oss-server-side-encryption")
    if algorithm is None:
        return None
    return Encryption(
        algorithm,
        call.header("x-oss-server-side-encryption-key-id"),
        call.header("x-oss-server-side-data-encryption"),
    )


@dataclass(frozen=True, slots=True)
class _WantedBucket:
    """What the body asks for; None where it says nothing."""

    storage_class: str | None = None
    redundancy: str | None = None


def _wanted(call: OssCall) -> _WantedBucket:
    """Raises Refusal for a class, a redundancy or a location that cannot be."""
    if not call.request.body.strip():
        return _WantedBucket()
    body = call.body("CreateBucketConfiguration")
    wanted = _WantedBucket(body.value("StorageClass") or None, body.value("DataRedundancyType") or None)
    if wanted.storage_class not in (None, *_STORAGE_CLASSES):
        raise invalid_argument(Oss.STORAGE_CLASS, "StorageClass", wanted.storage_class or "")
    if wanted.redundancy not in (None, "LRS", "ZRS"):
        raise invalid_argument(Oss.REDUNDANCY, "DataRedundancyType", wanted.redundancy or "")
    place = body.value("LocationConstraint")
    if place and place != location(call.region or call.store.world.region):
        raise OssRefusal(Oss.LOCATION, LocationConstraint=place)
    return wanted


def _refuse_another(call: OssCall, existing: Bucket, wanted: _WantedBucket) -> None:
    """Raise Refusal(BucketAlreadyExists) for a name that is taken, and for what a bucket cannot become later."""
    refused = None
    if existing.owner_id != call.account_id:
        refused = Oss.NAME_TAKEN
    elif call.region not in (None, existing.region):
        refused = Oss.OTHER_LOCATION
    elif wanted.storage_class not in (None, existing.storage_class):
        refused = Oss.OTHER_STORAGE_CLASS
    elif wanted.redundancy not in (None, existing.redundancy):
        refused = Oss.OTHER_REDUNDANCY
    if refused is not None:
        raise OssRefusal(refused, BucketName=call.name)


def delete(call: OssCall) -> Response:
    """Delete an empty bucket."""
    if call.bucket.objects or call.bucket.uploads:
        raise OssRefusal(Oss.NOT_EMPTY, BucketName=call.name)
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
