"""The repair of public ingress on an emulated group: repaired, read back, agreed with, undone; and what comes between.

Cloud Config's verdict is the emulator's own reading of each rule's page.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from consumer.core.errors import PermanentError
from consumer.core.outcome import Outcome
from consumer.guards.rule import Mode
from consumer.remediations.base import Change
from tests.integration.ecs.bench import EVERYONE, GROUP, OFFICE, OUT, SSH, WEB, Bench, remediation

ALL_PORTS = {"id": "sgr-all", "protocol": "ALL", "port_range": "-1/-1", "ipv6_source_cidr_ip": "::/0"}
PING = {"id": "sgr-ping", "protocol": "ICMP", "port_range": "-1/-1", "source_cidr_ip": EVERYONE}
FULL = {
    **SSH,
    "priority": 7,
    "description": "for the \u201cnight shift\u201d, to be removed <soon>",
    "dest_cidr_ip": "10.0.0.7",
    "source_port_range": "1024/65535",
}


def create(bench: Bench, *permissions: dict[str, Any], **settings: Any) -> None:
    """Make the group with these rules."""
    bench.emulator.create_security_groups([GROUP], permissions=list(permissions), **settings)


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("sg-risky-ports-check", [SSH]),
        ("sg-risky-ports-check", [{**SSH, "port_range": "1/65535"}, PING]),
        ("ecs-security-group-risky-ports-check-with-protocol", [FULL]),
        ("sg-public-access-check", [{**ALL_PORTS, "source_cidr_ip": EVERYONE, "ipv6_source_cidr_ip": ""}]),
    ],
)
def test_repaired_and_undone(bench: Bench, rule: str, broken: list[dict[str, Any]]) -> None:
    """From broken over repaired to undone, with Cloud Config's verdict on each, and not one other rule touched."""
    create(bench, *broken, OFFICE, WEB, OUT)
    bench.emulator.config.add_rule(rule)
    found, others = bench.rules(), {OFFICE["id"], WEB["id"], OUT["id"]}
    assert bench.emulator.non_compliant() == [GROUP]

    ending = bench.repair()

    assert ending.outcome is Outcome.FIXED, ending
    assert bench.emulator.non_compliant() == []
    assert bench.ids() == others
    assert bench.repair().outcome is Outcome.ALREADY_COMPLIANT
    assert bench.changes() == ["RevokeSecurityGroup"], "a second delivery changes nothing"
    repair = remediation()
    looks = {*repair.kind.look_actions, *repair.actions, "sts:GetCallerIdentity"}
    assert bench.actions <= looks

    bench.undo(ending)

    assert bench.rules() == found
    assert bench.actions <= {*looks, *repair.undo_actions}
    assert bench.repair(mode=Mode.OBSERVE).before == ending.before, "the state is the same, whatever ids it has now"


def test_observing_changes_nothing(bench: Bench) -> None:
    """It says what it would do."""
    create(bench, SSH)
    ending = bench.repair(mode=Mode.OBSERVE)
    assert ending.outcome is Outcome.WOULD_FIX
    assert "22/22" in ending.before
    assert bench.changes() == []


def test_everything_open_at_once_on_the_last_of_many_pages(bench: Bench) -> None:
    """A group with 1,205 rules, 150 of them open: all pages are read, and two requests revoke what is open."""
    narrow = [{**OFFICE, "id": f"sgr-{port}", "port_range": f"{port}/{port}"} for port in range(1, 1_056)]
    wide = [{**SSH, "id": f"sgr-wide-{n}", "dest_cidr_ip": f"10.0.0.{n}"} for n in range(1, 151)]
    create(bench, *narrow, *wide)
    ending = bench.repair()
    assert ending.outcome is Outcome.FIXED
    assert bench.changes() == ["RevokeSecurityGroup"] * 2
    assert bench.ids() == {each["id"] for each in narrow}


def test_a_group_that_a_service_manages_is_reported_and_not_touched(bench: Bench) -> None:
    """The service would refuse; nothing is sent."""
    create(bench, SSH, managed=True)
    ending = bench.repair()
    assert (ending.outcome, ending.reason) == (Outcome.WOULD_FIX, "managed_by_service")
    assert "TCP 22/22 from 0.0.0.0/0" in ending.detail
    assert bench.changes() == []
    bench.emulator.change_security_group(GROUP, permissions=[OFFICE])
    assert bench.repair().outcome is Outcome.ALREADY_COMPLIANT


def test_prefix_lists_are_read(bench: Bench) -> None:
    """An open one is revoked, a narrow one stays, and one that may not be read is left to a person."""
    lists = [{**SSH, "id": f"sgr-{name}", "source_cidr_ip": "", "source_prefix_list_id": f"pl-{name}"} for name in "ab"]
    create(bench, *lists, SSH)
    bench.emulator.put_prefix_list("pl-a", ["203.0.113.0/24"])
    bench.emulator.put_prefix_list("pl-b", ["203.0.113.0/24", "0.0.0.0/0"])
    forbidden = bench.emulator.faults.add(
        "error", "DescribePrefixListAttributes", service="ecs", status=403, code="Forbidden.RAM"
    )
    ending = bench.repair()
    assert (ending.outcome, ending.reason) == (Outcome.WOULD_FIX, "rules_not_understood")
    assert "ecs:DescribePrefixListAttributes is not granted" in ending.detail
    assert bench.ids() == {"sgr-a", "sgr-b"}, "what is certain is revoked all the same"
    bench.emulator.faults.remove(forbidden)
    assert bench.repair().outcome is Outcome.FIXED
    assert bench.ids() == {"sgr-a"}
    assert bench.repair().outcome is Outcome.ALREADY_COMPLIANT


def test_what_was_read_before_the_right_was_missing_counts(bench: Bench) -> None:
    """Rights can be given by list: what is open by one that could be read is revoked, the other rule is left."""
    create(bench, *[{**SSH, "id": f"sgr-{x}", "source_cidr_ip": "", "source_prefix_list_id": f"pl-{x}"} for x in "ab"])
    bench.emulator.put_prefix_list("pl-a", [EVERYONE])
    answer = {"status": 403, "code": "Forbidden.RAM"}
    bench.emulator.faults.add("error", "DescribePrefixListAttributes", service="ecs", skip=1, **answer)
    ending = bench.repair()
    assert (ending.outcome, ending.reason) == (Outcome.WOULD_FIX, "rules_not_understood")
    assert bench.ids() == {"sgr-b"}


def test_that_a_service_manages_the_group_is_known_without_its_lists(bench: Bench) -> None:
    """No right would help there, so none is named."""
    create(bench, {**SSH, "source_cidr_ip": "", "source_prefix_list_id": "pl-a"}, managed=True)
    answer = {"status": 403, "code": "Forbidden.RAM"}
    bench.emulator.faults.add("error", "DescribePrefixListAttributes", service="ecs", **answer)
    ending = bench.repair()
    assert (ending.outcome, ending.reason) == (Outcome.WOULD_FIX, "managed_by_service")


def test_a_rule_that_is_not_understood_names_no_list_to_be_read(bench: Bench) -> None:
    """Nothing is asked for a list of no name: that would be refused, and a person would look for a missing right."""
    create(bench, {**SSH, "protocol": "SCTP"})

    ending = bench.repair()

    assert (ending.outcome, ending.reason) == (Outcome.WOULD_FIX, "rules_not_understood")
    assert ending.detail.endswith("it cannot be known whether that is open to the world; a person has to look")
    assert "ecs:DescribePrefixListAttributes" not in bench.actions


def _narrowed(bench: Bench) -> None:
    """Somebody narrows the rule, which keeps its id, as ModifySecurityGroupRule does."""
    bench.emulator.change_security_group(GROUP, permissions=[{**SSH, "source_cidr_ip": "203.0.113.0/24"}])


def _revoked(bench: Bench) -> None:
    bench.emulator.change_security_group(GROUP, permissions=[])


def _reused(bench: Bench) -> None:
    """The id is another rule's now."""
    bench.emulator.change_security_group(GROUP, permissions=[{**WEB, "id": SSH["id"]}])


@pytest.mark.parametrize(("happens", "left"), [(_narrowed, {SSH["id"]}), (_revoked, set()), (_reused, {SSH["id"]})])
def test_a_rule_that_is_changed_meanwhile_stays(bench: Bench, happens: Callable[[Bench], None], left: set[str]) -> None:
    """The rule is looked at again immediately before it is revoked: what is not open any more is nobody's to revoke."""
    create(bench, SSH)
    ending = bench.repair(meanwhile=lambda: happens(bench))
    assert ending.outcome is Outcome.FIXED
    assert bench.changes() == []
    assert bench.ids() == left


def test_a_rule_that_is_added_meanwhile_is_seen_by_the_read_back(bench: Bench) -> None:
    """The delivery fails, and the next one revokes that rule, too."""
    create(bench, SSH)
    rdp = {**SSH, "id": "sgr-rdp", "port_range": "3389/3389"}
    ending = bench.repair(meanwhile=lambda: bench.emulator.change_security_group(GROUP, permissions=[SSH, rdp]))
    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "not_verified")
    assert bench.repair().outcome is Outcome.FIXED
    assert bench.ids() == set()


@pytest.mark.parametrize("kind", ["lost_reply", "error_after", "reset_after", "damaged_xml", "not_xml"])
def test_an_answer_that_is_lost_is_not_a_change_that_is_lost(bench: Bench, kind: str) -> None:
    """The request was carried out; sent again, it is refused because the rule is gone, and that is what was wanted."""
    create(bench, SSH, OFFICE)
    bench.emulator.faults.add(kind, "RevokeSecurityGroup", service="ecs", count=1)
    ending = bench.repair()
    assert ending.outcome is Outcome.FIXED, ending
    assert bench.changes() == ["RevokeSecurityGroup"]
    assert bench.ids() == {OFFICE["id"]}


def test_one_of_several_rules_that_goes_in_the_last_moment(bench: Bench) -> None:
    """The service revokes all of a request or none: the delivery fails, and the next one revokes what is left."""
    create(bench, SSH, {**SSH, "id": "sgr-rdp", "port_range": "3389/3389"})
    refusal = {"status": 400, "code": "InvalidParam.SecurityGroupRuleId"}
    bench.emulator.faults.add("error", "RevokeSecurityGroup", service="ecs", count=1, **refusal)
    ending = bench.repair()
    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "changed_meanwhile")
    text = "rules that were to be revoked have gone meanwhile, and others are still there"
    assert ending.detail == f"ecs ecs.revoke-public-ingress: changed_meanwhile: {text}"
    assert bench.repair().outcome is Outcome.FIXED


def test_a_group_that_is_deleted_meanwhile_is_gone(bench: Bench) -> None:
    """Before the change and after the look, too; nothing brings it back."""
    create(bench, SSH)
    ending = bench.repair(meanwhile=lambda: bench.emulator.delete_security_group(GROUP))
    assert ending.outcome is Outcome.GONE
    assert bench.repair().outcome is Outcome.GONE
    assert bench.changes() == []


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        ("Forbidden.RAM", 403, Outcome.HELD),
        ("Throttling.User", 400, Outcome.FAILED),
        ("ServiceUnavailable", 503, Outcome.FAILED),
        ("InvalidOperation.ResourceManagedByCloudProduct", 403, Outcome.REJECTED),
        ("NobodyKnowsThis", 400, Outcome.FAILED),
    ],
)
@pytest.mark.parametrize(
    "operation", ["DescribeSecurityGroups", "DescribeSecurityGroupAttribute", "RevokeSecurityGroup"]
)
def test_refusals_keep_their_meaning(bench: Bench, operation: str, code: str, status: int, outcome: Outcome) -> None:
    """A missing right is waited for, what passes is tried again, and nothing is called done."""
    create(bench, SSH)
    bench.emulator.faults.add("error", operation, service="ecs", status=status, code=code)
    assert bench.repair().outcome is outcome
    assert bench.ids() == {SSH["id"]}


def test_an_undo_that_the_group_has_no_room_for_says_so(bench: Bench) -> None:
    """Somebody has filled the group since."""
    create(bench, SSH)
    ending = bench.repair()
    full = [{**OFFICE, "id": f"sgr-{port}", "port_range": f"{port}/{port}"} for port in range(1, 201)]
    bench.emulator.change_security_group(GROUP, permissions=full)
    with pytest.raises(PermanentError, match="AuthorizationLimitExceed"):
        bench.undo(ending)


def test_an_undo_twice_is_an_undo_once(bench: Bench) -> None:
    """A rule that is there already is not added again."""
    create(bench, SSH)
    ending = bench.repair()
    bench.emulator.faults.add("lost_reply", "AuthorizeSecurityGroup", service="ecs", count=1)
    bench.undo(ending)
    assert len(bench.ids()) == 1


def test_what_an_undo_brings_back_is_reported(bench: Bench) -> None:
    """In words, for the person who is asked."""
    create(bench, SSH)
    ending = bench.repair()
    said = remediation().weakens(Change(ending.before, ending.after))
    assert said == "open to the world again: TCP 22/22 from 0.0.0.0/0"


def test_sixty_four_workers_on_the_same_and_on_other_groups(bench: Bench) -> None:
    """One gateway, many threads: nothing is revoked that should stay, and nobody's answer is another one's."""
    groups = [f"sg-{number:02d}" for number in range(16)]
    for group in groups:
        bench.emulator.create_security_groups([group], permissions=[SSH, OFFICE, {**WEB, "id": f"sgr-{group}"}])
    with ThreadPoolExecutor(64) as threads:
        endings = list(threads.map(lambda group: bench.repair(group_id=group), groups * 4))
    harmless = {Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.FAILED}
    assert {ending.outcome for ending in endings} <= harmless
    assert {ending.reason for ending in endings if ending.outcome is Outcome.FAILED} <= {"changed_meanwhile"}
    assert sum(ending.outcome is Outcome.FIXED for ending in endings) >= len(groups)
    for group in groups:
        assert bench.ids(group) == {OFFICE["id"], f"sgr-{group}"}
