"""Whether a caller may do what it asks with the bucket it addresses: existence, region, ownership, grants.

Owners may do everything here; RAM policies are not emulated, and a bucket policy's Deny does not reach its
owner (the emulator speaks plain HTTP, so an https-only statement would lock everybody out).
"""

from __future__ import annotations

from emulator.oss.addressing import location
from emulator.oss.bucket import Bucket
from emulator.oss.call import Admission, Level, OssCall
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.grants import by_acl, by_policy

_ANYONE = (Admission.READER, Admission.WRITER)


def refuse_missing(call: OssCall) -> None:
    """Raise Refusal(NoSuchBucket) for a bucket that is not there, before anybody looks at keys.

    So does the service for what clients' suites ask under an unknown key: `?acl`, `?bucketInfo`, `?location`, `?stat`,
    `?versioning` (put, too), `?versions`, `list-type=2` and `?objectMeta`; only what can create a bucket looks at the
    key first. For other operations it is assumed.
    """
    operation = call.operation
    creates = operation.admission in (Admission.SIGNED, Admission.OWNER_OR_NEW)
    if operation.level is not Level.SERVICE and not creates and call.name not in call.store.buckets:
        raise OssRefusal(Oss.NO_BUCKET, BucketName=call.name)


def admit(call: OssCall) -> None:
    """Raise Refusal unless the call may go on."""
    admission = call.operation.admission
    if call.operation.level is Level.SERVICE or admission is Admission.SIGNED:
        _require_signature(call)
        return
    bucket = call.store.buckets.get(call.name)
    if bucket is None:  # it may be created
        _require_signature(call)
        return
    if admission is not Admission.OWNER_ANYWHERE:
        _check_region(call, bucket)
    if call.caller.account_id == bucket.owner_id:
        return
    if admission in _ANYONE and _granted(call, bucket):
        return
    _require_signature(call)
    if admission in _ANYONE:
        raise OssRefusal(Oss.NO_RIGHT)
    if admission is Admission.OWNER_OR_NEW:
        raise OssRefusal(Oss.NAME_TAKEN, BucketName=bucket.name)
    raise OssRefusal(Oss.NOT_YOURS)


def _require_signature(call: OssCall) -> None:
    if call.caller.key is None:
        raise OssRefusal(Oss.ANONYMOUS)


def _check_region(call: OssCall, bucket: Bucket) -> None:
    addressed = call.region
    if addressed is None or addressed == bucket.region:
        return
    raise OssRefusal(
        Oss.OTHER_ENDPOINT,
        Bucket=bucket.name,
        Endpoint=f"{location(bucket.region)}.aliyuncs.com",
    )


def _granted(call: OssCall, bucket: Bucket) -> bool:
    """Whether ACL or policy let this stranger in, Block Public Access considered."""
    writing = call.operation.admission is Admission.WRITER
    stored = bucket.objects.get(call.address.key)
    acl = stored.acl if stored is not None and stored.acl != "default" else bucket.acl
    blocked = call.store.blocks_public_access(bucket)
    everybody = by_acl(acl)
    if not blocked and (everybody.write if writing else everybody.read):
        return True
    action = f"oss:{call.operation.name}"
    if not blocked and by_policy(bucket.policy, action, None):
        return True
    account_id = call.caller.account_id
    return account_id is not None and by_policy(bucket.policy, action, account_id)
