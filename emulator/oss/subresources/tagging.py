"""The bucket's tags.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbuckettags
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.call import Level, Operation, OssCall, answer, done, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal, invalid_argument
from emulator.oss.printing import tag_set

_MOST_TAGS = 20


def put(call: OssCall) -> Response:
    """Replace all tags."""
    tag_set = call.body("Tagging").find("TagSet")
    if tag_set is None:
        raise OssRefusal(Oss.MALFORMED)
    tags: dict[str, str] = {}
    for tag in tag_set.all("Tag"):
        key, value = tag.value("Key") or "", tag.value("Value") or ""
        if not key or len(key) > 64 or len(value) > 128 or key.startswith(("http://", "https://", "Aliyun")):
            raise OssRefusal(Oss.BUCKET_TAG, Key=key, Value=value)
        if key in tags:
            raise OssRefusal(Oss.BUCKET_TAG_TWICE, Key=key, Value=value)
        tags[key] = value
    if len(tags) > _MOST_TAGS:
        raise invalid_argument(Oss.BUCKET_TAGS, "TagSet", str(len(tags)))
    before, call.bucket.tagging = call.bucket.tagging, tags
    call.changed(before, dict(tags))
    return done()


def get(call: OssCall) -> Response:
    """All tags; an empty set when there are none."""
    return answer("Tagging", [tag_set(call.bucket.tagging.items())])


def delete(call: OssCall) -> Response:
    """Drop all tags, or only those whose keys are listed in the parameter (`tagging=k1,k2`)."""
    listed = call.query["tagging"]
    dropped = set(listed.split(",")) if listed else set(call.bucket.tagging)
    before = call.bucket.tagging
    call.bucket.tagging = {key: value for key, value in before.items() if key not in dropped}
    if before != call.bucket.tagging:
        call.changed(before, dict(call.bucket.tagging))
    return gone()


OPERATIONS = (
    Operation("PutBucketTags", Level.BUCKET, "PUT", "tagging", put),
    Operation("GetBucketTags", Level.BUCKET, "GET", "tagging", get, reads=True),
    Operation("DeleteBucketTags", Level.BUCKET, "DELETE", "tagging", delete),
)
