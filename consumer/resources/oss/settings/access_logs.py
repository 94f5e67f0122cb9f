"""Where access logs are written; the target has to be in the same region and of the same owner.

https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketlogging
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from consumer.resources.oss.settings.base import Setting, SettingRequest
from consumer.resources.oss.xml_documents import add, unambiguous

_ROOT, _ENABLED = "BucketLoggingStatus", "LoggingEnabled"


@dataclass(frozen=True, slots=True)
class Logging:
    """Where access logs are written."""

    target_bucket: str
    target_prefix: str = ""
    role: str = ""
    """The RAM role that writes them, where one was named."""


def _parse(body: bytes) -> Logging | None:
    document = unambiguous(body, _ROOT)
    target = document.findtext(f"{_ENABLED}/TargetBucket")
    if not target:
        return None
    prefix, role = document.findtext(f"{_ENABLED}/TargetPrefix"), document.findtext(f"{_ENABLED}/LoggingRole")
    return Logging(target, prefix or "", role or "")


def _render(logging: Logging | None) -> bytes:
    if logging is None:
        raise ValueError("no access logging is deleted, not written")
    root = ET.Element(_ROOT)
    enabled = ET.SubElement(root, _ENABLED)
    add(enabled, "TargetBucket", logging.target_bucket)
    add(enabled, "TargetPrefix", logging.target_prefix)
    add(enabled, "LoggingRole", logging.role or None)
    return ET.tostring(root)


LOGGING: Setting[Logging | None] = Setting(
    name="logging",
    record=Logging | None,
    unset=None,
    get=SettingRequest.reading("GetBucketLogging", "logging"),
    put=SettingRequest.writing("PutBucketLogging", "logging"),
    delete=SettingRequest.clearing("DeleteBucketLogging", "logging"),
    parse=_parse,
    render=_render,
)
"""Logs that are already written stay when it is taken away."""
