"""Whether Block Public Access is on for a bucket; the account's own switch is not mixed in.

https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketpublicaccessblock
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from consumer.resources.oss.settings.base import ANY_MISSING, Setting, SettingRequest
from consumer.resources.oss.xml_documents import add, required_flag, unambiguous

_ROOT = "PublicAccessBlockConfiguration"


def _parse(body: bytes) -> bool:
    document = unambiguous(body, _ROOT)
    return document.find("BlockPublicAccess") is not None and required_flag(document, "BlockPublicAccess")


def _render(blocks: bool) -> bytes:
    root = ET.Element(_ROOT)
    add(root, "BlockPublicAccess", blocks)
    return ET.tostring(root)


PUBLIC_ACCESS_BLOCK: Setting[bool] = Setting(
    name="public_access_block",
    record=bool,
    unset=False,
    get=SettingRequest.reading("GetBucketPublicAccessBlock", "publicAccessBlock"),
    put=SettingRequest.writing("PutBucketPublicAccessBlock", "publicAccessBlock"),
    parse=_parse,
    render=_render,
    unset_code=ANY_MISSING,
)
