"""Which resource group a bucket belongs to.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketresourcegroup
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.call import Level, Operation, OssCall, answer, done

_ROOT = "BucketResourceGroupConfiguration"


def put(call: OssCall) -> Response:
    """Move the bucket to a group; an empty id changes nothing."""
    group = call.body(_ROOT).value("ResourceGroupId")
    if group:
        before, call.bucket.resource_group = call.bucket.resource_group, group
        call.changed(before, group)
    return done()


def get(call: OssCall) -> Response:
    """The bucket's group."""
    return answer(_ROOT, [("ResourceGroupId", call.bucket.resource_group)])


OPERATIONS = (
    Operation("PutBucketResourceGroup", Level.BUCKET, "PUT", "resourceGroup", put),
    Operation("GetBucketResourceGroup", Level.BUCKET, "GET", "resourceGroup", get, reads=True),
)
