"""Hotlink protection.

https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketreferer
"""

from __future__ import annotations

from emulator.http import Response
from emulator.oss.bucket import Referer
from emulator.oss.call import Level, Operation, OssCall, answer, done
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.subresources.booleans import flag, optional_flag, shown
from emulator.xml import Element, Node


def put(call: OssCall) -> Response:
    """Replace the whole configuration."""
    body = call.body("RefererConfiguration")
    if body.find("RefererList") is None:
        raise OssRefusal(Oss.MALFORMED)
    truncate = optional_flag(body, "AllowTruncateQueryString")
    after = Referer(
        flag(body, "AllowEmptyReferer"),
        True if truncate is None else truncate,
        optional_flag(body, "TruncatePath"),
        _referers(body.find("RefererList")),
        _referers(body.find("RefererBlacklist")),
    )
    before, call.bucket.referer = call.bucket.referer, after
    call.changed(before, after)
    return done()


def _referers(listed: Element | None) -> tuple[str, ...]:
    if listed is None:
        return ()
    return tuple(text for referer in listed.all("Referer") if (text := referer.text.strip()))


def get(call: OssCall) -> Response:
    """The configuration, or what holds when none was put."""
    referer = call.bucket.referer
    nodes: list[Node] = [
        ("AllowEmptyReferer", shown(referer.allow_empty)),
        ("AllowTruncateQueryString", shown(referer.allow_truncate_query_string)),
        ("TruncatePath", shown(bool(referer.truncate_path))),
        ("RefererList", [("Referer", pattern) for pattern in referer.allowed]),
    ]
    if referer.denied:
        nodes.append(("RefererBlacklist", [("Referer", pattern) for pattern in referer.denied]))
    return answer("RefererConfiguration", nodes)


OPERATIONS = (
    Operation("PutBucketReferer", Level.BUCKET, "PUT", "referer", put),
    Operation("GetBucketReferer", Level.BUCKET, "GET", "referer", get, reads=True),
)
