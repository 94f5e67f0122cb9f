"""Every way in which the emulated ECS API refuses, one row each.

The rows are those of the pages `api-ecs-2014-05-26-describesecuritygroups`, `…-describesecuritygroupattribute`,
`…-describeprefixlistattributes`, `…-authorizesecuritygroup` and `…-revokesecuritygroup` under
https://www.alibabacloud.com/help/en/ecs/developer-reference/ ; `%s` of the pages is `{0}` here. What is the same for
every service in the RPC style stands in `emulator.rpc_codes`.
"""

from __future__ import annotations

from enum import Enum

from emulator.codes import Known, Row

_D, _PAGES = Known.DOCUMENTED, "pages of the operations"
_ATTRIBUTE, _GROUPS = "DescribeSecurityGroupAttribute", "DescribeSecurityGroups"
_AUTHORIZE, _REVOKE = "AuthorizeSecurityGroup", "RevokeSecurityGroup"
_CHANGES = f"{_AUTHORIZE} {_REVOKE}"


class Ecs(Enum):
    """The table; a member's name is for the code that raises it."""

    # fmt: off
    NO_REGION = Row(f"{_ATTRIBUTE} {_GROUPS} DescribePrefixListAttributes", "MissingParameter.RegionId", 400,
        "The parameter RegionId is missing.", "", _D, _PAGES)
    NO_REGION_OF_CHANGE = Row(_CHANGES, "MissingParameter.RegionId", 400, "The parameter RegionId is missing.")
    GROUP_FORM = Row("*SecurityGroup*", "InvalidSecurityGroupId.Malformed", 400,
        "The specified parameter SecurityGroupId is not valid.", "", _D, _PAGES)
    NO_GROUP = Row(f"{_ATTRIBUTE} {_CHANGES}", "InvalidSecurityGroupId.NotFound", 404,
        "The specified SecurityGroupId does not exist.", "", _D, _PAGES)
    PARAMETER = Row(_ATTRIBUTE, "InvalidParamter", 400, "Invalid Parameter.", "", _D, _PAGES)
    ATTRIBUTE = Row(_ATTRIBUTE, "InvalidParameter.AttributeNotSupported", 400,
        "The specified value for parameter Attribute is not supported. Valid values: snapshotPolicyIds.", "", _D,
        _PAGES)
    NIC_TYPE = Row(f"{_ATTRIBUTE} {_CHANGES}", "InvalidNicType.ValueNotSupported", 400,
        "The specified NicType does not exist.", "", _D, _PAGES)
    TOKEN = Row(_GROUPS, "InValidParameter.NextToken", 400, "The parameter NextToken is invalid.", "", _D, _PAGES)
    GROUP_TYPE = Row(_GROUPS, "InvalidParameter.SecurityGroupType", 400,
        "The specified SecurityGroupType is not valid.", "", _D, _PAGES)
    MOST_RESULTS = Row(_GROUPS, "InvalidParameter.MaxResults", 400, "The specified MaxResults is not valid.")
    NO_PREFIX_LIST = Row("DescribePrefixListAttributes", "InvalidPrefixListId.NotFound", 404,
        "The specified prefix list was not found.", "", _D, _PAGES)
    MANAGED = Row(_CHANGES, "InvalidOperation.ResourceManagedByCloudProduct", 403,
        "You cannot modify security groups managed by cloud services.", "", _D, _PAGES)

    # Which rules.
    RULE_ID = Row(_REVOKE, "InvalidParam.SecurityGroupRuleId", 400,
        "The specified parameter SecurityGroupRuleId is not valid.", "", _D, _PAGES)
    RULE_ID_TWICE = Row(_REVOKE, "InvalidParam.SecurityGroupRuleIdRepeated", 400,
        "The specified parameter SecurityGroupRuleId is repeated.", "", _D, _PAGES)
    NO_RULE = Row(_REVOKE, "InvalidSecurityGroupRule.RuleNotExist", 400, "The specified rule does not exist.", "", _D,
        _PAGES)
    TOGETHER = Row(_CHANGES, "InvalidParam.Permissions", 400,
        "The specified parameter Permissions cannot coexist with other parameters.", "", _D, _PAGES)
    TWICE = Row(_CHANGES, "InvalidParam.DuplicatePermissions", 400,
        "There are duplicate permissions in the specified parameter Permissions.", "", _D, _PAGES)
    TOO_MANY = Row(_CHANGES, "InvalidParam.Permissions", 400, "At most 100 rules in one request.")
    LIMIT = Row(_AUTHORIZE, "AuthorizationLimitExceed", 403,
        "The limit of authorization records in the security group reaches.", "", _D, _PAGES)

    # What a rule has to look like.
    PROTOCOL = Row(_CHANGES, "InvalidIpProtocol.ValueNotSupported", 400,
        "The parameter {0} must be specified with case insensitive TCP, UDP, ICMP, GRE or All.", "", _D, _PAGES)
    NO_PORTS = Row(_CHANGES, "InvalidPortRange.Malformed", 400, "The specified parameter PortRange must set.", "", _D,
        _PAGES)
    PORTS = Row(_CHANGES, "InvalidParam.PortRange", 400,
        "The specified parameter {0} is not valid. It should be two integers less than 65535 in ?/? format.", "", _D,
        _PAGES)
    SOURCE_PORTS = Row(_CHANGES, "InvalidSourcePortRange.Malformed", 400,
        "The specified parameter SourcePortRange is not valid.", "", _D, _PAGES)
    POLICY = Row(_CHANGES, "InvalidPolicy.Malformed", 400, "The specified parameter {0} is not valid.", "", _D, _PAGES)
    PRIORITY = Row(_CHANGES, "InvalidPriority.ValueNotSupported", 400, "The specified parameter {0} is invalid.", "",
        _D, _PAGES)
    NO_SOURCE = Row(_CHANGES, "MissingParameter.Source", 400,
        "One of the parameters SourceCidrIp, Ipv6SourceCidrIp, SourceGroupId or SourcePrefixListId in {0} must be"
        " specified.", "", _D, _PAGES)
    BOTH_SOURCES = Row(_CHANGES, "InvalidParam.SourceIp", 400,
        "The Parameters SourceCidrIp and Ipv6SourceCidrIp in {0} cannot be set at the same time.", "", _D, _PAGES)
    SOURCE_CIDR = Row(_CHANGES, "InvalidParam.SourceCidrIp", 400, "The specified parameter {0} is not valid.", "", _D,
        _PAGES)
    IPV6_SOURCE = Row(_CHANGES, "InvalidParam.Ipv6SourceCidrIp", 400, "The specified parameter {0} is not valid.", "",
        _D, _PAGES)
    DEST_CIDR = Row(_CHANGES, "InvalidParam.DestCidrIp", 400, "The specified parameter {0} is not valid.", "", _D,
        _PAGES)
    IPV6_DEST = Row(_CHANGES, "InvalidParam.Ipv6DestCidrIp", 400, "The specified parameter {0} is not valid.", "", _D,
        _PAGES)
    DESCRIPTION = Row(_CHANGES, "InvalidSecurityGroupDiscription.Malformed", 400,
        "The specified security group rule description is not valid.", "", _D, _PAGES)
    # fmt: on
