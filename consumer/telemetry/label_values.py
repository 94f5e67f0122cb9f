"""Keeps label values bounded: error codes come from services, and a service may answer anything.

Every series lives until the process ends, so a label must have a known, small number of values.
"""

from __future__ import annotations

import re
import threading

OTHER = "other"
"""What stands for every value that is not told apart."""

_FORM = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)

KNOWN_CODES = frozenset(
    {
        "ok",
        "empty",
        # ours, for what guards hold back
        "breaker_open",
        "shared_unreachable",
        "contested",
        "in_progress",
        "over_limit",
        "paused",
        "permission_missing",
        "reads_back_old",
        "report_only",
        "tags_unreadable",
        # ours, for what a person has to look at
        "acl_not_understood",
        "encryption_not_understood",
        "logs_into_itself",
        "policy_not_understood",
        "redundancy_not_understood",
        "source_ip_without_vpc",
        "tag_value_differs",
        # ours, for requests that were not answered or not understood
        "damaged_reply",
        "given_up",
        "host_not_allowed",
        "invalid_request",
        "name_not_found",
        "network",
        "no_credentials",
        "no_error_code",
        "refused",
        "role_not_assumed",
        "reset",
        "timeout",
        "tls",
        "too_large",
        "unexpected_reply",
        "wrong_bucket",
        # MNS: https://www.alibabacloud.com/help/en/mns/developer-reference/error-codes
        "InternalError",
        "InternalServerError",
        "InvalidAccessKeyId",
        "InvalidDateHeader",
        "MessageNotExist",
        "QpsLimitExceeded",
        "QueueNotExist",
        "ReceiptHandleError",
        "TimeExpired",
        "TooManyRequests",
        # OSS: https://www.alibabacloud.com/help/en/oss/developer-reference/error-responses
        "AccessDenied",
        "AccessKeyIdAndSecurityTokenNotMatch",
        "BucketBusy",
        "BucketNotEmpty",
        "InvalidSecurityToken",
        "NoSuchBucket",
        "OperationAborted",
        "OperationConflict",
        "RequestTimeTooSkewed",
        "SecurityTokenExpired",
        "ServiceUnavailable",
        "SignatureDoesNotMatch",
        "UserDisable",
        "WrongEndpoint",
    }
)
"""Always told apart, however many other values have come first."""


class BoundedValues:
    """Lets through the known values and the first few unknown ones of a decent form; the rest become `other`."""

    def __init__(self, known: frozenset[str] = KNOWN_CODES, *, unknown_at_most: int = 40) -> None:
        self._known = known
        self._unknown_at_most = unknown_at_most
        self._admitted: set[str] = set()
        self._lock = threading.Lock()

    def of(self, value: str) -> str:
        """The value, or `other`."""
        if value in self._known or value in self._admitted:
            return value
        if not _FORM.fullmatch(value):
            return OTHER
        with self._lock:
            if value not in self._admitted and len(self._admitted) >= self._unknown_at_most:
                return OTHER
            self._admitted.add(value)
            return value
