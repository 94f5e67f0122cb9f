"""The bucket policy, kept as the text it was put as, and whether it is public.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketpolicy
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.call import Level, Operation, OssCall, answer, done, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.policy_document import check, check_source_ip
from emulator.oss.public_policy import public_policy
from emulator.oss.subresources.booleans import shown


def put(call: OssCall) -> Response:
    """Replace the policy; a public one is refused under Block Public Access.

    The option `oss_source_ip_refusal` (400 or 403) refuses `acs:SourceIp` without a VPC, as the service may.
    """
    policy = check(call.request.body)
    if status := call.store.world.options.get("oss_source_ip_refusal"):
        check_source_ip(policy, int(str(status)))
    if public_policy(policy) and call.store.blocks_public_access(call.bucket):
        raise OssRefusal(Oss.PUBLIC_POLICY)
    before, call.bucket.policy = call.bucket.policy, policy
    call.changed(before, policy)
    return done()


def get(call: OssCall) -> Response:
    """The JSON text; raises Refusal(NoSuchBucketPolicy) when there is none."""
    policy = call.bucket.policy
    if policy is None:
        raise OssRefusal(Oss.NO_POLICY, BucketName=call.name)
    return Response(200, [("Content-Type", "application/json")], policy.encode())


def delete(call: OssCall) -> Response:
    """Drop the policy; without one nothing happens."""
    before, call.bucket.policy = call.bucket.policy, None
    if before is not None:
        call.changed(before, None)
    return gone()


def status(call: OssCall) -> Response:
    """Whether the policy lets everybody do something."""
    return answer("PolicyStatus", [("IsPublic", shown(public_policy(call.bucket.policy)))])


OPERATIONS = (
    Operation("PutBucketPolicy", Level.BUCKET, "PUT", "policy", put),
    Operation("GetBucketPolicy", Level.BUCKET, "GET", "policy", get, reads=True),
    Operation("DeleteBucketPolicy", Level.BUCKET, "DELETE", "policy", delete),
    Operation("GetBucketPolicyStatus", Level.BUCKET, "GET", "policyStatus", status, reads=True),
)
