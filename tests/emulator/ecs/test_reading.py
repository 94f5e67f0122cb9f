"""DescribeSecurityGroups and DescribeSecurityGroupAttribute, as their pages describe them.

https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describesecuritygroups and
…-describesecuritygroupattribute ; the sample answer of the latter names every field.
"""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from emulator.client import Emulator
from tests.emulator.ecs.asking import EVERYONE, GROUP, OFFICE, SSH, Ecs

ATTRIBUTE, GROUPS = "DescribeSecurityGroupAttribute", "DescribeSecurityGroups"

_SAMPLE = """
SecurityGroupRuleId Direction SourceGroupId DestGroupOwnerAccount DestPrefixListId DestPrefixListName
SourceCidrIp Ipv6DestCidrIp CreateTime Ipv6SourceCidrIp DestGroupId DestCidrIp IpProtocol Priority DestGroupName NicType
Policy Description PortRange SourcePrefixListName SourcePrefixListId SourceGroupOwnerAccount SourceGroupName
SourcePortRange PortRangeListId PortRangeListName"""


def test_a_rule_has_every_field_of_the_sample(emulator: Emulator, ecs: Ecs) -> None:
    """All of them texts, empty where nothing is set."""
    emulator.create_security_groups([GROUP], vpc_id="vpc-1", name="web", permissions=[{**SSH, "priority": 7}])
    answer = ecs.ask(ATTRIBUTE, SecurityGroupId=GROUP)
    (rule,) = answer["Permissions"]["Permission"]
    assert sorted(rule) == sorted(_SAMPLE.split())
    assert all(isinstance(value, str) for value in rule.values())
    wanted = {"Direction": "ingress", "Policy": "Accept", "IpProtocol": "TCP", "PortRange": "22/22", "Priority": "7"}
    assert wanted.items() <= rule.items()
    assert (rule["SourceCidrIp"], rule["Ipv6SourceCidrIp"], rule["NicType"]) == (EVERYONE, "", "intranet")
    assert datetime.fromisoformat(rule["CreateTime"]).tzinfo is not None
    assert (answer["SecurityGroupId"], answer["SecurityGroupName"], answer["VpcId"]) == (GROUP, "web", "vpc-1")
    assert (answer["RegionId"], answer["InnerAccessPolicy"], answer["NextToken"]) == ("cn-hangzhou", "Accept", "")


def test_only_the_wanted_direction(emulator: Emulator, ecs: Ecs) -> None:
    """`ingress`, `egress`, or all of them."""
    out = {**OFFICE, "direction": "egress", "id": "sgr-out"}
    emulator.create_security_groups([GROUP], permissions=[{**SSH, "id": "sgr-in"}, out])
    for direction, expected in (("ingress", {"sgr-in"}), ("egress", {"sgr-out"}), ("all", {"sgr-in", "sgr-out"})):
        assert {rule["SecurityGroupRuleId"] for rule in ecs.rules(Direction=direction)} == expected


def test_pages_are_complete_while_rules_come_and_go(emulator: Emulator, ecs: Ecs) -> None:
    """More rules than the largest page has, 1,000; what is removed between two pages moves nothing else."""
    many = [{**OFFICE, "id": f"sgr-{number:04d}", "port_range": f"{number}/{number}"} for number in range(1, 1_206)]
    emulator.create_security_groups([GROUP], permissions=many)
    first = ecs.ask(ATTRIBUTE, SecurityGroupId=GROUP, MaxResults=1_000)
    read = [rule["SecurityGroupRuleId"] for rule in first["Permissions"]["Permission"]]
    assert len(read) == 1_000
    ecs.ask("RevokeSecurityGroup", SecurityGroupId=GROUP, SecurityGroupRuleId=[read[0], read[-1]])
    second = ecs.ask(ATTRIBUTE, SecurityGroupId=GROUP, MaxResults=1_000, NextToken=first["NextToken"])
    read += [rule["SecurityGroupRuleId"] for rule in second["Permissions"]["Permission"]]
    assert second["NextToken"] == ""
    assert sorted(read) == [each["id"] for each in many]
    assert len(ecs.ask(ATTRIBUTE, SecurityGroupId=GROUP)["Permissions"]["Permission"]) == 500


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"SecurityGroupId": "web"}, (400, "InvalidSecurityGroupId.Malformed")),
        ({"SecurityGroupId": "sg-none"}, (404, "InvalidSecurityGroupId.NotFound")),
        ({"RegionId": "cn-beijing"}, (404, "InvalidSecurityGroupId.NotFound")),
        ({"RegionId": None}, (400, "MissingParameter.RegionId")),
        ({"Direction": "sideways"}, (400, "InvalidParamter")),
        ({"NicType": "wireless"}, (400, "InvalidNicType.ValueNotSupported")),
        ({"Attribute": "colour"}, (400, "InvalidParameter.AttributeNotSupported")),
        ({"MaxResults": 9}, (400, "InvalidParamter")),
        ({"MaxResults": 1_001}, (400, "InvalidParamter")),
        ({"NextToken": "bm9uc2Vuc2U="}, (400, "InvalidParamter")),
    ],
)
def test_what_is_wrong_is_refused(
    emulator: Emulator, ecs: Ecs, asked: dict[str, object], refusal: tuple[int, str]
) -> None:
    """With the status and the code of the operation's page."""
    emulator.create_security_groups([GROUP])
    if asked.get("RegionId", "") is None:
        ecs._region = ""
    assert ecs.refused(ATTRIBUTE, **{"SecurityGroupId": GROUP, **asked}) == refusal


def test_groups_are_described_with_age_tags_and_who_manages_them(emulator: Emulator, ecs: Ecs) -> None:
    """What DescribeSecurityGroupAttribute does not tell; ids that do not exist are just not in the list."""
    emulator.create_security_groups([GROUP], tags={"team": "a"}, managed=True, permissions=[SSH])
    answer = ecs.ask(GROUPS, SecurityGroupIds=json.dumps([GROUP, "sg-none"]))
    (group,) = answer["SecurityGroups"]["SecurityGroup"]
    assert (group["SecurityGroupId"], group["ServiceManaged"], group["RuleCount"]) == (GROUP, True, 1)
    assert group["Tags"] == {"Tag": [{"TagKey": "team", "TagValue": "a"}]}
    assert datetime.fromisoformat(group["CreationTime"]).tzinfo is not None


def test_lists_of_groups_come_in_pages(emulator: Emulator, ecs: Ecs) -> None:
    """Ten by default, and a hundred at most."""
    emulator.create_security_groups(count=25)
    token, read = None, []
    for expected in (10, 10, 5):
        page = ecs.ask(GROUPS, NextToken=token)
        found, token = page["SecurityGroups"]["SecurityGroup"], page["NextToken"]
        assert len(found) == expected
        read += [group["SecurityGroupId"] for group in found]
    assert (token, len(set(read))) == ("", 25)
    assert ecs.refused(GROUPS, MaxResults=101)[0] == 400
    assert ecs.refused(GROUPS, NextToken="?") == (400, "InValidParameter.NextToken")
    assert ecs.refused(GROUPS, SecurityGroupIds="[1]") == (400, "InvalidSecurityGroupId.Malformed")
    assert ecs.refused(GROUPS, SecurityGroupType="odd") == (400, "InvalidParameter.SecurityGroupType")


def test_an_account_sees_its_own_groups_only(emulator: Emulator, ecs: Ecs) -> None:
    """Somebody else's group does not exist, whoever asks for it by its id."""
    other = emulator.add_identity(account_id="2222222222222222")
    emulator.create_security_groups([GROUP])
    emulator.create_security_groups(["sg-theirs"], owner_id=other.account_id)
    theirs = Ecs(emulator, other.access_key_id, other.access_key_secret)
    for client, own, foreign in ((ecs, GROUP, "sg-theirs"), (theirs, "sg-theirs", GROUP)):
        (seen,) = client.ask(GROUPS)["SecurityGroups"]["SecurityGroup"]
        assert seen["SecurityGroupId"] == own
        assert client.refused(ATTRIBUTE, SecurityGroupId=foreign) == (404, "InvalidSecurityGroupId.NotFound")


def test_who_asks_has_to_be_known(emulator: Emulator) -> None:
    """Keys, secrets and tokens are those of every emulated service in the RPC style."""
    known = emulator.endpoints
    emulator.create_security_groups([GROUP])
    assert Ecs(emulator, "nobody", "x").refused(GROUPS) == (404, "InvalidAccessKeyId.NotFound")
    assert Ecs(emulator, known.access_key_id, "wrong").refused(GROUPS) == (400, "SignatureDoesNotMatch")
    temporary = emulator.add_identity(temporary=True, lifetime_seconds=900)
    holder = Ecs(emulator, temporary.access_key_id, temporary.access_key_secret, temporary.security_token)
    assert len(holder.ask(GROUPS)["SecurityGroups"]["SecurityGroup"]) == 1
    assert holder.refused("DeleteSecurityGroup") == (404, "InvalidAction.NotFound")
    emulator.advance(901)
    assert holder.refused(GROUPS)[0] == 400


def test_faults_and_throttling_strike_ecs_too(emulator: Emulator, ecs: Ecs) -> None:
    """A port of its own, behind the machinery of faults that the other services stand behind."""
    emulator.create_security_groups([GROUP])
    for status, code in ((403, "Forbidden.RAM"), (500, "ServiceUnavailable"), (400, "Throttling")):
        emulator.faults.add("error", ATTRIBUTE, service="ecs", status=status, code=code, count=1)
        assert ecs.refused(ATTRIBUTE, SecurityGroupId=GROUP) == (status, code)
    emulator.faults.add("lost_reply", "RevokeSecurityGroup", service="ecs", count=1)
    emulator.set_options(ecs_calls_per_second=0)
    assert ecs.refused(ATTRIBUTE, SecurityGroupId=GROUP) == (400, "Throttling.User")


def test_reads_are_journaled_on_request(emulator: Emulator, ecs: Ecs) -> None:
    """As those of the other services."""
    emulator.create_security_groups([GROUP])
    ecs.ask(ATTRIBUTE, SecurityGroupId=GROUP)
    assert emulator.journal(service="ecs") == []
    emulator.journal_reads(True)
    answer = ecs.ask(ATTRIBUTE, SecurityGroupId=GROUP)
    (entry,) = emulator.journal(service="ecs")
    assert (entry.operation, entry.resource, entry.changed) == (ATTRIBUTE, GROUP, False)
    assert entry.request_id == answer["RequestId"]


def test_a_prefix_list_is_read_by_its_owner(emulator: Emulator, ecs: Ecs) -> None:
    """Blocks as https://www.alibabacloud.com/help/en/ecs/api-describeprefixlistattributes shows them."""
    emulator.put_prefix_list("pl-office", ["203.0.113.0/24", "198.51.100.7/32"])
    emulator.put_prefix_list("pl-theirs", ["::/0"], owner_id="2222222222222222")
    answer = ecs.ask("DescribePrefixListAttributes", PrefixListId="pl-office")
    assert [entry["Cidr"] for entry in answer["Entries"]["Entry"]] == ["203.0.113.0/24", "198.51.100.7/32"]
    for unknown in ("pl-theirs", "pl-none"):
        refusal = ecs.refused("DescribePrefixListAttributes", PrefixListId=unknown)
        assert refusal == (404, "InvalidPrefixListId.NotFound")
    assert list(emulator.state()["ecs"]["prefix_lists"]) == ["pl-office", "pl-theirs"]
