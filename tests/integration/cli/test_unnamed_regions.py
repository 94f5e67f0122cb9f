"""Where a resource is looked for that a person names without its region, or that an event was about without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emulator.client import Emulator
from tests.integration.cli.conftest import RULES, Cli
from tests.integration.cli.journaling import work
from tests.integration.ecs.bench import SSH
from tests.integration.ecs.test_worker import PORTS, RULE, tables

ELSEWHERE = "cn-beijing"


@pytest.fixture
def world(cli: Cli, channel: Emulator, journal: Path) -> Emulator:
    """A group in the default region, and a bucket in another one, which the one rule about buckets is about alone."""
    channel.config.set_channel(non_compliance=False)
    channel.config.add_rule(PORTS, rule_id="cr-ports")
    channel.create_security_groups(["sg-web"], permissions=[SSH])
    channel.create_buckets(["photos"], region=ELSEWHERE, acl="public-read")
    (buckets, _) = RULES.split('\n[[rules]]\nname = "public-write"')
    rules = f'{buckets}regions = ["{ELSEWHERE}"]\n{RULE}'
    cli.configure(rules, more=f'{tables(channel)}\n[journal]\npath = "{journal}"\n')
    journal.touch()
    return channel


def explained(cli: Cli, resource: str, rule: str) -> dict[str, Any]:
    """How the resource's event would end now by that rule; a bucket may be called as a group is."""
    result = cli.run("explain", resource, "-o", "json")
    assert result.status in (0, 1), result
    (found,) = [each for each in result.document["now"] if each["rule"] == rule]
    return dict(found)


@pytest.mark.parametrize(("resource", "rule"), [("sg-web", "risky-ports"), ("photos", "public-read")])
def test_repair_finds_what_explain_finds(resource: str, rule: str, cli: Cli, world: Emulator) -> None:
    """The default region where the service would not say where it is, as `--region` promises; else the look decides."""
    shown = cli.run("repair", resource, "--rule", rule, "-o", "json")
    assert shown.status == 1, shown
    assert (shown.document["outcome"], shown.document["would_change"]) == ("fixed", True)
    found = explained(cli, resource, rule)
    assert found["outcome"] == "fixed"
    assert found["region"] == (ELSEWHERE if resource == "photos" else world.endpoints.region)
    applied = cli.run("repair", resource, "--rule", rule, "--apply")
    assert applied.status == 0, applied
    done = (world.security_group("sg-web")["permissions"] == [], world.acls() == {"photos": "private"})
    assert done == (resource == "sg-web", resource == "photos")


def test_an_event_without_a_region_is_rehearsed_without_one(cli: Cli, world: Emulator) -> None:
    """The worker rejects it for a group; to say that it would be repaired now would be wrong."""
    world.config.publish(security_group="sg-web", rule=PORTS, variant="oldest")
    work(cli, world)
    found = explained(cli, "sg-web", "risky-ports")
    assert (found["outcome"], found["reason"]) == ("rejected", "no_region")


def test_a_group_of_another_region_is_not_called_gone_from_everywhere(cli: Cli, world: Emulator) -> None:
    """The default region is a guess, and the answer is about it alone; with --region it is found."""
    world.create_security_groups(["sg-far"], region=ELSEWHERE, permissions=[SSH])
    repair = ("repair", "sg-far", "--rule", "risky-ports")
    guessed = cli.run(*repair)
    assert guessed.status == 4, guessed
    assert f"region    {world.endpoints.region}\n" in guessed.out
    assert "no_such_security_group: the security group does not exist in that region" in guessed.out
    assert cli.run(*repair, "--region", ELSEWHERE).status == 1
