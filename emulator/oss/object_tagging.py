"""Tags of objects, put with them or afterwards.

https://www.alibabacloud.com/help/en/oss/developer-reference/putobjecttagging
"""

from __future__ import annotations

from dataclasses import replace

from emulator.http import Response
from emulator.oss.call import Level, Operation, OssCall, answer, done, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.printing import tag_set
from emulator.oss.storing import check_tags, journal_object, stored_object


def put(call: OssCall) -> Response:
    """Replace all tags of an object."""
    tag_set = call.body("Tagging").find("TagSet")
    if tag_set is None:
        raise OssRefusal(Oss.MALFORMED)
    _keep(call, check_tags([(tag.value("Key") or "", tag.value("Value") or "") for tag in tag_set.all("Tag")]))
    return done()


def get(call: OssCall) -> Response:
    """All tags of an object; an empty set when there are none."""
    return answer("Tagging", [tag_set(stored_object(call).tags)])


def delete(call: OssCall) -> Response:
    """Drop all tags of an object."""
    _keep(call, ())
    return gone()


def _keep(call: OssCall, tags: tuple[tuple[str, str], ...]) -> None:
    call.bucket.objects[call.address.key] = replace(stored_object(call), tags=tags)
    journal_object(call, key=call.address.key, tags=len(tags))


OPERATIONS = (
    Operation("PutObjectTagging", Level.OBJECT, "PUT", "tagging", put),
    Operation("GetObjectTagging", Level.OBJECT, "GET", "tagging", get, reads=True),
    Operation("DeleteObjectTagging", Level.OBJECT, "DELETE", "tagging", delete),
)
