"""What the services' error codes and statuses mean: a table for each of them, the only place that decides it.

Decided by the code first, because the statuses are not reliable (MNS: QpsLimitExceeded is a 400, TooManyRequests a 429,
TimeExpired a 408), then by the status. Only a code that is known to be permanent gives a message up. What nobody has
written down here is worth another try on a later delivery, up to `retry.max_attempts`.

Codes: https://www.alibabacloud.com/help/en/sdk/product-overview/common-error-codes,
https://www.alibabacloud.com/help/en/oss/user-guide/overview-14,
https://www.alibabacloud.com/help/en/oss/how-to-troubleshoot-403-status-code-when-you-access-oss and
https://www.alibabacloud.com/help/en/mns/developer-reference/syntax-of-error-responses
"""

from __future__ import annotations

from collections.abc import Mapping

from consumer.core.errors import (
    AccountSuspended,
    Busy,
    MessageGone,
    NotAuthenticated,
    PermanentError,
    PermissionMissing,
    QueueMissing,
    ResourceGone,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
    UnknownRefusal,
)

ErrorType = type[ServiceError]

_BOTH: Mapping[str, ErrorType] = {
    "AccessDenied": PermissionMissing,
    "InvalidAccessKeyId": NotAuthenticated,
    "SignatureDoesNotMatch": NotAuthenticated,
    "InvalidSecurityToken": NotAuthenticated,
    "SecurityTokenExpired": NotAuthenticated,
    "SecurityTokenNotSupported": NotAuthenticated,
    "AccessKeyIdAndSecurityTokenNotMatch": NotAuthenticated,
    "TooManyRequests": Throttled,
    "QpsLimitExceeded": Throttled,
    "InternalError": Unavailable,
    "ServiceUnavailable": Unavailable,
    "InvalidArgument": PermanentError,
    "InvalidDigest": PermanentError,
    "MalformedXML": PermanentError,
    "MethodNotAllowed": PermanentError,
    "MissingArgument": PermanentError,
    "NotImplemented": PermanentError,
}

OSS: Mapping[str, ErrorType] = {
    **_BOTH,
    "NoSuchBucket": ResourceGone,
    "RequestTimeTooSkewed": NotAuthenticated,
    "UserDisable": AccountSuspended,
    "InDebt": AccountSuspended,
    "InDebtOverdue": AccountSuspended,
    "BucketDisable": AccountSuspended,
    "AbnormalBucketOwnerStatus": AccountSuspended,
    "InvalidBucketOwnerStatus": AccountSuspended,
    "MetaOperationQpsLimitExceeded": Throttled,
    "TotalQpsLimitExceeded": Throttled,
    "UploadTrafficRateLimitExceeded": Throttled,
    "DownloadTrafficRateLimitExceeded": Throttled,
    "ActiveRequestLimitExceeded": Throttled,
    "CpuLimitExceeded": Throttled,
    "RequestTimeout": Unanswered,
    "OperationAborted": Unavailable,
    "BucketBusy": Busy,
    "OperationConflict": Busy,
    "PreconditionFailed": Busy,
    "BucketAlreadyExists": PermanentError,
    "BucketDataRedundancyTransitionTaskAlreadyExist": PermanentError,
    "BucketDataRedundancyTypeNotSupport": PermanentError,
    "BucketNotBelongTo": PermanentError,
    "BucketNotEmpty": PermanentError,
    "InvalidBucketName": PermanentError,
    "InvalidEncryptionAlgorithmError": PermanentError,
    "InvalidPolicyDocument": PermanentError,
    "InvalidTargetBucketForLogging": PermanentError,
    "MalformedPolicy": PermanentError,
    "SecondLevelDomainForbidden": PermanentError,
    "TooManyBuckets": PermanentError,
    "WORMConfigurationLocked": PermanentError,
}

MNS: Mapping[str, ErrorType] = {
    **_BOTH,
    "MessageNotExist": MessageGone,
    "ReceiptHandleError": MessageGone,
    "QueueNotExist": QueueMissing,
    "TimeExpired": NotAuthenticated,
    "InvalidDateHeader": NotAuthenticated,
    "InternalServerError": Unavailable,
    "QueueDeletedRecently": Busy,
    "InvalidAuthorizationHeader": PermanentError,
    "MissingAuthorizationHeader": PermanentError,
    "MissingDateHeader": PermanentError,
    "InvalidDegist": PermanentError,
    "InvalidRequestURL": PermanentError,
    "InvalidQueryString": PermanentError,
    "MissingReceiptHandle": PermanentError,
    "MissingVisibilityTimeout": PermanentError,
    "InvalidQueueName": PermanentError,
    "QueueNameLengthError": PermanentError,
    "QueueAlreadyExist": PermanentError,
    "TopicNotExist": PermanentError,
    "TopicAlreadyExist": PermanentError,
    "TopicNameInvalid": PermanentError,
    "TopicNameLengthError": PermanentError,
    "SubscriptionNotExist": PermanentError,
    "SubscriptionAlreadyExist": PermanentError,
    "SubscriptionNameInvalid": PermanentError,
    "SubscriptionNameLengthError": PermanentError,
    "EndpointInvalid": PermanentError,
}
"""`InvalidDegist` is the service's own spelling."""

CONFIG: Mapping[str, ErrorType] = {
    "InvalidAccessKeyId": NotAuthenticated,
    "InvalidSecurityToken": NotAuthenticated,
    "MissingSecurityToken": NotAuthenticated,
    "SignatureDoesNotMatch": NotAuthenticated,
    "InvalidTimeStamp": NotAuthenticated,
    "Throttling": Throttled,
    "NoPermission": PermissionMissing,
    "Forbidden": PermissionMissing,
    "ServiceUnavailable": Unavailable,
    "InternalError": Unavailable,
    "ConfigRuleNotExists": PermanentError,
    "Invalid": PermanentError,
}
"""Cloud Config, by the part of the code before the dot."""

STATUSES: Mapping[int, ErrorType] = {
    408: Unanswered,
    409: Busy,
    412: Busy,
    423: Busy,
    425: Busy,
    429: Throttled,
}
"""For a code that no table names."""


def kind_of(codes: Mapping[str, ErrorType], code: str, status: int) -> ErrorType:
    """The error that an answer with this code and status is; `codes` is the table of its service."""
    if kind := codes.get(code):
        return kind
    if status == 404 and code.startswith("NoSuch"):
        return PermanentError  # a setting or a task that is not there
    return STATUSES.get(status) or (Unavailable if status >= 500 else UnknownRefusal)
