"""The bucket's ACL. Putting it on a bucket that does not exist creates the bucket, as the service does.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketacl
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.call import Admission, Level, Operation, OssCall, answer
from emulator.oss.codes import Oss
from emulator.oss.creation import located, new_bucket, requested_acl
from emulator.oss.errors import OssRefusal


def put(call: OssCall) -> Response:
    """Replace the ACL, or create the bucket with it; either way it is located, as recorded answers are."""
    acl = requested_acl(call, "")
    bucket = call.store.buckets.get(call.name)
    if bucket is None:
        new_bucket(call, acl)
        return located(call)
    if acl != "private" and call.store.blocks_public_access(bucket):
        raise OssRefusal(Oss.PUBLIC_ACL)
    before, bucket.acl = bucket.acl, acl
    call.changed(before, acl)
    return located(call)


def get(call: OssCall) -> Response:
    """The owner and the one grant that stands for the ACL."""
    bucket = call.bucket
    return answer(
        "AccessControlPolicy",
        [
            ("Owner", [("ID", bucket.owner_id), ("DisplayName", bucket.owner_id)]),
            ("AccessControlList", [("Grant", bucket.acl)]),
        ],
    )


OPERATIONS = (
    Operation("PutBucketAcl", Level.BUCKET, "PUT", "acl", put, Admission.OWNER_OR_NEW),
    Operation("GetBucketAcl", Level.BUCKET, "GET", "acl", get, reads=True),
)
