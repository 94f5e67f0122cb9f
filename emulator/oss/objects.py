"""Objects in small: put, get, head, append, delete. No versions and no storage classes.

Enough for a logging target and for the samples of the SDKs.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from email.utils import formatdate

from emulator.http import Response
from emulator.oss import conditions, copying
from emulator.oss.bucket import StoredObject
from emulator.oss.call import Admission, Level, Operation, OssCall, answer, done, gone
from emulator.oss.codes import Oss
from emulator.oss.document import parse_with_any_character
from emulator.oss.errors import OssRefusal, invalid_argument
from emulator.oss.printing import encoded, encoding, read_range
from emulator.oss.storing import (
    DESCRIBING_HEADERS,
    journal_object,
    kept_headers,
    made,
    refuse_overwriting,
    store_object,
    stored_object,
    tags_asked,
)
from emulator.xml import Node

_ACLS = frozenset({"default", "private", "public-read", "public-read-write"})
_LONGEST_KEY_BYTES = 1023
_NEXT_POSITION = "x-oss-next-append-position"


def _check_key(key: str) -> None:
    """Raise Refusal(InvalidObjectName) for a name that no object can have."""
    if key.startswith(("/", "\\")) or len(key.encode("utf-8", "surrogateescape")) > _LONGEST_KEY_BYTES:
        raise OssRefusal(Oss.KEY, ObjectName=key)


def put(call: OssCall) -> Response:
    """Store an object whole, or copy another one."""
    _check_key(call.address.key)
    acl = call.header("x-oss-object-acl") or "default"
    if acl not in _ACLS:
        raise invalid_argument(Oss.OBJECT_ACL, "x-oss-object-acl", acl)
    refuse_overwriting(call)
    if call.header(copying.SOURCE) is not None:
        return copying.copy(call, acl)
    stored = store_object(call, call.request.body, kept_headers(call), acl=acl, tags=tags_asked(call))
    return Response(200, [*made(stored), ("Content-MD5", _content_md5(stored))])


def _content_md5(stored: StoredObject) -> str:
    """The digest of an object that was put whole, whose ETag is the same in hexadecimal digits."""
    return base64.b64encode(bytes.fromhex(stored.etag)).decode()


def get(call: OssCall) -> Response:
    """An object's content, or the part of it that a Range names."""
    stored = _readable(call)
    headers = _object_headers(call, stored)
    span = read_range(call.header("range"), len(stored.body))
    if span is None:
        return Response(200, headers, stored.body)
    first, last = span
    headers.append(("Content-Range", f"bytes {first}-{last}/{len(stored.body)}"))
    return Response(206, headers, stored.body[first : last + 1])


def head(call: OssCall) -> Response:
    """An object's headers."""
    stored = _readable(call)
    return Response(200, [*_object_headers(call, stored), ("Content-Length", str(len(stored.body)))])


def _readable(call: OssCall) -> StoredObject:
    """The addressed object, or what a link leads to, once the request's conditions hold."""
    stored = stored_object(call)
    if stored.target is not None:
        behind = call.bucket.objects.get(stored.target)
        if behind is None:
            raise OssRefusal(Oss.LINK_TO_NOTHING)
        if behind.target is not None:
            raise OssRefusal(Oss.LINK_TO_LINK)
        # Content, size and ETag are the target's, what describes them is the link's own.
        stored = replace(behind, kind=stored.kind, headers=stored.headers, tags=stored.tags)
    conditions.check(call, stored)
    return stored


def _object_headers(call: OssCall, stored: StoredObject) -> list[tuple[str, str]]:
    given = dict(stored.headers)
    for name in DESCRIBING_HEADERS:
        override = call.query.get(f"response-{name}")
        if override:
            given[name] = override
    given.setdefault("content-type", "application/octet-stream")
    return [
        *((name.title() if name in DESCRIBING_HEADERS else name, value) for name, value in given.items()),
        ("ETag", f'"{stored.etag}"'),
        ("Last-Modified", formatdate(stored.modified, usegmt=True)),
        ("Accept-Ranges", "bytes"),
        ("x-oss-object-type", stored.kind),
        ("x-oss-storage-class", call.bucket.storage_class),
        ("x-oss-hash-crc64ecma", str(stored.crc64)),
        *([("Content-MD5", _content_md5(stored))] if stored.kind == "Normal" else []),
        *([(_NEXT_POSITION, str(len(stored.body)))] if stored.kind == "Appendable" else []),
        *([("x-oss-tagging-count", str(len(stored.tags)))] if stored.tags else []),
    ]


def delete(call: OssCall) -> Response:
    """Remove an object; one that is not there is gone already."""
    if call.bucket.objects.pop(call.address.key, None) is not None:
        journal_object(call, key=call.address.key)
    return gone()


def delete_many(call: OssCall) -> Response:
    """Remove the listed objects and list them as deleted; an empty body in quiet mode."""
    body = parse_with_any_character(call.request.body, "Delete")
    keys = [item.texts().get("Key", "") for item in body.all("Object")]
    if not keys or len(keys) > 1000:
        raise OssRefusal(Oss.MALFORMED)
    for key in keys:
        call.bucket.objects.pop(key, None)
    journal_object(call, keys=len(keys))
    if (body.value("Quiet") or "").lower() == "true":
        return done()
    deleted: list[Node] = [("Deleted", [("Key", encoded(call, key))]) for key in keys]
    return answer("DeleteResult", [*encoding(call), *deleted])


def get_acl(call: OssCall) -> Response:
    """An object's ACL."""
    owner = call.bucket.owner_id
    return answer(
        "AccessControlPolicy",
        [
            ("Owner", [("ID", owner), ("DisplayName", owner)]),
            ("AccessControlList", [("Grant", stored_object(call).acl)]),
        ],
    )


def put_acl(call: OssCall) -> Response:
    """Replace an object's ACL."""
    stored, acl = stored_object(call), call.header("x-oss-object-acl") or ""
    if acl not in _ACLS:
        raise invalid_argument(Oss.OBJECT_ACL, "x-oss-object-acl", acl)
    if acl.startswith("public") and call.store.blocks_public_access(call.bucket):
        raise OssRefusal(Oss.PUBLIC_OBJECT_ACL)
    call.bucket.objects[call.address.key] = replace(stored, acl=acl)
    journal_object(call, key=call.address.key, before=stored.acl, after=acl)
    return Response(200)


def append(call: OssCall) -> Response:
    """Write at the end of an appendable object, which the first call creates."""
    stored = call.bucket.objects.get(call.address.key)
    before = b"" if stored is None else stored.body
    if stored is not None and stored.kind != "Appendable":
        raise OssRefusal(Oss.NOT_APPENDABLE)
    position = call.query.get("position", "")
    if not position.isdecimal():
        raise invalid_argument(Oss.POSITION_NO_NUMBER, "position", position)
    if int(position) != len(before):
        refusal = OssRefusal(Oss.POSITION)
        refusal.headers.append((_NEXT_POSITION, str(len(before))))
        raise refusal
    body = before + call.request.body
    headers, tags = (kept_headers(call), tags_asked(call)) if stored is None else (stored.headers, stored.tags)
    longer = store_object(call, body, headers, kind="Appendable", tags=tags)
    return Response(200, [*made(longer), (_NEXT_POSITION, str(len(body)))])


_READ, _WRITE = Admission.READER, Admission.WRITER

OPERATIONS = (
    Operation("DeleteMultipleObjects", Level.BUCKET, "POST", "delete", delete_many, _WRITE),
    Operation("AppendObject", Level.OBJECT, "POST", "append", append, _WRITE),
    Operation("PutObject", Level.OBJECT, "PUT", "", put, _WRITE),
    Operation("GetObject", Level.OBJECT, "GET", "", get, _READ, reads=True),
    Operation("HeadObject", Level.OBJECT, "HEAD", "", head, _READ, reads=True),
    Operation("GetObjectMeta", Level.OBJECT, "HEAD", "objectMeta", head, _READ, reads=True),
    # As aiooss2 and old Go clients ask; they read the object's size from Content-Length, so the body comes along.
    Operation("GetObjectMeta", Level.OBJECT, "GET", "objectMeta", get, _READ, reads=True),
    Operation("DeleteObject", Level.OBJECT, "DELETE", "", delete, _WRITE),
    Operation("GetObjectACL", Level.OBJECT, "GET", "acl", get_acl, reads=True),
    Operation("PutObjectACL", Level.OBJECT, "PUT", "acl", put_acl),
)
