"""Access logging. The target has to exist, in the same region, owned by the same account; no log is written.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketlogging
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.bucket import Logging
from emulator.oss.call import Level, Operation, OssCall, answer, done, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.xml import Node


def put(call: OssCall) -> Response:
    """Replace the target; an empty status switches logging off."""
    enabled = call.body("BucketLoggingStatus").find("LoggingEnabled")
    after: Logging | None = None
    if enabled is not None:
        target = enabled.value("TargetBucket")
        if target is None:
            raise OssRefusal(Oss.LOG_TARGET_MISSING)
        _check_target(call, target)
        after = Logging(target, enabled.value("TargetPrefix") or "", enabled.value("LoggingRole"))
    before, call.bucket.logging = call.bucket.logging, after
    call.changed(before, after)
    return done()


def _check_target(call: OssCall, name: str) -> None:
    target = call.store.buckets.get(name)
    if target is None:
        problem = Oss.LOG_TARGET_ABSENT
    elif target.owner_id != call.bucket.owner_id:
        problem = Oss.LOG_TARGET_OWNER
    elif target.region != call.bucket.region:
        problem = Oss.LOG_TARGET_REGION
    else:
        return
    raise OssRefusal(problem, TargetBucket=name)


def get(call: OssCall) -> Response:
    """The target; an empty element when logging is off."""
    logging = call.bucket.logging
    if logging is None:
        return answer("BucketLoggingStatus", [])
    enabled: list[Node] = [("TargetBucket", logging.target_bucket), ("TargetPrefix", logging.target_prefix)]
    if logging.role is not None:
        enabled.append(("LoggingRole", logging.role))
    return answer("BucketLoggingStatus", [("LoggingEnabled", enabled)])


def delete(call: OssCall) -> Response:
    """Switch logging off."""
    before, call.bucket.logging = call.bucket.logging, None
    if before is not None:
        call.changed(before, None)
    return gone()


OPERATIONS = (
    Operation("PutBucketLogging", Level.BUCKET, "PUT", "logging", put),
    Operation("GetBucketLogging", Level.BUCKET, "GET", "logging", get, reads=True),
    Operation("DeleteBucketLogging", Level.BUCKET, "DELETE", "logging", delete),
)
