"""Making objects: what of a request stays with one, how it is encrypted, and the journal's line about it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_plus

from emulator.oss.bucket import StoredObject
from emulator.oss.call import OssCall
from emulator.oss.codes import Oss
from emulator.oss.crc64 import crc64
from emulator.oss.errors import OssRefusal, invalid_argument

DESCRIBING_HEADERS = frozenset(
    {"content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires"}
)
_SSE = "x-oss-server-side-encryption"
_MOST_TAGS = 10
_TAG_TEXT = re.compile(r"[\w +\-=.:/]*")


def stored_object(call: OssCall) -> StoredObject:
    """The addressed object; raises Refusal(NoSuchKey)."""
    found = call.bucket.objects.get(call.address.key)
    if found is None:
        raise OssRefusal(Oss.NO_KEY, Key=call.address.key)
    return found


def refuse_overwriting(call: OssCall) -> None:
    """Raise Refusal(FileAlreadyExists) when the addressed object is there and must not be replaced."""
    if call.header("x-oss-forbid-overwrite") == "true" and call.address.key in call.bucket.objects:
        raise OssRefusal(Oss.OVERWRITE)


def journal_object(call: OssCall, **detail: str | int) -> None:
    """Write an object's change down; the bucket's configuration stays, so no listener is called."""
    call.store.world.journal.changed(
        "oss", call.operation.name, call.name,
        request_id=call.request_id, access_key_id=call.caller.access_key_id, **detail,
    )  # fmt: skip


def kept_headers(call: OssCall) -> tuple[tuple[str, str], ...]:
    """The headers of a request that stay with the object it makes."""
    return tuple(
        (name, value)
        for name, value in call.request.headers.items()
        if name in DESCRIBING_HEADERS or name.startswith("x-oss-meta-")
    ) + tuple(encryption(call))


def tags_asked(call: OssCall) -> tuple[tuple[str, str], ...]:
    """The tags that the `x-oss-tagging` header, a query string, gives to the object it makes."""
    pairs = (pair.partition("=") for pair in (call.header("x-oss-tagging") or "").split("&") if pair)
    return check_tags([(unquote_plus(key), unquote_plus(value)) for key, _, value in pairs])


def check_tags(tags: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The same tags; raises Refusal when the service would not take them for an object."""
    if len(tags) > _MOST_TAGS:
        raise invalid_argument(Oss.OBJECT_TAGS, "TagSet", str(len(tags)))
    for key, value in tags:
        allowed = _TAG_TEXT.fullmatch(key) and _TAG_TEXT.fullmatch(value)
        if not allowed or not 1 <= len(key) <= 128 or len(value) > 256 or [other for other, _ in tags].count(key) > 1:
            raise OssRefusal(Oss.OBJECT_TAG, Key=key, Value=value)
    return tuple(tags)


def encryption(call: OssCall) -> Iterator[tuple[str, str]]:
    """How the answer says that the object is encrypted: as requested, else by the bucket's default."""
    rule = call.bucket.encryption
    algorithm = call.header(_SSE)
    if algorithm is not None:
        key_id, data = call.header(f"{_SSE}-key-id"), call.header("x-oss-server-side-data-encryption")
    elif rule is not None:
        algorithm, key_id, data = rule.algorithm, rule.kms_key_id, rule.kms_data_encryption
    else:
        return
    yield _SSE, algorithm
    if algorithm == "KMS":
        yield f"{_SSE}-key-id", key_id or "00000000-0000-0000-0000-000000000000"
        if data is not None:
            yield "x-oss-server-side-data-encryption", data


def store_object(
    call: OssCall,
    body: bytes,
    headers: tuple[tuple[str, str], ...],
    *,
    etag: str | None = None,
    acl: str = "default",
    kind: str = "Normal",
    tags: tuple[tuple[str, str], ...] = (),
) -> StoredObject:
    """Make the addressed object, in place of any that is there."""
    digest = etag or hashlib.md5(body, usedforsecurity=False).hexdigest().upper()
    stored = StoredObject(body, digest, crc64(body), call.store.world.clock.now(), headers, acl, kind, tags)
    call.bucket.objects[call.address.key] = stored
    journal_object(call, key=call.address.key, bytes=len(body))
    return stored


def encrypted(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Those of an object's headers that say how it is encrypted."""
    return [item for item in headers if item[0].startswith("x-oss-server-side-")]


def made(stored: StoredObject) -> list[tuple[str, str]]:
    """The headers that answer the making of an object."""
    return [
        ("ETag", f'"{stored.etag}"'),
        ("x-oss-hash-crc64ecma", str(stored.crc64)),
        *encrypted(stored.headers),
    ]
