"""Multipart uploads: parts are kept until they are put together or given up.

https://www.alibabacloud.com/help/en/oss/developer-reference/multipart-upload-operations
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping

from emulator.http import Response
from emulator.oss import copying
from emulator.oss.bucket import Upload
from emulator.oss.call import Admission, Level, Operation, OssCall, answer, gone
from emulator.oss.codes import Oss
from emulator.oss.crc64 import crc64
from emulator.oss.errors import OssRefusal, invalid_argument
from emulator.oss.printing import encoded, encoding, iso, read_max_keys, read_range
from emulator.oss.storing import encrypted, journal_object, kept_headers, made, store_object, tags_asked
from emulator.xml import Element, Node

_MOST_PARTS = 10_000
_WRITE = Admission.WRITER


def _upload(call: OssCall) -> Upload:
    upload = call.bucket.uploads.get(call.query.get("uploadId", ""))
    if upload is None or upload.key != call.address.key:
        refused = Oss.NO_UPLOAD_FOR_PART if call.operation.name == "UploadPart" else Oss.NO_UPLOAD
        raise OssRefusal(refused, UploadId=call.query.get("uploadId", ""))
    return upload


def begin(call: OssCall) -> Response:
    """Start an upload and name it."""
    upload_id = secrets.token_hex(16).upper()
    now = call.store.world.clock.now()
    call.bucket.uploads[upload_id] = Upload(call.address.key, now, kept_headers(call), tags_asked(call))
    journal_object(call, key=call.address.key, upload_id=upload_id)
    begun = answer(
        "InitiateMultipartUploadResult",
        [
            *encoding(call),
            ("Bucket", call.name),
            ("Key", encoded(call, call.address.key)),
            ("UploadId", upload_id),
        ],
    )
    begun.headers += encrypted(call.bucket.uploads[upload_id].headers)
    return begun


def put_part(call: OssCall) -> Response:
    """Keep one part, in place of one with the same number."""
    number = call.query.get("partNumber", "")
    if not number.isdecimal() or not 1 <= int(number) <= _MOST_PARTS:
        raise invalid_argument(Oss.PART_NUMBER, "PartNumber", number)
    upload = _upload(call)
    if call.header(copying.SOURCE) is not None:
        return _copy_part(call, upload, int(number))
    body = call.request.body
    upload.parts[int(number)] = body
    return Response(
        200,
        [("ETag", f'"{_etag(body)}"'), ("x-oss-hash-crc64ecma", str(crc64(body))), *encrypted(upload.headers)],
    )


def _copy_part(call: OssCall, upload: Upload, number: int) -> Response:
    """Keep an object, or the requested range of it, as one part."""
    whole = copying.source(call).body
    first, last = read_range(call.header("x-oss-copy-source-range"), len(whole)) or (0, len(whole) - 1)
    body = whole[first : last + 1]
    upload.parts[number] = body
    now = call.store.world.clock.now()
    copied = answer("CopyPartResult", [("ETag", f'"{_etag(body)}"'), ("LastModified", iso(now))])
    copied.headers += [("ETag", f'"{_etag(body)}"'), ("x-oss-copied-size", str(len(body)))]
    return copied


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest().upper()


def complete(call: OssCall) -> Response:
    """Put the listed parts together and make them the object."""
    upload = _upload(call)
    chosen = _chosen(call, upload)
    body = b"".join(upload.parts[number] for number in chosen)
    digests = b"".join(bytes.fromhex(_etag(upload.parts[number])) for number in chosen)
    etag = f"{_etag(digests)}-{len(chosen)}"
    del call.bucket.uploads[call.query["uploadId"]]
    stored = store_object(call, body, upload.headers, etag=etag, kind="Multipart", tags=upload.tags)
    done = answer(
        "CompleteMultipartUploadResult",
        [
            *encoding(call),
            ("Location", f"http://{call.request.host}/{encoded(call, call.address.key)}"),
            ("Bucket", call.name),
            ("Key", encoded(call, call.address.key)),
            ("ETag", f'"{etag}"'),
        ],
    )
    done.headers += made(stored)
    return done


def _chosen(call: OssCall, upload: Upload) -> list[int]:
    """The part numbers to put together; raises Refusal when one is missing, changed or out of order."""
    if call.header("x-oss-complete-all") == "yes":
        return sorted(upload.parts)
    listed = list(call.body("CompleteMultipartUpload").all("Part"))
    numbers = [_number(part) for part in listed]
    if not numbers:
        raise OssRefusal(Oss.PART_LIST)
    if numbers != sorted(set(numbers)):
        raise OssRefusal(Oss.PART_ORDER)
    for number, part in zip(numbers, listed, strict=True):
        given = part.value("ETag") or ""
        if number not in upload.parts or given.strip('"').upper() != _etag(upload.parts[number]):
            raise OssRefusal(Oss.PART, ETag=given, PartNumber=str(number), UploadId=call.query["uploadId"])
    return numbers


def _number(part: Element) -> int:
    text = part.value("PartNumber") or ""
    if not text.isdecimal():
        raise OssRefusal(Oss.PART_LIST)
    return int(text)


def abort(call: OssCall) -> Response:
    """Give an upload and its parts up."""
    _upload(call)
    del call.bucket.uploads[call.query["uploadId"]]
    journal_object(call, key=call.address.key, upload_id=call.query["uploadId"])
    return gone()


def list_parts(call: OssCall) -> Response:
    """The parts that have arrived, in one page."""
    upload = _upload(call)
    after = call.query.get("part-number-marker", "0")
    numbers = [number for number in sorted(upload.parts) if number > int(after if after.isdecimal() else 0)]
    nodes: list[Node] = [
        *encoding(call),
        ("Bucket", call.name),
        ("Key", encoded(call, call.address.key)),
        ("UploadId", call.query["uploadId"]),
        ("NextPartNumberMarker", str(numbers[-1] if numbers else 0)),
        ("MaxParts", "1000"),
        ("IsTruncated", "false"),
    ]
    for number in numbers:
        body = upload.parts[number]
        shown: list[Node] = [
            ("PartNumber", str(number)),
            ("LastModified", iso(upload.started)),
            ("ETag", f'"{_etag(body)}"'),
            ("Size", str(len(body))),
        ]
        nodes.append(("Part", shown))
    return answer("ListPartsResult", nodes)


def list_uploads(call: OssCall) -> Response:
    """The uploads under way, by key and id, page by page."""
    prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
    limit = read_max_keys(call, 1000, name="max-uploads")
    marker = (call.query.get("key-marker", ""), call.query.get("upload-id-marker", ""))
    found = list(dict.fromkeys(_entries(call.bucket.uploads, prefix, delimiter, marker)))
    truncated = len(found) > limit
    following = found[limit - 1] if truncated else ("", "")
    nodes: list[Node] = [
        *encoding(call),
        ("Bucket", call.name),
        ("KeyMarker", encoded(call, marker[0])),
        ("UploadIdMarker", marker[1]),
        ("NextKeyMarker", encoded(call, following[0])),
        ("NextUploadIdMarker", following[1]),
        ("Delimiter", encoded(call, delimiter)),
        ("Prefix", encoded(call, prefix)),
        ("MaxUploads", str(limit)),
        ("IsTruncated", "true" if truncated else "false"),
    ]
    for key, upload_id in found[:limit]:
        if not upload_id:
            nodes.append(("CommonPrefixes", [("Prefix", encoded(call, key))]))
            continue
        started = call.bucket.uploads[upload_id].started
        nodes.append(("Upload", [("Key", encoded(call, key)), ("UploadId", upload_id), ("Initiated", iso(started))]))
    return answer("ListMultipartUploadsResult", nodes)


def _entries(
    uploads: Mapping[str, Upload], prefix: str, delimiter: str, marker: tuple[str, str]
) -> Iterator[tuple[str, str]]:
    """Keys with upload ids after the marker, in order; a common prefix in place of the keys below it, without an id."""
    for key, upload_id in sorted((upload.key, upload_id) for upload_id, upload in uploads.items()):
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        entry = (prefix + head + found, "") if found else (key, upload_id)
        if key.startswith(prefix) and _follows(entry, marker):
            yield entry


def _follows(upload: tuple[str, str], marker: tuple[str, str]) -> bool:
    """Whether an upload comes after a marker; one without an upload id excludes its whole key."""
    return upload > marker if marker[1] else upload[0] > marker[0]


OPERATIONS = (
    Operation("InitiateMultipartUpload", Level.OBJECT, "POST", "uploads", begin, _WRITE),
    Operation("UploadPart", Level.OBJECT, "PUT", "uploadId", put_part, _WRITE),
    Operation("CompleteMultipartUpload", Level.OBJECT, "POST", "uploadId", complete, _WRITE),
    Operation("AbortMultipartUpload", Level.OBJECT, "DELETE", "uploadId", abort, _WRITE),
    Operation("ListParts", Level.OBJECT, "GET", "uploadId", list_parts, reads=True),
    Operation("ListMultipartUploads", Level.BUCKET, "GET", "uploads", list_uploads, reads=True),
)
