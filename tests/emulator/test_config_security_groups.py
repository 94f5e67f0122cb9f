"""Cloud Config and security groups: each managed rule's judgement, and the event that reaches the queue.

What each rule wants is on its page under https://www.alibabacloud.com/help/en/cloud-config/latest/ :
sg-risky-ports-check, ecs-security-group-risky-ports-check-with-protocol and sg-public-access-check.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from mns.mns_exception import MNSServerException

from emulator.client import ControlError, Emulator
from emulator.cloudconfig.configuration import SECURITY_GROUP
from emulator.cloudconfig.inventory import group_snapshot
from emulator.cloudconfig.rules import CATALOGUE, configured
from emulator.cloudconfig.verdict import Compliance
from emulator.ecs.group import Permission, SecurityGroup
from emulator.provisioning import account, setup_channel

RISKY, WITH_PROTOCOL = "sg-risky-ports-check", "ecs-security-group-risky-ports-check-with-protocol"
PUBLIC = "sg-public-access-check"
GOOD, BAD, NOT_JUDGED = Compliance.COMPLIANT, Compliance.NON_COMPLIANT, Compliance.NOT_APPLICABLE
EVERYONE = "0.0.0.0/0"


def rule(ports: str = "22/22", source: str = EVERYONE, **more: Any) -> Permission:
    """An ingress rule."""
    return Permission(port_range=ports, source_cidr_ip=source, **more)


DENIED_FIRST = rule(policy="Drop", priority=1)
ALL_PORTS = rule("-1/-1", protocol="ALL")

CASES: list[tuple[list[Permission], dict[str, str], tuple[Compliance, Compliance, Compliance]]] = [
    ([], {}, (GOOD, GOOD, GOOD)),
    ([rule()], {}, (BAD, BAD, GOOD)),
    ([rule("1/1024")], {}, (BAD, BAD, GOOD)),
    ([rule("3389/3389", protocol="UDP")], {}, (BAD, BAD, GOOD)),
    ([rule("443/443")], {}, (GOOD, GOOD, GOOD)),
    ([rule("6379/6379")], {"ports": "6379, 3306"}, (BAD, BAD, GOOD)),
    ([rule()], {"ports": "6379"}, (GOOD, GOOD, GOOD)),
    ([rule(source="10.0.0.0/8")], {}, (GOOD, GOOD, GOOD)),
    ([rule(direction="egress")], {}, (GOOD, GOOD, GOOD)),
    ([rule(policy="Drop")], {}, (GOOD, GOOD, GOOD)),
    ([ALL_PORTS], {}, (BAD, BAD, BAD)),
    ([rule("-1/-1", protocol="ICMP")], {}, (BAD, GOOD, BAD)),
    ([rule(), DENIED_FIRST], {}, (BAD, GOOD, GOOD)),
    ([rule(priority=1), rule(policy="Drop", priority=2)], {}, (BAD, BAD, GOOD)),
    ([rule("1/1024"), DENIED_FIRST], {}, (BAD, GOOD, GOOD)),
    ([rule("1/65535"), DENIED_FIRST], {}, (BAD, BAD, GOOD)),
    ([rule(), rule(policy="Drop", protocol="UDP")], {}, (BAD, BAD, GOOD)),
    ([rule(), rule(policy="Drop", source="10.0.0.0/8")], {}, (BAD, BAD, GOOD)),
    ([ALL_PORTS, rule("-1/-1", protocol="ALL", policy="Drop")], {}, (BAD, GOOD, GOOD)),
    ([ALL_PORTS, DENIED_FIRST], {}, (BAD, BAD, BAD)),
    ([Permission(ipv6_source_cidr_ip="::/0", port_range="22/22")], {}, (GOOD, GOOD, GOOD)),
    ([Permission(source_group_id="sg-b", port_range="22/22")], {}, (GOOD, GOOD, GOOD)),
    ([rule("", port_range_list_id="prl-1")], {}, (GOOD, GOOD, GOOD)),
]


def judged(identifier: str, group: SecurityGroup, parameters: dict[str, str] | None = None) -> Compliance:
    """One rule's judgement; an annotation explains exactly the non-compliant ones."""
    verdict = configured(identifier, parameters=parameters).evaluate(group_snapshot(group))
    assert (verdict.annotation is not None) is (verdict.compliance is BAD)
    return verdict.compliance


def group(permissions: list[Permission], *, managed: bool = False) -> SecurityGroup:
    """A group with these rules."""
    by_id = {str(number): each for number, each in enumerate(permissions)}
    return SecurityGroup("sg-a", "web", "1", "cn-hangzhou", 0.0, managed=managed, permissions=by_id)


@pytest.mark.parametrize(("permissions", "parameters", "expected"), CASES)
def test_each_rule_judges_a_group(
    permissions: list[Permission], parameters: dict[str, str], expected: tuple[Compliance, ...]
) -> None:
    """By risky ports, by those of a protocol that nothing denies first, and by -1/-1 for everyone."""
    found = group(permissions)
    assert tuple(judged(each, found, parameters) for each in (RISKY, WITH_PROTOCOL, PUBLIC)) == expected


def test_every_rule_for_groups_is_judged_both_ways() -> None:
    """No rule can be added without a group that passes and one that fails."""
    identifiers = (RISKY, WITH_PROTOCOL, PUBLIC)
    assert {name for name, managed in CATALOGUE.items() if managed.resource_type == SECURITY_GROUP} == {*identifiers}
    for place in range(len(identifiers)):
        assert {expected[place] for _, _, expected in CASES} == {GOOD, BAD}


def test_groups_of_cloud_services_are_not_judged_where_the_page_says_so() -> None:
    """Two of the three pages do."""
    found = group([ALL_PORTS], managed=True)
    assert tuple(judged(each, found) for each in (RISKY, WITH_PROTOCOL, PUBLIC)) == (BAD, NOT_JUDGED, NOT_JUDGED)


def test_a_protocol_that_is_not_requested_does_not_count() -> None:
    """Except for the rules of all protocols."""
    assert judged(WITH_PROTOCOL, group([rule(protocol="UDP")]), {"protocol": "TCP"}) is GOOD
    assert judged(WITH_PROTOCOL, group([ALL_PORTS]), {"protocol": "TCP"}) is BAD


def _events(emulator: Emulator) -> list[dict[str, Any]]:
    """Every event in the queue, taken out of it."""
    found: list[dict[str, Any]] = []
    with account(emulator) as owner, suppress(MNSServerException):
        queue = owner.get_queue("config-events")
        queue.set_encoding(False)
        while True:
            messages = queue.batch_receive_message(16)
            found += [json.loads(base64.b64decode(message.message_body)) for message in messages]
            queue.batch_delete_message([message.receipt_handle for message in messages])
    return found


def test_a_group_that_is_opened_is_reported_with_what_it_is(emulator: Emulator) -> None:
    """As a security group, by id and name, in its own region; buckets of the same name are another resource."""
    setup_channel(emulator)
    emulator.config.add_rule(RISKY, rule_id="cr-ports")
    emulator.config.set_channel(resource_changes=True)
    emulator.create_buckets(["sg-web"])
    emulator.create_security_groups(["sg-web"], name="web", region="cn-beijing", tags={"team": "a"})
    emulator.change_security_group("sg-web", permissions=[{"source_cidr_ip": EVERYONE}])
    entries = emulator.journal(operation="EventDelivered", wait_seconds=20)
    while len(entries) < 4:
        entries += emulator.journal(entries[-1].sequence, operation="EventDelivered", wait_seconds=20)
    events = _events(emulator)
    (event,) = [each for each in events if each["eventType"] == "ResourceCompliance"]
    qualifier = event["evaluationResultIdentifier"]["evaluationResultQualifier"]
    assert qualifier["resourceType"] == "ACS::ECS::SecurityGroup"
    assert (qualifier["resourceId"], qualifier["resourceName"], qualifier["regionId"]) == (
        "sg-web",
        "web",
        "cn-beijing",
    )
    assert qualifier["configRuleId"] == "cr-ports"
    assert "22/22 from 0.0.0.0/0" in event["annotation"]
    changes = [each["configurationItem"] for each in events if each["eventType"] == "ResourceChange"]
    assert [each["resourceType"] for each in changes] == ["ACS::OSS::Bucket", *["ACS::ECS::SecurityGroup"] * 2]
    assert changes[-1]["configuration"]["Permissions"]["Permission"][0]["PortRange"] == "22/22"
    assert changes[-1]["tags"] == {"team": ["a"]}
    assert emulator.non_compliant() == ["sg-web"]
    (found,) = emulator.compliance(security_group="sg-web")
    assert (found.resource_type, found.compliance) == ("ACS::ECS::SecurityGroup", "NON_COMPLIANT")
    assert {each.compliance for each in emulator.compliance(bucket="sg-web")} == {"COMPLIANT"}


def test_the_log_service_form_names_the_group_as_policies_do(emulator: Emulator) -> None:
    """`resourceArn` is acs:ecs:region:account:securitygroup/id, as RAM writes it."""
    setup_channel(emulator)
    emulator.config.publish(security_group="sg-gone", rule=RISKY, variant="log-service", region="cn-beijing")
    (event,) = _events(emulator)
    qualifier = event["evaluationResultIdentifier"]["evaluationResultQualifier"]
    owner = emulator.endpoints.account_id
    assert qualifier["resourceArn"] == f"acs:ecs:cn-beijing:{owner}:securitygroup/sg-gone"
    assert qualifier["sourceIdentifier"] == RISKY


def test_only_rules_for_groups_look_at_groups(emulator: Emulator) -> None:
    """And the other way round."""
    emulator.config.add_rule(PUBLIC)
    emulator.create_buckets(["photos"])
    emulator.create_security_groups(["sg-web"])
    found = {(each.resource_id, CATALOGUE[each.identifier].resource_type) for each in emulator.config.evaluate()}
    assert found == {("photos", "ACS::OSS::Bucket"), ("sg-web", "ACS::ECS::SecurityGroup")}
    (one,) = emulator.config.evaluate(security_group="sg-web")
    assert one.identifier == PUBLIC
    with pytest.raises(ControlError, match="no such security group: sg-none"):
        emulator.config.evaluate(security_group="sg-none")


def test_a_deleted_group_is_forgotten(emulator: Emulator) -> None:
    """With everything that was found about it, and a reset forgets every group."""
    emulator.create_security_groups(["sg-web", "sg-api"], permissions=[{"source_cidr_ip": EVERYONE}])
    emulator.config.add_rule(RISKY)
    emulator.delete_security_group("sg-web")
    assert emulator.non_compliant() == ["sg-api"]
    assert list(emulator.state()["ecs"]["security_groups"]) == ["sg-api"]
    assert emulator.security_group("sg-api")["permissions"][0]["port_range"] == "22/22"
    with pytest.raises(ControlError, match="no such security group: sg-web"):
        emulator.security_group("sg-web")
    emulator.reset("ecs")
    assert emulator.state()["ecs"]["security_groups"] == {}
