"""What GetBucketInfo answers is believed whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import oss2
import pytest

from consumer.aliyun.oss.requests import RequestingBucket


@dataclass
class Reply:
    """What a session hands to the SDK."""

    body: bytes
    status: int = 200
    request_id: str = "5C1B138A109F4E405B2D"

    def __post_init__(self) -> None:
        self.headers: dict[str, str] = {}

    def read(self) -> bytes:
        return self.body


_INFO = """<BucketInfo><Bucket><Name>photos</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate>
<Owner><ID>1234567890123456</ID></Owner><AccessControlList>{}</AccessControlList></Bucket></BucketInfo>"""


class OneReply:
    """A session that has one answer to everything."""

    def __init__(self, body: str) -> None:
        self._body = body.encode()

    def do_request(self, _request: object, **_bounds: object) -> Reply:
        return Reply(self._body)


def info(grants: str) -> Any:
    session = OneReply(_INFO.format(grants))
    auth = oss2.Auth("key", "secret")
    return RequestingBucket(auth, "https://oss-cn-hangzhou.aliyuncs.com", "photos", session=session).info()


def test_an_acl_is_one_grant() -> None:
    """Of two it could not be told which one holds, so the answer is asked for again rather than believed in part."""
    assert info("<Grant>private</Grant>").about.acl == "private"
    for grants in ("<Grant>private</Grant><Grant>public-read</Grant>", "<Grant/>", ""):
        with pytest.raises(ValueError, match="AccessControlList/Grant"):
            info(grants)
