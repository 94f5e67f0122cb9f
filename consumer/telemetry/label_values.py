"""Keeps label values bounded: error codes come from services, and a service may answer anything.

Every series lives until the process ends, so a label must have a known, small number of values.
"""

from __future__ import annotations

import re
import threading

from consumer.resources.catalogue import kinds

OTHER = "other"
"""What stands for every value that has no series of its own."""

_FORM = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)

KNOWN_CODES = frozenset(
    {
        "ok",
        "empty",
        # ours, for what guards hold back
        "breaker_open",
        "shared_unreachable",
        "contested",
        "crowded",
        "in_progress",
        "outside_window",
        "over_limit",
        "paused",
        "permission_missing",
        "reads_back_old",
        "report_only",
        "tags_unreadable",
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
        # any service behind the same gateway
        "AccessDenied",
        "AccessKeyIdAndSecurityTokenNotMatch",
        "InvalidSecurityToken",
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
"""These have series of their own whatever the rules are about, and however many other values have come first."""


class BoundedValues:
    """Lets through the known values and the first few unknown ones of a decent form; the rest become `other`.

    Known is besides what every kind of resource names.
    """

    def __init__(self, known: frozenset[str] = KNOWN_CODES, *, unknown_at_most: int = 40) -> None:
        self._known = known.union(*(kind.codes for kind in kinds().values()))
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
