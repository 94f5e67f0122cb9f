"""Versioning: once on it can be suspended, never removed. Versions of objects are not kept here.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketversioning
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.call import Level, Operation, OssCall, answer, done
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal


def put(call: OssCall) -> Response:
    """Enable or suspend."""
    status = call.body("VersioningConfiguration").value("Status")
    if status not in ("Enabled", "Suspended"):
        raise OssRefusal(Oss.MALFORMED)
    before, call.bucket.versioning = call.bucket.versioning, status
    call.changed(before, status)
    return done()


def get(call: OssCall) -> Response:
    """The status; an empty element when it was never set."""
    status = call.bucket.versioning
    return answer("VersioningConfiguration", [] if status is None else [("Status", status)])


OPERATIONS = (
    Operation("PutBucketVersioning", Level.BUCKET, "PUT", "versioning", put),
    Operation("GetBucketVersioning", Level.BUCKET, "GET", "versioning", get, reads=True),
)
