"""Listing a bucket's objects: version 1, version 2, and as versions.

https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectsv2
"""

from __future__ import annotations

import base64

from emulator.http import Response
from emulator.oss.call import XML, Admission, Level, Operation, OssCall, answer
from emulator.oss.codes import Oss
from emulator.oss.document import render
from emulator.oss.errors import invalid_argument
from emulator.oss.printing import encoded, encoding, iso, read_max_keys
from emulator.xml import Node


def listing(call: OssCall) -> Response:
    """The bucket's objects by name, in version 1 or 2 of the listing."""
    second = call.query.get("list-type") == "2"
    prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
    marker = call.query.get("marker", "")
    if second:
        marker = _from_token(call.query.get("continuation-token", "")) or call.query.get("start-after", "")
    limit = read_max_keys(call, 100)
    keys, prefixes, following = _page(sorted(call.bucket.objects), prefix, delimiter, marker, limit)
    content: list[Node] = [
        ("Name", call.name),
        ("Prefix", encoded(call, prefix)),
        ("MaxKeys", str(limit)),
        ("Delimiter", encoded(call, delimiter)),
        ("IsTruncated", "true" if following else "false"),
        *encoding(call),
    ]
    if second:
        content += _second(call, following)
        content.append(("KeyCount", str(len(keys) + len(prefixes))))
    else:
        content.append(("Marker", encoded(call, marker)))
        content += [("NextMarker", encoded(call, following))] if following else []
    content += [("Contents", _entry(call, key)) for key in keys]
    content += _common(call, prefixes)
    return Response(200, [XML], render("ListBucketResult", content))


def _second(call: OssCall, following: str) -> list[Node]:
    """What only version 2 has; what was not requested, and the next page where there is none, are left out."""
    content: list[Node] = []
    if start := call.query.get("start-after"):
        content.append(("StartAfter", encoded(call, start)))
    if token := call.query.get("continuation-token"):
        content.append(("ContinuationToken", token))
    if following:
        content.append(("NextContinuationToken", _token(following)))
    return content


def _common(call: OssCall, prefixes: list[str]) -> list[Node]:
    return [("CommonPrefixes", [("Prefix", encoded(call, common))]) for common in prefixes]


def _entry(call: OssCall, key: str) -> list[Node]:
    stored = call.bucket.objects[key]
    return [
        ("Key", encoded(call, key)),
        ("LastModified", iso(stored.modified)),
        ("ETag", f'"{stored.etag}"'),
        ("Type", stored.kind),
        ("Size", str(len(stored.body))),
        ("StorageClass", call.bucket.storage_class),
        *_owner(call),
    ]


def _owner(call: OssCall) -> list[Node]:
    """The owner is always in a version 1 listing, in a version 2 listing on request."""
    if call.query.get("list-type") == "2" and call.query.get("fetch-owner", "").lower() != "true":
        return []
    owner = call.bucket.owner_id
    return [("Owner", [("ID", owner), ("DisplayName", owner)])]


def versions(call: OssCall) -> Response:
    """Every object as its own and only version, page by page: older ones are not kept."""
    prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
    marker, limit = call.query.get("key-marker", ""), read_max_keys(call, 100)
    keys, prefixes, following = _page(sorted(call.bucket.objects), prefix, delimiter, marker, limit)
    content: list[Node] = [
        ("Name", call.name),
        ("Prefix", encoded(call, prefix)),
        ("KeyMarker", encoded(call, marker)),
        ("VersionIdMarker", call.query.get("version-id-marker", "")),
        ("MaxKeys", str(limit)),
        ("Delimiter", encoded(call, delimiter)),
        ("IsTruncated", "true" if following else "false"),
        *encoding(call),
    ]
    if following:
        content += [("NextKeyMarker", encoded(call, following)), ("NextVersionIdMarker", "null")]
    latest: list[Node] = [("VersionId", "null"), ("IsLatest", "true")]
    content += [("Version", [*_entry(call, key), *latest]) for key in keys]
    return answer("ListVersionsResult", content + _common(call, prefixes))


def _page(names: list[str], prefix: str, delimiter: str, marker: str, limit: int) -> tuple[list[str], list[str], str]:
    """Keys, common prefixes and where the next page follows (empty: nowhere)."""
    keys: list[str] = []
    prefixes: list[str] = []
    last = ""
    for key in names:
        if not key.startswith(prefix) or key <= marker:
            continue
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        common = prefix + head + found if found else ""
        if common and (common in prefixes[-1:] or common <= marker):
            continue
        if len(keys) + len(prefixes) == limit:
            return keys, prefixes, last
        (prefixes if common else keys).append(common or key)
        last = common or key
    return keys, prefixes, ""


def _token(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except ValueError as error:
        raise invalid_argument(Oss.PAGE_TOKEN, "continuation-token", token) from error


_READ = Admission.READER

OPERATIONS = (
    Operation("ListObjects", Level.BUCKET, "GET", "", listing, _READ, reads=True),
    Operation("ListObjectVersions", Level.BUCKET, "GET", "versions", versions, _READ, reads=True),
)
