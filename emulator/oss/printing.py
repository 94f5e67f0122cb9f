"""Small pieces of text that several operations read and print alike: moments, page sizes, ranges."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from urllib.parse import quote

from emulator.oss.call import OssCall
from emulator.oss.codes import Oss
from emulator.oss.errors import invalid_argument
from emulator.xml import Node

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def iso(seconds: float) -> str:
    """A moment as the service prints it: `2026-01-31T10:56:21.000Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def encoded(call: OssCall, name: str) -> str:
    """A key or a prefix as the request wants it: percent-encoded with `encoding-type=url`, which any key survives."""
    return quote(name) if call.query.get("encoding-type") == "url" else name


def encoding(call: OssCall) -> list[Node]:
    """The element that says how names are encoded; none when they are not."""
    return [("EncodingType", "url")] if call.query.get("encoding-type") == "url" else []


def tag_set(tags: Iterable[tuple[str, str]]) -> Node:
    """The tags of a bucket or an object; the element is there without any, too."""
    return "TagSet", [("Tag", [("Key", key), ("Value", value)]) for key, value in tags]


def read_max_keys(call: OssCall, default: int, most: int = 1000, *, name: str = "max-keys") -> int:
    """The page size a request asks for; raises Refusal unless it is 1 to `most`."""
    text = call.query.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid_argument(Oss.PAGE_SIZE, name, text, name, most)
    return int(text)


def read_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte requested; None means all, as for a range that makes no sense."""
    match = _RANGE.fullmatch(header or "")
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size - 1
    end = min(int(last), size - 1) if last else size - 1
    return (int(first), end) if int(first) <= end else None
