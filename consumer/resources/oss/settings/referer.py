"""Hotlink protection.

https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketreferer
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from consumer.resources.oss.settings.base import Setting, SettingRequest
from consumer.resources.oss.xml_documents import add, add_all, flag, required_flag, texts, unambiguous

_ROOT = "RefererConfiguration"


@dataclass(frozen=True, slots=True)
class Referer:
    """Hotlink protection; it is on when `allowed` names somebody."""

    allow_empty: bool
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    allow_truncate_query_string: bool | None = None
    truncate_path: bool | None = None


def _parse(body: bytes) -> Referer:
    document = unambiguous(body, _ROOT, {"Referer"})
    truncates = document.find("AllowTruncateQueryString") is not None
    return Referer(
        required_flag(document, "AllowEmptyReferer"),
        tuple(filter(None, texts(document, "RefererList/Referer"))),
        tuple(filter(None, texts(document, "RefererBlacklist/Referer"))),
        required_flag(document, "AllowTruncateQueryString") if truncates else None,
        flag(document, "TruncatePath"),
    )


def _render(referer: Referer) -> bytes:
    root = ET.Element(_ROOT)
    add(root, "AllowEmptyReferer", referer.allow_empty)
    add(root, "AllowTruncateQueryString", referer.allow_truncate_query_string)
    add(root, "TruncatePath", referer.truncate_path)
    add_all(ET.SubElement(root, "RefererList"), "Referer", referer.allowed)
    if referer.denied:
        add_all(ET.SubElement(root, "RefererBlacklist"), "Referer", referer.denied)
    return ET.tostring(root)


REFERER: Setting[Referer] = Setting(
    name="referer",
    record=Referer,
    unset=Referer(allow_empty=True),
    get=SettingRequest.reading("GetBucketReferer", "referer"),
    put=SettingRequest.writing("PutBucketReferer", "referer"),
    parse=_parse,
    render=_render,
)
