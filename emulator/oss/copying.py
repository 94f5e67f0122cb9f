"""Copying: finds the object that a request names as its source, and makes the addressed one from it.

https://www.alibabacloud.com/help/en/oss/developer-reference/copyobject
"""

from __future__ import annotations

from urllib.parse import unquote_plus

from emulator.http import Response
from emulator.oss import conditions
from emulator.oss.bucket import StoredObject
from emulator.oss.call import OssCall, answer
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.printing import iso
from emulator.oss.storing import encryption, kept_headers, made, store_object, tags_asked

SOURCE = "x-oss-copy-source"


def _named(call: OssCall) -> tuple[str, str]:
    name, _, key = unquote_plus((call.header(SOURCE) or "").partition("?")[0]).lstrip("/").partition("/")
    return name, key


def source(call: OssCall) -> StoredObject:
    """The object that is copied; raises Refusal when there is none, it is another's, or a condition fails."""
    name, key = _named(call)
    origin = call.store.buckets.get(name)
    if origin is None:
        raise OssRefusal(Oss.NO_BUCKET, BucketName=name)
    if origin.owner_id != call.caller.account_id:
        raise OssRefusal(Oss.NOT_YOURS)
    if key not in origin.objects:
        raise OssRefusal(Oss.NO_KEY, Key=key)
    conditions.check(call, origin.objects[key], f"{SOURCE}-")
    return origin.objects[key]


def copy(call: OssCall, acl: str) -> Response:
    """Make the addressed object from the source, with its description and tags unless the request replaces them.

    An object copied onto itself gets the request's description whatever the directive says.
    """
    found = source(call)
    headers = tuple(item for item in found.headers if not item[0].startswith("x-oss-server-side-"))
    headers += tuple(encryption(call))
    onto_itself = _named(call) == (call.name, call.address.key)
    if onto_itself or (call.header("x-oss-metadata-directive") or "").upper() == "REPLACE":
        headers = kept_headers(call)
    replaced = (call.header("x-oss-tagging-directive") or "").upper() == "REPLACE"
    tags = tags_asked(call) if replaced else found.tags
    stored = store_object(call, found.body, headers, etag=found.etag, acl=acl, tags=tags)
    copied = answer("CopyObjectResult", [("ETag", f'"{stored.etag}"'), ("LastModified", iso(stored.modified))])
    copied.headers += [*made(stored), ("x-oss-copied-size", str(len(stored.body)))]
    return copied
