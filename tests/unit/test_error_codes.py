"""Error codes: only what is known to be permanent gives a message up; everything else is tried again."""

from __future__ import annotations

import pytest
from oss2.exceptions import ServerError

from consumer.aliyun.error_codes import MNS, OSS, STATUSES, ErrorType, kind_of
from consumer.aliyun.oss.errors import translated
from consumer.core.errors import (
    AccountSuspended,
    Busy,
    DeniedByResource,
    MessageGone,
    NotAuthenticated,
    PermanentError,
    PermissionMissing,
    PublicAccessBlocked,
    QueueMissing,
    ResourceGone,
    Retryable,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
    UnknownRefusal,
)

PERMANENT_OSS = {
    "BucketAlreadyExists", "BucketDataRedundancyTransitionTaskAlreadyExist", "BucketDataRedundancyTypeNotSupport",
    "BucketNotBelongTo", "BucketNotEmpty", "InvalidArgument", "InvalidBucketName", "InvalidDigest",
    "InvalidEncryptionAlgorithmError", "InvalidPolicyDocument", "InvalidTargetBucketForLogging", "MalformedPolicy",
    "MalformedXML", "MethodNotAllowed", "MissingArgument", "NotImplemented", "SecondLevelDomainForbidden",
    "TooManyBuckets", "WORMConfigurationLocked",
}  # fmt: skip
"""Of the service's error reference, https://www.alibabacloud.com/help/en/oss/user-guide/overview-14: what the same
request will be refused for again."""

PERMANENT_MNS = {
    "EndpointInvalid", "InvalidArgument", "InvalidAuthorizationHeader", "InvalidDegist", "InvalidDigest",
    "InvalidQueryString", "InvalidQueueName", "InvalidRequestURL", "MalformedXML", "MethodNotAllowed",
    "MissingArgument", "MissingAuthorizationHeader", "MissingDateHeader", "MissingReceiptHandle",
    "MissingVisibilityTimeout", "NotImplemented", "QueueAlreadyExist", "QueueNameLengthError",
    "SubscriptionAlreadyExist", "SubscriptionNameInvalid", "SubscriptionNameLengthError", "SubscriptionNotExist",
    "TopicAlreadyExist", "TopicNameInvalid", "TopicNameLengthError", "TopicNotExist",
}  # fmt: skip
"""Of https://www.alibabacloud.com/help/en/mns/developer-reference/syntax-of-error-responses."""

OSS_ROWS: list[tuple[int, str, ErrorType]] = [
    (404, "NoSuchBucket", ResourceGone),
    (403, "AccessDenied", PermissionMissing),
    *[(403, code, NotAuthenticated) for code in (
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurityToken", "SecurityTokenExpired",
        "SecurityTokenNotSupported", "AccessKeyIdAndSecurityTokenNotMatch", "RequestTimeTooSkewed")],
    *[(403, code, AccountSuspended) for code in (
        "UserDisable", "InDebt", "InDebtOverdue", "BucketDisable", "AbnormalBucketOwnerStatus",
        "InvalidBucketOwnerStatus")],
    *[(503, code, Throttled) for code in (
        "MetaOperationQpsLimitExceeded", "TotalQpsLimitExceeded", "UploadTrafficRateLimitExceeded",
        "DownloadTrafficRateLimitExceeded", "ActiveRequestLimitExceeded", "CpuLimitExceeded", "QpsLimitExceeded")],
    (429, "TooManyRequests", Throttled),
    (400, "RequestTimeout", Unanswered),
    (500, "InternalError", Unavailable),
    (503, "ServiceUnavailable", Unavailable),
    (409, "OperationAborted", Unavailable),
    (409, "BucketBusy", Busy),
    (409, "OperationConflict", Busy),
    (412, "PreconditionFailed", Busy),
    *[(400, code, PermanentError) for code in sorted(PERMANENT_OSS)],
]  # fmt: skip

MNS_ROWS: list[tuple[int, str, ErrorType]] = [
    (404, "MessageNotExist", MessageGone),
    (400, "ReceiptHandleError", MessageGone),
    (404, "QueueNotExist", QueueMissing),
    (403, "AccessDenied", PermissionMissing),
    *[(403, code, NotAuthenticated) for code in (
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurityToken", "SecurityTokenExpired",
        "SecurityTokenNotSupported", "AccessKeyIdAndSecurityTokenNotMatch")],
    (408, "TimeExpired", NotAuthenticated),
    (400, "InvalidDateHeader", NotAuthenticated),
    (400, "QpsLimitExceeded", Throttled),
    (429, "TooManyRequests", Throttled),
    (500, "InternalError", Unavailable),
    (500, "InternalServerError", Unavailable),
    (503, "ServiceUnavailable", Unavailable),
    (400, "QueueDeletedRecently", Busy),
    *[(400, code, PermanentError) for code in sorted(PERMANENT_MNS)],
]  # fmt: skip

STATUS_ROWS: list[tuple[int, ErrorType]] = [
    (408, Unanswered),
    (409, Busy),
    (412, Busy),
    (423, Busy),
    (425, Busy),
    (429, Throttled),
    (500, Unavailable),
    (502, Unavailable),
    (503, Unavailable),
    (599, Unavailable),
]
"""What is passing by its status alone, whatever its code: the classes that other clients of the services repeat."""


@pytest.mark.parametrize(("status", "code", "kind"), OSS_ROWS)
def test_what_an_oss_code_means(status: int, code: str, kind: ErrorType) -> None:
    """Row by row."""
    assert kind_of(OSS, code, status) is kind


@pytest.mark.parametrize(("status", "code", "kind"), MNS_ROWS)
def test_what_an_mns_code_means(status: int, code: str, kind: ErrorType) -> None:
    """Row by row."""
    assert kind_of(MNS, code, status) is kind


def test_every_row_of_the_tables_is_tested() -> None:
    """A new code comes with its expectation."""
    assert set(OSS) == {code for _, code, _ in OSS_ROWS}
    assert set(MNS) == {code for _, code, _ in MNS_ROWS}
    assert set(STATUSES) <= {status for status, _ in STATUS_ROWS}


@pytest.mark.parametrize("codes", [OSS, MNS], ids=["oss", "mns"])
@pytest.mark.parametrize(("status", "kind"), STATUS_ROWS)
def test_a_passing_status_is_passing_whatever_the_code(
    codes: dict[str, ErrorType], status: int, kind: ErrorType
) -> None:
    """Nobody has written every code down."""
    assert kind_of(codes, "NeverSeenBefore", status) is kind
    assert issubclass(kind, Retryable)


@pytest.mark.parametrize("codes", [OSS, MNS], ids=["oss", "mns"])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 405, 406, 410, 411, 413, 415, 416, 422, 424, 426, 451])
def test_an_unknown_refusal_gives_nothing_up(codes: dict[str, ErrorType], status: int) -> None:
    """It fails, with backoff, and is given up only after as many deliveries as a failure has."""
    kind = kind_of(codes, "NeverSeenBefore", status)
    assert kind is UnknownRefusal
    assert not issubclass(kind, PermanentError)


def test_a_setting_that_is_not_there_is_known() -> None:
    """OSS calls an unset setting an error, each with a code of its own; only a 404 says so."""
    assert kind_of(OSS, "NoSuchBucketPolicy", 404) is PermanentError
    assert kind_of(OSS, "NoSuchLuck", 403) is UnknownRefusal


@pytest.mark.parametrize(("status", "code", "kind"), [*OSS_ROWS, (403, "NeverSeenBefore", UnknownRefusal)])
def test_the_gateway_uses_the_table(status: int, code: str, kind: ErrorType) -> None:
    """What oss2 raises becomes the error of its row."""
    error = translated("GetBucketInfo", ServerError(status, {}, b"", {"Code": code, "Message": "as the test wants it"}))
    assert type(error) is kind
    assert (error.code, error.status) == (code, status)


_DENIED = "Access denied by bucket policy."
_BY_RAM = "<AccessDeniedDetail><PolicyType>AccountLevelIdentityBasedPolicy</PolicyType></AccessDeniedDetail>"


@pytest.mark.parametrize(
    ("message", "body", "error"),
    [
        (_DENIED, "", DeniedByResource),
        (_DENIED, "<EC>0003-00000101</EC>", DeniedByResource),
        # https://www.alibabacloud.com/help/en/oss/support/0003-00000201: a Deny of RAM, in the same sentence
        (_DENIED, f"{_BY_RAM}<EC>0003-00000201</EC>", PermissionMissing),
        (_DENIED, _BY_RAM, PermissionMissing),
        (_DENIED, "<EC>0003-00000203</EC>", PermissionMissing),
        # https://www.alibabacloud.com/help/en/oss/support/0003-00000301: the policy of a session
        (_DENIED, "<EC>0003-00000301</EC>", PermissionMissing),
        # https://www.alibabacloud.com/help/en/oss/support/0003-00000001: also said where oss:GetBucketInfo is missing
        ("The bucket you access does not belong to you.", "<EC>0003-00000001</EC>", PermissionMissing),
        ("Put public bucket acl is not allowed", "", PublicAccessBlocked),
    ],
)
def test_a_bucket_policy_is_to_blame_only_where_ram_is_not(message: str, body: str, error: type[ServiceError]) -> None:
    """What somebody can grant in RAM waits for that; what the bucket itself refuses does not."""
    details = {"Code": "AccessDenied", "Message": message}
    found = translated("PutBucketAcl", ServerError(403, {}, f"<Error>{body}</Error>".encode(), details))
    assert type(found) is error
