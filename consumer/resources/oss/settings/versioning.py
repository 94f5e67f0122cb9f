"""Whether earlier versions of objects are kept: `Enabled`, `Suspended`, or empty when it was never set.

https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketversioning
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from consumer.resources.oss.settings.base import Setting, SettingRequest
from consumer.resources.oss.xml_documents import add, unambiguous

_ROOT = "VersioningConfiguration"


def _parse(body: bytes) -> str:
    return unambiguous(body, _ROOT).findtext("Status") or ""


def _render(status: str) -> bytes:
    root = ET.Element(_ROOT)
    add(root, "Status", status)
    return ET.tostring(root)


VERSIONING: Setting[str] = Setting(
    name="versioning",
    record=str,
    unset="",
    get=SettingRequest.reading("GetBucketVersioning", "versioning"),
    put=SettingRequest.writing("PutBucketVersioning", "versioning"),
    parse=_parse,
    render=_render,
)
"""It can be suspended, and never be unset again."""
