"""What ECS and STS mean by a refusal, as the errors of this project.

Codes stand on the page of each operation and on that of the codes which all services share:
https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-revokesecuritygroup and its neighbours,
https://www.alibabacloud.com/help/en/sdk/product-overview/common-error-codes . They come in families, of which the part
before the dot is enough: `Throttling` and `Throttling.User`.
"""

from __future__ import annotations

from collections.abc import Mapping

from consumer.aliyun.error_codes import kind_of
from consumer.core.errors import (
    AccountSuspended,
    NotAuthenticated,
    PermanentError,
    PermissionMissing,
    ResourceGone,
    ServiceError,
    Throttled,
    Unavailable,
)
from consumer.resources.ecs.security_group import NoSuchRule

_FAMILIES: Mapping[str, type[ServiceError]] = {
    "Throttling": Throttled,
    "Forbidden": PermissionMissing,
    "NoPermission": PermissionMissing,
    "InvalidAccessKeyId": NotAuthenticated,
    "InvalidSecurityToken": NotAuthenticated,
    "MissingSecurityToken": NotAuthenticated,
    "InvalidTimeStamp": NotAuthenticated,
    "SignatureDoesNotMatch": NotAuthenticated,
    "IncompleteSignature": NotAuthenticated,
    "Account": AccountSuspended,
    "ServiceUnavailable": Unavailable,
    "InternalError": Unavailable,
    "AuthorizationLimitExceed": PermanentError,
    "InvalidAction": PermanentError,
    "InvalidParam": PermanentError,
    "InvalidParameter": PermanentError,
    "InvalidParamter": PermanentError,
    "InvalidRegionId": PermanentError,
    "MissingParameter": PermanentError,
}

_CODES: Mapping[str, type[ServiceError]] = {
    "InvalidSecurityGroupId.NotFound": ResourceGone,
    "InvalidSecurityGroupId.Malformed": PermanentError,
    "InvalidOperation.ResourceManagedByCloudProduct": PermanentError,
    # A rule that does not exist: the first by the note of July 2024 on the page, the others by its table of codes.
    "InvalidParam.SecurityGroupRuleId": NoSuchRule,
    "InvalidSecurityGroupRuleId.NotFound": NoSuchRule,
    "InvalidSecurityGroupRule.RuleNotExist": NoSuchRule,
}
"""`InvalidParamter` is the service's own spelling."""


def ecs_error(operation: str, code: str, text: str, status: int, request_id: str) -> ServiceError:
    """The error that a refusal of ECS is."""
    return _judged("ecs", operation, code, text, status, request_id)


def sts_error(operation: str, code: str, text: str, status: int, request_id: str) -> ServiceError:
    """The error that a refusal of STS is."""
    return _judged("sts", operation, code, text, status, request_id)


def _judged(service: str, operation: str, code: str, text: str, status: int, request_id: str) -> ServiceError:
    family = _FAMILIES.get(code.partition(".")[0])
    kind = _CODES.get(code) or family or kind_of({}, code, status)
    return kind(service, operation, code, text, status=status, request_id=request_id)
