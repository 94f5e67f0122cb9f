"""Whole workers and the operator's commands with rules about security groups beside rules about buckets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import RULES, Cli, cli
from tests.integration.conftest import Run
from tests.integration.ecs.bench import OFFICE, SSH
from tests.integration.queues import dead_letters, is_empty, messages
from tests.patience import PATIENCE_SECONDS

__all__ = ["cli"]

PORTS = "sg-risky-ports-check"
MEMBER = "9876543210987654"
RULE = """
[[rules]]
name = "risky-ports"
remediation = "ecs.revoke-public-ingress"
mode = "enforce"
config_rule_ids = ["cr-ports"]
source_identifiers = ["sg-risky-ports-check"]
"""


def tables(emulator: Emulator, *, key: str = "*") -> str:
    """Where ECS and STS are."""
    return f'\n[accounts]\nsts_endpoint = "{emulator.control.url}"\n\n[ecs.endpoints]\n"{key}" = "{emulator.ecs}"\n'


@pytest.fixture
def world(channel: Emulator) -> Emulator:
    """An emulator whose Cloud Config judges groups, too."""
    channel.config.add_rule(PORTS, rule_id="cr-ports")
    return channel


def test_groups_and_buckets_are_repaired_beside_each_other(world: Emulator, run: Run) -> None:
    """Each by its own rule, in its own region; nothing stays in the queue."""
    buckets = world.create_buckets(count=20, acl="public-read")
    groups = world.create_security_groups(count=20, permissions=[SSH, OFFICE])
    groups += world.create_security_groups(["sg-far"], region="cn-beijing", permissions=[SSH, OFFICE])
    with run(tables(world) + RULE):
        eventually(lambda: is_empty(world))
    assert world.non_compliant() == []
    assert world.acls() == dict.fromkeys(buckets, "private")
    for group in groups:
        assert [each["id"] for each in world.security_group(group)["permissions"]] == [OFFICE["id"]]
    assert dead_letters(world) == []


def test_what_no_group_can_be_done_about(world: Emulator, run: Run) -> None:
    """A group without a region, of a stranger, and one with an impossible id go to a person; one that is gone is done.

    A bucket that is called as a group is by an event of the one type never touched as the other.
    """
    world.config.set_channel(non_compliance=False)
    world.create_security_groups(["sg-theirs"], owner_id=MEMBER, permissions=[SSH])
    world.create_security_groups(["sg-web"], permissions=[SSH])
    world.create_buckets(["sg-web"], acl="public-read")
    world.config.publish(security_group="sg-web", rule=PORTS, variant="oldest")
    world.config.publish(security_group="sg-theirs", rule=PORTS)
    world.config.publish(security_group="../sg-web", rule=PORTS)
    world.config.publish(security_group="sg-gone", rule=PORTS)
    world.config.publish(bucket="sg-web", rule=PORTS)
    with run(tables(world) + RULE):
        eventually(lambda: is_empty(world))
    letters = {letter["reason"] for letter in dead_letters(world)}
    assert letters == {"no_region", "account_not_allowed", "invalid_security_group_name", "wrong_resource_type"}
    assert world.acls() == {"sg-web": "public-read"}
    assert [each["id"] for each in world.security_group("sg-web")["permissions"]] == [SSH["id"]]
    assert world.journal(service="ecs", changed=True) == []


def test_a_member_account_s_group(world: Emulator, run: Run) -> None:
    """With the role that is assumed there."""
    world.create_security_groups(["sg-member"], owner_id=MEMBER, permissions=[SSH])
    accounts = tables(world).replace("[accounts]", f'[accounts]\nallowed = ["{MEMBER}"]')
    with run(accounts + RULE):
        eventually(lambda: is_empty(world))
    assert world.security_group("sg-member")["permissions"] == []


def test_the_commands_know_groups(world: Emulator, cli: Cli, tmp_path: Path) -> None:
    """`rules`, `check`, `ram-policy`, `peek`, `simulate`, `journal` and `undo`, each through the kind of resource."""
    journal = tmp_path / "journal.jsonl"
    cli.configure(RULES + RULE, more=tables(world) + f'\n[journal]\npath = "{journal}"\n')
    world.create_security_groups(["sg-web"], permissions=[SSH, OFFICE])
    eventually(lambda: bool(messages(world, "config-events")))
    bodies = [json.dumps({"body": each["body"]}) for each in messages(world, "config-events")]
    (tmp_path / "events.jsonl").write_text("\n".join(bodies), encoding="utf-8")

    assert "AuthorizeSecurityGroup" in cli.run("rules", "ecs.revoke-public-ingress").out
    checks = {each["check"]: each for each in cli.run("check", "-o", "json").document}
    assert (checks["ecs"]["status"], checks["ecs"]["message"]) == ("ok", "ECS takes the credentials")
    assert "ecs:RevokeSecurityGroup" in checks["rule changes"]["message"]
    granted = {
        resource: set(statement["Action"])
        for statement in cli.run("ram-policy", "--for", "run").document["Statement"]
        for resource in statement["Resource"]
    }
    assert granted[f"acs:ecs:*:{world.endpoints.account_id}:securitygroup/*"] == {
        "ecs:DescribeSecurityGroups",
        "ecs:DescribeSecurityGroupAttribute",
        "ecs:RevokeSecurityGroup",
    }
    assert granted["acs:ecs:*:*:prefixlist/*"] == {"ecs:DescribePrefixListAttributes"}
    assert "ecs:AuthorizeSecurityGroup" in cli.run("ram-policy", "--for", "undo").out
    assert "fixed" in cli.run("peek").out
    assert cli.run("simulate", str(tmp_path / "events.jsonl")).status == 0

    process = cli.start("run")
    try:
        eventually(lambda: is_empty(world))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)
    (verified,) = [entry for entry in cli.json("journal", "show", "sg-web") if entry["step"] == "verified"]
    assert (verified["resource"], verified["resource_type"]) == ("sg-web", "ACS::ECS::SecurityGroup")
    change = verified["hash"][:12]
    assert len(world.security_group("sg-web")["permissions"]) == 1
    refused = cli.run("undo", change, "--yes")
    assert "open to the world again: TCP 22/22 from 0.0.0.0/0" in refused.out + refused.err
    undone = cli.run("undo", change, "--yes", "--weaken")
    assert undone.status == 0, undone
    assert len(world.security_group("sg-web")["permissions"]) == 2
    assert "undone before" in cli.run("undo", change, "--yes", "--weaken").out
