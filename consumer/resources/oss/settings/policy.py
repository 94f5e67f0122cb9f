"""The bucket policy: JSON text of an object, as it was put.

https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketpolicy
"""

from __future__ import annotations

import json

from consumer.core import json_text
from consumer.resources.oss.settings.base import Setting, SettingRequest


def _parse(body: bytes) -> str:
    """The text, unless it is cut or no policy at all; what it means is judged elsewhere."""
    text = body.decode()
    try:
        document = json_text.parse(text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    except json.JSONDecodeError:
        raise
    except ValueError:
        return text  # whole, but with a number or a depth that no policy has
    if not isinstance(document, dict):
        raise TypeError("a policy is a JSON object")
    return text


def _render(policy: str | None) -> bytes:
    if policy is None:
        raise ValueError("no policy is deleted, not written")
    return policy.encode()


POLICY: Setting[str | None] = Setting(
    name="policy",
    record=str | None,
    unset=None,
    get=SettingRequest.reading("GetBucketPolicy", "policy"),
    put=SettingRequest.writing("PutBucketPolicy", "policy"),
    delete=SettingRequest.clearing("DeleteBucketPolicy", "policy"),
    parse=_parse,
    render=_render,
    # Only this code: "no policy" is the one unset setting that means that all is well.
    unset_code="NoSuchBucketPolicy",
)
"""A write is refused while Block Public Access is on and the policy is public."""
