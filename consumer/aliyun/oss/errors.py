"""What oss2 and the service behind it can say when a request fails, as the errors of this project.

What a code means stands in `consumer.aliyun.error_codes`; here is what needs more than the code to be known.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import ParseError

from oss2.exceptions import OssError

from consumer.aliyun.error_codes import OSS, kind_of
from consumer.core.errors import (
    DamagedReply,
    DeniedByResource,
    PermanentError,
    PublicAccessBlocked,
    ServiceError,
    Unavailable,
    WrongEndpoint,
)
from consumer.resources.oss.errors import SourceIpNeedsVpc

_ADDRESSED_WRONGLY = "must be addressed using the specified endpoint"
_EC_SOURCE_IP = "0030-00000008"
_SOURCE_IP_KEYS = ("acs:SourceIp", "acs:SourceVpc")
_PUBLIC_REFUSED = ("Put public bucket acl is not allowed", "Put public bucket policy is not allowed")
_POLICY_REFUSED = "Access denied by bucket policy"
_IDENTITY_REFUSED = re.compile(rb"<EC>0003-00000[23]\d\d</EC>|<PolicyType>\w*IdentityBasedPolicy</PolicyType>")
"""What distinguishes a refusal by RAM or STS from one by the bucket's policy: the sentence is the same for both.

https://www.alibabacloud.com/help/en/oss/support/0003-00000201 (the page's example is a Deny of RAM in that sentence),
-00000202 (nothing in RAM allows it), -00000203 (both deny it), -00000301 (the policy of a session)
"""


def translated(operation: str, raised: Exception) -> ServiceError:
    """The error for a failed request; an exception that is not the SDK's own means an answer it could not read."""
    if not isinstance(raised, OssError):
        kind = "unreadable XML" if isinstance(raised, ParseError) else type(raised).__name__
        return DamagedReply("oss", operation, "damaged_reply", f"the answer could not be read: {kind}")
    code, status = str(raised.code), int(raised.status)
    message, request_id = str(raised.message), str(raised.request_id)
    if status < 0:
        return PermanentError("oss", operation, "invalid_request", "the SDK refused the request before sending it")
    if not code:
        text = f"HTTP {status} without an error code"
        unnamed = Unavailable if status >= 500 else DamagedReply
        return unnamed("oss", operation, "no_error_code", text, status=status, request_id=request_id)
    if code == "PermanentRedirect" or _ADDRESSED_WRONGLY in message:
        endpoint = str(raised.details.get("Endpoint", ""))
        return WrongEndpoint("oss", operation, message, endpoint=endpoint, status=status, request_id=request_id)
    if code == "AccessDenied" and message.startswith(_PUBLIC_REFUSED):
        return PublicAccessBlocked("oss", operation, code, message, status=status, request_id=request_id)
    if str(raised.ec) == _EC_SOURCE_IP or all(key in message for key in _SOURCE_IP_KEYS):
        # Neither status nor code are documented: https://www.alibabacloud.com/help/en/oss/user-guide/0030-00000008
        return SourceIpNeedsVpc("oss", operation, code, message, status=status, request_id=request_id)
    if code == "AccessDenied" and message.startswith(_POLICY_REFUSED) and not _by_identity(raised):
        return DeniedByResource("oss", operation, code, message, status=status, request_id=request_id)
    return kind_of(OSS, code, status)("oss", operation, code, message, status=status, request_id=request_id)


def _by_identity(raised: OssError) -> bool:
    body = raised.body if isinstance(raised.body, bytes) else str(raised.body).encode("utf-8", "replace")
    return bool(_IDENTITY_REFUSED.search(body))
