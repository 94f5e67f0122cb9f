"""Making objects: what of a request stays with one, how it is encrypted, and the journal's line about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from emulator.oss.bucket import StoredObject
from emulator.oss.call import Call
from emulator.oss.crc64 import crc64

DESCRIBING_HEADERS = frozenset(
    {"content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires"}
)
_SSE = "x-oss-server-side-encryption"


def journal_object(call: Call, **detail: str | int) -> None:
    """Write an object's change down; the bucket's configuration stays, so nobody is told."""
    call.store.world.journal.changed(
        "oss", call.operation.name, call.name,
        request_id=call.request_id, access_key_id=call.caller.access_key_id, **detail,
    )  # fmt: skip


def kept_headers(call: Call) -> tuple[tuple[str, str], ...]:
    """The headers of a request that stay with the object it makes."""
    return tuple(
        (name, value)
        for name, value in call.request.headers.items()
        if name in DESCRIBING_HEADERS or name.startswith("x-oss-meta-")
    ) + tuple(encryption(call))


def encryption(call: Call) -> Iterator[tuple[str, str]]:
    """How the object is said to be encrypted: as asked for, else as the bucket's default says."""
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
    call: Call,
    body: bytes,
    headers: tuple[tuple[str, str], ...],
    *,
    etag: str | None = None,
    acl: str = "default",
    kind: str = "Normal",
) -> StoredObject:
    """Make the addressed object, in place of any that is there."""
    digest = etag or hashlib.md5(body, usedforsecurity=False).hexdigest().upper()
    stored = StoredObject(body, digest, crc64(body), call.store.world.clock.now(), headers, acl, kind)
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
