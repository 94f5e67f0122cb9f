"""Journals with security groups in them: what the witness asks of one, and each way to go wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.cloudconfig.rules import default_rule_id
from tests.witness.journals import ACCOUNT, STRANGER, WORKER, Journal
from witness import Ending, Verdict, watch

RISKY = "sg-risky-ports-check"
GROUP = "sg-0001"


def rule(rule_id: str, source: str = "0.0.0.0/0", port_range: str = "22/22", **fields: Any) -> dict[str, Any]:
    """One rule of a group, as the emulator's journal shows it."""
    return {
        "id": rule_id,
        "direction": "ingress",
        "policy": "Accept",
        "protocol": "TCP",
        "port_range": port_range,
        "source_cidr_ip": source,
        **fields,
    }


OPEN, OFFICE = rule("sgr-open"), rule("sgr-office", "192.0.2.0/24")


class Groups(Journal):
    """A journal of security groups."""

    def group(self, *rules: dict[str, Any], owner: str = ACCOUNT) -> None:
        """Somebody makes the group."""
        made = {"id": GROUP, "owner_id": owner, "region": "cn-hangzhou", "permissions": list(rules)}
        self.add("control", "CreateSecurityGroup", GROUP, after=made)

    def patch(self, *added: dict[str, Any], removed: tuple[dict[str, Any], ...] = ()) -> None:
        """Somebody changes its rules."""
        self.add("control", "PatchSecurityGroup", GROUP, added=list(added), removed=list(removed))

    def gone(self) -> None:
        """Somebody deletes it."""
        self.add("control", "DeleteSecurityGroup", GROUP, before={}, deleted=True)

    def revoke(self, *rules: dict[str, Any]) -> None:
        """The worker takes rules from it."""
        self.add("ecs", "RevokeSecurityGroup", GROUP, WORKER, removed=list(rules))

    def look(self) -> None:
        """The worker reads it."""
        self.add("ecs", "DescribeSecurityGroupAttribute", GROUP, WORKER, changed=False)

    def report(self, message_id: str, **changes: Any) -> None:
        """Cloud Config reports it, and the worker receives that."""
        rule_id = default_rule_id(RISKY)
        told = {"resourceType": "ACS::ECS::SecurityGroup", "configRuleId": rule_id, **changes}
        self.event(message_id, GROUP, **told)
        self.receive(message_id)

    def verdict(self, **expected: Any) -> Verdict:
        """What the witness makes of it."""
        known = {"rules": (watch(RISKY, default_rule_id(RISKY)),), "reads_journaled": True, **expected}
        return self.judge(**known)


def reported(*rules: dict[str, Any], owner: str = ACCOUNT) -> Groups:
    journal = Groups()
    journal.group(*rules, owner=owner)
    journal.report("m1")
    return journal


def ended(journal: Groups) -> Ending:
    verdict = journal.verdict()
    assert not verdict.violations, "\n".join(map(str, verdict.violations))
    return verdict.messages[0].ending


def wrong(journal: Groups, **expected: Any) -> list[tuple[int, str]]:
    return [(found.promise, found.sentence) for found in journal.verdict(**expected).violations]


def test_rules_taken_and_read_back_are_a_repair() -> None:
    """The rule of the office stays, and nobody misses it in the verdict."""
    journal = reported(OPEN, OFFICE)
    journal.revoke(OPEN)
    journal.look()
    journal.delete("m1")
    assert ended(journal) is Ending.FIXED
    assert journal.verdict().exposure_seconds


def test_a_group_that_somebody_closed_is_already_compliant() -> None:
    """The rule was narrowed by hand before the look."""
    journal = reported(OPEN)
    journal.patch(rule("sgr-narrow", "192.0.2.0/24"), removed=(OPEN,))
    journal.look()
    journal.delete("m1")
    assert ended(journal) is Ending.ALREADY_COMPLIANT


def test_a_deleted_group_is_gone() -> None:
    """There is nothing to repair, and nothing to read."""
    journal = reported(OPEN)
    journal.gone()
    journal.delete("m1")
    assert ended(journal) is Ending.GONE


def test_a_rule_added_meanwhile_does_not_make_the_revocation_wrong() -> None:
    """What was taken was open. The message stays until what is left is, too."""
    journal = reported(OPEN)
    again = rule("sgr-again")
    journal.patch(again)
    journal.revoke(OPEN)
    journal.look()
    journal.revoke(again)
    journal.look()
    journal.delete("m1")
    assert ended(journal) is Ending.FIXED


@pytest.mark.parametrize(
    "taken",
    [
        OFFICE,
        rule("sgr-web", port_range="443/443"),
        rule("sgr-denial", policy="Drop"),
        rule("sgr-out", direction="egress"),
    ],
    ids=lambda taken: str(taken["id"]),
)
def test_taking_a_rule_that_is_not_open(taken: dict[str, Any]) -> None:
    """Beside the open one: more than the event asked for."""
    journal = reported(OPEN, taken)
    journal.revoke(OPEN, taken)
    journal.look()
    journal.delete("m1")
    assert wrong(journal) == [(4, f"RevokeSecurityGroup took rules that are not open: {taken['id']}")]


@pytest.mark.parametrize(
    "left",
    [
        rule("sgr-v6", "", ipv6_source_cidr_ip="::/0"),
        rule("sgr-range", port_range="1/65535"),
        rule("sgr-all", port_range="-1/-1", protocol="ALL"),
        rule("sgr-rdp", port_range="3389/3389"),
    ],
    ids=lambda left: str(left["id"]),
)
def test_deleting_the_message_of_a_group_that_is_still_open(left: dict[str, Any]) -> None:
    """One of two open rules was taken: neither the message nor the group may be let go."""
    journal = reported(OPEN, left)
    journal.revoke(OPEN)
    journal.look()
    journal.delete("m1")
    assert wrong(journal) == [
        (1, f"deleted, but {GROUP} complied at no moment that the worker could have seen"),
        (3, f"still breaks {RISKY}"),
    ]


def test_deleting_without_reading_back() -> None:
    """An accepted revocation alone is not enough."""
    journal = reported(OPEN)
    journal.look()
    journal.revoke(OPEN)
    journal.delete("m1")
    assert [promise for promise, _ in wrong(journal)] == [1]


def test_changing_a_group_that_no_event_named() -> None:
    """Nobody asked."""
    journal = Groups()
    journal.group(OPEN)
    journal.revoke(OPEN)
    assert wrong(journal) == [(4, "no event received by then called for RevokeSecurityGroup")]


def test_changing_a_group_of_another_account() -> None:
    """Whatever the event says of it."""
    journal = reported(OPEN, owner=STRANGER)
    journal.revoke(OPEN)
    assert (4, "RevokeSecurityGroup changed a bucket of another account") in wrong(journal, converged=False)


@pytest.mark.parametrize(
    "changes",
    [{"regionId": ""}, {"resourceId": "sg-../x"}, {"resourceType": "ACS::OSS::Bucket"}],
    ids=["no region", "no id", "another type"],
)
def test_an_event_that_nobody_can_act_on_needs_a_dead_letter(changes: dict[str, Any]) -> None:
    """A group without a region cannot be found, and a rule of groups says nothing of buckets."""
    journal = Groups()
    journal.group(OFFICE)
    journal.report("m1", **changes)
    journal.delete("m1")
    assert wrong(journal) == [(1, "deleted without a dead letter, though nobody may act on what it says")]


def test_a_letter_after_a_passing_refusal_is_not_deserved() -> None:
    """Throttled calls are repeated; a missing right is not."""
    for status, code, promise in ((400, "Throttling.User", 3), (403, "Forbidden.RAM", None)):
        journal = reported(OPEN)
        journal.add("ecs", "RevokeSecurityGroup", GROUP, WORKER, changed=False, refused=code, status=status)
        journal.copy("m1")
        journal.delete("m1")
        found = [each for each, _ in wrong(journal, converged=False)]
        assert found == ([promise] if promise else [])
