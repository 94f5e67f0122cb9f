"""AuthorizeSecurityGroup and RevokeSecurityGroup, as their pages describe them.

https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-authorizesecuritygroup and
…-revokesecuritygroup ; that a rule which does not exist is refused, and how, is the latter's note of July 8, 2024.
"""

from __future__ import annotations

from typing import Any

import pytest

from emulator.client import Emulator
from tests.emulator.ecs.asking import EVERYONE, GROUP, OFFICE, SSH, Ecs

AUTHORIZE, REVOKE = "AuthorizeSecurityGroup", "RevokeSecurityGroup"
RULE = {"IpProtocol": "tcp", "PortRange": "22/22", "SourceCidrIp": EVERYONE}


def ids(ecs: Ecs) -> list[str]:
    """The rules of the group by id."""
    return [rule["SecurityGroupRuleId"] for rule in ecs.rules()]


def test_a_rule_is_added_once(emulator: Emulator, ecs: Ecs) -> None:
    """What exists already is not added again, and the call is a success; nothing is journaled for it."""
    emulator.create_security_groups([GROUP])
    full = {**RULE, "Priority": "5", "Policy": "drop", "Description": "no ssh", "DestCidrIp": "10.0.0.1"}
    for _ in range(2):
        ecs.ask(AUTHORIZE, SecurityGroupId=GROUP, Permissions=[full])
    (rule,) = ecs.rules()
    assert (rule["Policy"], rule["Priority"], rule["IpProtocol"]) == ("Drop", "5", "TCP")
    assert (rule["Description"], rule["DestCidrIp"], rule["NicType"]) == ("no ssh", "10.0.0.1", "intranet")
    (entry,) = emulator.journal(service="ecs")
    assert (entry.operation, entry.resource, entry.detail["added"][0]["source_cidr_ip"]) == (AUTHORIZE, GROUP, EVERYONE)


def test_rules_are_removed_by_id(emulator: Emulator, ecs: Ecs) -> None:
    """Exactly those, journaled as they were."""
    named = [{**SSH, "id": "sgr-a"}, {**OFFICE, "id": "sgr-b"}, {**SSH, "id": "sgr-c", "port_range": "3389/3389"}]
    emulator.create_security_groups([GROUP], permissions=named)
    ecs.ask(REVOKE, SecurityGroupId=GROUP, SecurityGroupRuleId=["sgr-a", "sgr-c"])
    assert ids(ecs) == ["sgr-b"]
    (entry,) = emulator.journal(service="ecs")
    assert [each["id"] for each in entry.detail["removed"]] == ["sgr-a", "sgr-c"]


def test_rules_are_removed_by_what_they_say(emulator: Emulator, ecs: Ecs) -> None:
    """In either form of the request, whatever their priority."""
    emulator.create_security_groups([GROUP], permissions=[{**SSH, "priority": 9}, OFFICE])
    ecs.ask(REVOKE, SecurityGroupId=GROUP, **RULE)
    assert [rule["SourceCidrIp"] for rule in ecs.rules()] == [OFFICE["source_cidr_ip"]]
    ecs.ask(REVOKE, SecurityGroupId=GROUP, Permissions=[{**RULE, "SourceCidrIp": OFFICE["source_cidr_ip"]}])
    assert ecs.rules() == []


def test_all_or_nothing(emulator: Emulator, ecs: Ecs) -> None:
    """One id that does not exist, or not any more, keeps every rule."""
    emulator.create_security_groups([GROUP], permissions=[{**SSH, "id": "sgr-a"}])
    refusal = ecs.refused(REVOKE, SecurityGroupId=GROUP, SecurityGroupRuleId=["sgr-a", "sgr-gone"])
    assert refusal == (400, "InvalidParam.SecurityGroupRuleId")
    assert ids(ecs) == ["sgr-a"]


def test_egress_rules_are_not_theirs_to_remove(emulator: Emulator, ecs: Ecs) -> None:
    """RevokeSecurityGroup removes ingress rules only."""
    emulator.create_security_groups([GROUP], permissions=[{**SSH, "id": "sgr-a", "direction": "egress"}])
    refusal = ecs.refused(REVOKE, SecurityGroupId=GROUP, SecurityGroupRuleId=["sgr-a"])
    assert refusal == (400, "InvalidParam.SecurityGroupRuleId")


def permissions(**changed: Any) -> dict[str, Any]:
    """One rule with something else in it; None takes a field away."""
    rule = {**RULE, **changed}
    return {"Permissions": [{name: value for name, value in rule.items() if value is not None}]}


@pytest.mark.parametrize("action", [AUTHORIZE, REVOKE])
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "InvalidIpProtocol.ValueNotSupported"),
        (permissions(IpProtocol="SCTP"), "InvalidIpProtocol.ValueNotSupported"),
        (permissions(PortRange=None), "InvalidPortRange.Malformed"),
        (permissions(PortRange="22"), "InvalidParam.PortRange"),
        (permissions(PortRange="23/22"), "InvalidParam.PortRange"),
        (permissions(PortRange="1/65536"), "InvalidParam.PortRange"),
        (permissions(PortRange="-1/-1"), "InvalidParam.PortRange"),
        (permissions(IpProtocol="ICMP"), "InvalidParam.PortRange"),
        (permissions(SourcePortRange="x"), "InvalidSourcePortRange.Malformed"),
        (permissions(Policy="reject"), "InvalidPolicy.Malformed"),
        (permissions(Priority="0"), "InvalidPriority.ValueNotSupported"),
        (permissions(Priority="101"), "InvalidPriority.ValueNotSupported"),
        (permissions(NicType="wireless"), "InvalidNicType.ValueNotSupported"),
        (permissions(SourceCidrIp=None), "MissingParameter.Source"),
        (permissions(SourceCidrIp="10.0.0.1/8"), "InvalidParam.SourceCidrIp"),
        (permissions(Ipv6SourceCidrIp="::/0"), "InvalidParam.SourceIp"),
        (permissions(SourceCidrIp=None, Ipv6SourceCidrIp="x"), "InvalidParam.Ipv6SourceCidrIp"),
        (permissions(DestCidrIp="x"), "InvalidParam.DestCidrIp"),
        (permissions(Ipv6DestCidrIp="x"), "InvalidParam.Ipv6DestCidrIp"),
        (permissions(Description="x" * 513), "InvalidSecurityGroupDiscription.Malformed"),
        ({"Permissions": [RULE, RULE]}, "InvalidParam.DuplicatePermissions"),
        ({"Permissions": [RULE], "IpProtocol": "TCP"}, "InvalidParam.Permissions"),
        ({"Permissions": [RULE] * 101}, "InvalidParam.Permissions"),
        ({**permissions(), "SecurityGroupId": "web"}, "InvalidSecurityGroupId.Malformed"),
    ],
)
def test_what_is_no_rule_is_refused(
    emulator: Emulator, ecs: Ecs, action: str, asked: dict[str, Any], code: str
) -> None:
    """With status 400 and the code of the page, and nothing is changed."""
    emulator.create_security_groups([GROUP], permissions=[OFFICE])
    assert ecs.refused(action, **{"SecurityGroupId": GROUP, **asked}) == (400, code)
    assert len(ecs.rules()) == 1


def test_what_is_refused_for_other_reasons(emulator: Emulator, ecs: Ecs) -> None:
    """A group that is not there or is a service's own, a rule that is not there or named twice, one rule too many."""
    emulator.create_security_groups([GROUP], permissions=[{**SSH, "id": "sgr-a"}])
    emulator.create_security_groups(["sg-service"], managed=True, permissions=[{**SSH, "id": "sgr-a"}])
    managed = (403, "InvalidOperation.ResourceManagedByCloudProduct")
    by_id = {"SecurityGroupRuleId": ["sgr-a"]}
    assert ecs.refused(REVOKE, SecurityGroupId="sg-none", **by_id) == (404, "InvalidSecurityGroupId.NotFound")
    assert ecs.refused(REVOKE, SecurityGroupId="sg-service", **by_id) == managed
    assert ecs.refused(AUTHORIZE, SecurityGroupId="sg-service", **permissions()) == managed
    twice = ecs.refused(REVOKE, SecurityGroupId=GROUP, SecurityGroupRuleId=["sgr-a", "sgr-a"])
    assert twice == (400, "InvalidParam.SecurityGroupRuleIdRepeated")
    both = ecs.refused(REVOKE, SecurityGroupId=GROUP, **by_id, **permissions())
    assert both == (400, "InvalidParam.Permissions")
    other = permissions(PortRange="443/443")
    assert ecs.refused(REVOKE, SecurityGroupId=GROUP, **other) == (400, "InvalidSecurityGroupRule.RuleNotExist")
    assert ecs.refused(REVOKE, SecurityGroupId=GROUP, RegionId="cn-beijing", **by_id)[0] == 404
    many = [{**OFFICE, "port_range": f"{port}/{port}"} for port in range(1, 201)]
    emulator.change_security_group(GROUP, permissions=many)
    assert ecs.refused(AUTHORIZE, SecurityGroupId=GROUP, **permissions()) == (403, "AuthorizationLimitExceed")
    ecs._region = ""
    assert ecs.refused(REVOKE, SecurityGroupId=GROUP, **by_id) == (400, "MissingParameter.RegionId")


def test_rules_without_ports_and_with_other_sources(emulator: Emulator, ecs: Ecs) -> None:
    """ICMP, GRE and all protocols have -1/-1; sources are blocks of either kind, groups and prefix lists."""
    emulator.create_security_groups([GROUP])
    everything = [
        {"IpProtocol": "ALL", "PortRange": "-1/-1", "Ipv6SourceCidrIp": "::/0"},
        {"IpProtocol": "icmp", "PortRange": "-1/-1", "SourceCidrIp": EVERYONE},
        {"IpProtocol": "50", "PortRange": "-1/-1", "SourceCidrIp": "10.0.0.0/8"},
        {"IpProtocol": "udp", "PortRange": "53/53", "SourceGroupId": "sg-other"},
        {"IpProtocol": "tcp", "PortRangeListId": "prl-web", "SourcePrefixListId": "pl-partners"},
    ]
    ecs.ask(AUTHORIZE, SecurityGroupId=GROUP, Permissions=everything)
    found = {(rule["IpProtocol"], rule["PortRange"]): rule for rule in ecs.rules()}
    assert found["ALL", "-1/-1"]["Ipv6SourceCidrIp"] == "::/0"
    assert found["UDP", "53/53"]["SourceGroupId"] == "sg-other"
    assert found["TCP", ""]["SourcePrefixListId"] == "pl-partners"
    assert found["TCP", ""]["PortRangeListId"] == "prl-web"


def test_a_lost_reply_leaves_the_change_made(emulator: Emulator, ecs: Ecs) -> None:
    """And the same request again finds nothing to remove."""
    emulator.create_security_groups([GROUP], permissions=[{**SSH, "id": "sgr-a"}])
    emulator.faults.add("lost_reply", REVOKE, service="ecs", count=1)
    with pytest.raises(Exception, match=r"RemoteDisconnected|Connection"):
        ecs.ask(REVOKE, SecurityGroupId=GROUP, SecurityGroupRuleId=["sgr-a"])
    assert ids(ecs) == []
    again = ecs.refused(REVOKE, SecurityGroupId=GROUP, SecurityGroupRuleId=["sgr-a"])
    assert again == (400, "InvalidParam.SecurityGroupRuleId")
