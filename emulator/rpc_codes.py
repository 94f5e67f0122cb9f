"""Every way in which the emulated services in the vendor's RPC style refuse: STS and Cloud Config, one row each.

Codes of Cloud Config stand on the page of each of its operations (`api-config-2020-09-07-…`), those of both services on
https://www.alibabacloud.com/help/en/sdk/product-overview/common-error-codes .
"""

from __future__ import annotations

from enum import Enum

from emulator.codes import Known, Row

_D = Known.DOCUMENTED
_COMMON, _PAGES = "common error codes of OpenAPI", "pages of the operations"
_AGGREGATE = (
    "ListAggregateConfigRuleEvaluationResults ListAggregateConfigRules GetAggregateConfigRule "
    "StartAggregateConfigRuleEvaluation"
)
_OF_A_RULE = "List*ConfigRuleEvaluationResults Get*ConfigRule Start*ConfigRuleEvaluation"


class Rpc(Enum):
    """The table; a member's name is for the code that raises it."""

    # fmt: off
    # Who asks, and when.
    NO_ACTION = Row("*", "InvalidAction.NotFound", 404, "Specified api is not found, please check your url and method.",
        "", _D, _COMMON)
    NO_AUTHORIZATION = Row("*", "MissingAuthorization", 400,
        "The Authorization header is missing or not of version 3.")
    UNKNOWN_KEY = Row("*", "InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.", "", _D, _COMMON)
    NO_TOKEN = Row("*", "MissingSecurityToken", 400, "SecurityToken is mandatory for this action.", "", _D, _COMMON)
    OTHER_TOKEN = Row("*", "InvalidSecurityToken.MismatchWithAccessKey", 400,
        "Specified SecurityToken mismatch with the AccessKey.", "", _D, _COMMON)
    WRONG_TOKEN = Row("*", "InvalidSecurityToken.Malformed", 400, "The specified SecurityToken is malformed.", "", _D,
        _COMMON)
    TOKEN_EXPIRED = Row("*", "InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired.", "", _D,
        _COMMON)
    SIGNATURE = Row("*", "SignatureDoesNotMatch", 400, "Specified signature is not matched with our calculation.", "",
        _D, _COMMON)
    TIME_FORMAT = Row("*", "InvalidTimeStamp.Format", 400, "Specified time stamp is not well formatted.", "", _D,
        _COMMON)
    TIME_EXPIRED = Row("*", "InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired.", "", _D,
        _COMMON)
    THROTTLED = Row("*", "Throttling.User", 400, "Request was denied due to user flow control.", "", _D, _COMMON)

    # STS.
    ROLE_ARN = Row("AssumeRole*", "InvalidParameter.RoleArn", 400, "The parameter RoleArn is wrongly formed.", "", _D,
        _PAGES)
    SESSION_NAME = Row("AssumeRole*", "InvalidParameter.RoleSessionName", 400,
        "The parameter RoleSessionName is wrongly formed.", "", _D, _PAGES)
    DURATION = Row("AssumeRole*", "InvalidParameter.DurationSeconds", 400,
        "The Min/Max value of DurationSeconds is 15min/1hr.", "", _D, _PAGES)
    OIDC_PROVIDER = Row("AssumeRoleWithOIDC", "InvalidParameter.OIDCProviderArn", 400,
        "The parameter OIDCProviderArn is wrongly formed.", "", _D, _PAGES)
    OIDC_EXPIRED = Row("AssumeRoleWithOIDC", "AuthenticationFail.OIDCToken.Expired", 400,
        "This JsonWebToken is expired.", "", _D, _PAGES)
    OIDC_INVALID = Row("AssumeRoleWithOIDC", "AuthenticationFail.OIDCToken.Invalid", 400,
        "The parameter OIDCToken is invalid.", "", _D, _PAGES)

    # Cloud Config.
    NO_RULE = Row(_OF_A_RULE, "ConfigRuleNotExists", 400, "The ConfigRule does not exist.", "", _D, _PAGES)
    NO_AGGREGATOR = Row(_AGGREGATE, "Invalid.AggregatorId.Value", 400, "The specified AggregatorId is invalid.", "",
        _D, _PAGES)
    NO_PACK = Row("Start*ConfigRuleEvaluation", "Invalid.CompliancePackId.Value", 400,
        "The specified CompliancePackId does not exist.", "", _D, _PAGES)
    NO_RULE_ID = Row("Get*ConfigRule Start*ConfigRuleEvaluation", "MissingConfigRuleId", 400,
        "ConfigRuleId is mandatory for this action.")
    NO_RESOURCE_ID = Row("StartConfigRuleEvaluationByResource ListResourceEvaluationResults", "MissingResourceId", 400,
        "ResourceId is mandatory for this action.")
    PAGE = Row("List*", "InvalidParameter.{0}", 400, "The specified {0} has to be a number from {1} to {2}.")
    PAGE_TOKEN = Row("List*", "InvalidParameter.NextToken", 400, "The specified NextToken is not one of ours.")
    # fmt: on
