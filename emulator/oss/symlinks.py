"""Symbolic links: objects that stand for another one of their bucket.

https://www.alibabacloud.com/help/en/oss/developer-reference/putsymlink
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, unquote

from emulator.http import Response
from emulator.oss.call import Admission, Level, Operation, OssCall
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal, invalid_argument
from emulator.oss.storing import kept_headers, made, refuse_overwriting, store_object, stored_object, tags_asked

TARGET = "x-oss-symlink-target"


def put(call: OssCall) -> Response:
    """Make a link; its target need not exist."""
    target = unquote(call.header(TARGET) or "")
    if not target:
        raise invalid_argument(Oss.LINK_WITHOUT_TARGET, TARGET, "")
    refuse_overwriting(call)
    stored = store_object(call, b"", kept_headers(call), kind="Symlink", tags=tags_asked(call))
    call.bucket.objects[call.address.key] = replace(stored, target=target)
    return Response(200, made(stored))


def get(call: OssCall) -> Response:
    """Where a link leads, percent-encoded."""
    stored = stored_object(call)
    if stored.target is None:
        raise OssRefusal(Oss.NOT_A_LINK)
    return Response(200, [(TARGET, quote(stored.target)), ("ETag", f'"{stored.etag}"')])


OPERATIONS = (
    Operation("PutSymlink", Level.OBJECT, "PUT", "symlink", put, Admission.WRITER),
    Operation("GetSymlink", Level.OBJECT, "GET", "symlink", get, Admission.READER, reads=True),
)
