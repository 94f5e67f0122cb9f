"""The tags of a bucket.

https://www.alibabacloud.com/help/en/oss/developer-reference/getbuckettags
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from consumer.resources.oss.settings.base import ANY_MISSING, Setting, SettingRequest
from consumer.resources.oss.xml_documents import add, unambiguous

_ROOT = "Tagging"
_LONGEST_KEY, _LONGEST_VALUE = 128, 256


def _parse(body: bytes) -> Mapping[str, str]:
    document = unambiguous(body, _ROOT, {"Tag"})
    encoded = document.findtext("EncodingType") == "url"
    tags = {}
    for tag in document.findall("TagSet/Tag"):
        key, value = tag.findtext("Key"), tag.findtext("Value")
        if not key or value is None:
            raise ValueError("a tag has no key or no value")
        tags[unquote(key) if encoded else key] = unquote(value) if encoded else value
    return tags


def _render(tags: Mapping[str, str]) -> bytes:
    root = ET.Element(_ROOT)
    found = ET.SubElement(root, "TagSet")
    for key, value in tags.items():
        if not 0 < len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise ValueError("a tag's key has 1 to 128 characters, and its value 256 at most")
        tag = ET.SubElement(found, "Tag")
        add(tag, "Key", key)
        add(tag, "Value", value)
    return ET.tostring(root)


TAGS: Setting[Mapping[str, str]] = Setting(
    name="tags",
    record=Mapping[str, str],
    unset=MappingProxyType({}),
    # RAM names them otherwise: https://www.alibabacloud.com/help/en/oss/user-guide/ram-policy
    get=SettingRequest.reading("GetBucketTags", "tagging", "oss:GetBucketTagging"),
    put=SettingRequest.writing("PutBucketTags", "tagging", "oss:PutBucketTagging"),
    delete=SettingRequest.clearing("DeleteBucketTags", "tagging", "oss:DeleteBucketTagging"),
    parse=_parse,
    render=_render,
    unset_code=ANY_MISSING,
)
"""A write needs at least one."""
