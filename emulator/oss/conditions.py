"""Conditional reads: whether an object is (not) the one, or (not) as old, as the request's headers ask for.

https://www.alibabacloud.com/help/en/oss/developer-reference/getobject and `…/copyobject`
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from emulator.oss.bucket import StoredObject
from emulator.oss.call import OssCall
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal


def check(call: OssCall, stored: StoredObject, prefix: str = "") -> None:
    """Raise Refusal(PreconditionFailed) or Refusal(NotModified) unless every condition holds.

    `prefix` is what stands before the headers' usual names: `x-oss-copy-source-` for the source of a copy.
    A date that is none is ignored, as the service does.
    """
    modified = int(stored.modified)
    match, none_match = call.header(f"{prefix}if-match"), call.header(f"{prefix}if-none-match")
    since = _seconds(call.header(f"{prefix}if-modified-since"))
    before = _seconds(call.header(f"{prefix}if-unmodified-since"))
    if match is not None and not _same(match, stored):
        raise OssRefusal(Oss.PRECONDITION, "If-Match")
    if before is not None and modified > before:
        raise OssRefusal(Oss.PRECONDITION, "If-Unmodified-Since")
    if (none_match is not None and _same(none_match, stored)) or (since is not None and modified <= since):
        raise OssRefusal(Oss.NOT_MODIFIED)


def _same(etag: str, stored: StoredObject) -> bool:
    return etag.strip().strip('"').upper() == stored.etag.upper()


def _seconds(date: str | None) -> float | None:
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
