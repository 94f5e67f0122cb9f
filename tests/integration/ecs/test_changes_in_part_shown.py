"""What a person reads of a change to a security group that was made in part: announcements, `repair` and `undo`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.announced import TOPIC, announced, subscribe_queue
from tests.integration.cli.conftest import RULES, Cli, cli
from tests.integration.conftest import Run
from tests.integration.ecs.bench import GROUP, OFFICE, SSH
from tests.integration.ecs.test_worker import RULE, tables, world
from tests.integration.queues import dead_letters, is_empty

__all__ = ["cli", "world"]

OPEN = [{**SSH, "id": f"sgr-{n}", "dest_cidr_ip": f"10.0.0.{n + 1}"} for n in range(150)]
REFUSED = {"status": 400, "code": "InvalidParameter.Injected"}
FORBIDDEN = {"status": 403, "code": "Forbidden.RAM"}


@pytest.fixture
def journal(world: Emulator, cli: Cli, tmp_path: Path) -> Path:
    """Where the commands journal, in a world whose group takes two requests to close."""
    path = tmp_path / "journal.jsonl"
    cli.configure(RULES + RULE, more=tables(world) + f'\n[journal]\npath = "{path}"\n')
    world.config.set_channel(non_compliance=False)
    world.create_security_groups([GROUP], permissions=[*OPEN, OFFICE])
    return path


def left(world: Emulator) -> int:
    """How many rules the group has that are open to the world."""
    return len(world.security_group(GROUP)["permissions"]) - 1


def repairing(world: Emulator) -> tuple[str, ...]:
    """The command that repairs the group, as undo names it."""
    known = world.endpoints
    where = ("--account", known.account_id, "--region", known.region)
    return ("repair", GROUP, "--rule", "risky-ports", *where, "--apply")


def test_the_announcement_says_what_stands_and_how_to_undo_it(
    world: Emulator, run: Run, cli: Cli, tmp_path: Path
) -> None:
    """The change is a dead letter of which a part was made; the command that it names takes that part back."""
    subscribe_queue(world)
    path = tmp_path / "journal.jsonl"
    more = f'\n[journal]\npath = "{path}"\n\n[announce]\ntopic = "{TOPIC}"\ndigest = []\n'
    world.faults.add("error", "RevokeSecurityGroup", service="ecs", skip=1, **REFUSED)
    world.create_security_groups([GROUP], permissions=[*OPEN, OFFICE])
    with run(tables(world) + more + RULE):
        eventually(lambda: bool(dead_letters(world)) and is_empty(world))
    (document,) = announced(world)
    about = document["data"]
    assert (about["kind"], about["reason"], about["after"]) == ("dead_lettered", REFUSED["code"], "[]")
    assert about["now"] not in ("unknown", about["before"])
    assert about["undo"] == f"config-remediator undo {about['message_id']}"
    assert about["how_to_undo"].startswith(about["undo"])
    cli.configure(RULES + RULE, more=tables(world) + f'\n[journal]\npath = "{path}"\n')
    assert left(world) == 50
    undone = cli.run("undo", about["message_id"], "--yes", "--weaken")
    assert (undone.status, left(world)) == (0, 150), undone


@pytest.mark.parametrize(("answer", "status"), [(REFUSED, 4), (FORBIDDEN, 3)])
def test_a_repair_by_hand_says_that_a_part_was_made(
    world: Emulator, cli: Cli, journal: Path, answer: dict[str, object], status: int
) -> None:
    """With the command that takes it back; the same repair again makes the rest, and both are undone one by one."""
    assert not journal.exists()
    fault = world.faults.add("error", "RevokeSecurityGroup", service="ecs", skip=1, **answer)
    command = repairing(world)
    result = cli.run(*command)
    assert (result.status, left(world)) == (status, 50), result
    assert "Repaired in part, the rest is left: " in result.out
    assert "Not repaired" not in result.out
    assert "To put it back: config-remediator undo " in result.out
    part = result.out.split("config-remediator undo ")[1].split()[0]
    world.faults.remove(fault)

    rest = cli.run(*command, "-o", "json")
    assert (rest.status, left(world)) == (0, 0), rest
    early = cli.run("undo", part, "--yes", "--weaken")
    assert (early.status, left(world)) == (4, 0), "first the newer one"
    for change, open_now in ((rest.document["change"], 50), (part, 150)):
        undone = cli.run("undo", change, "--yes", "--weaken")
        assert (undone.status, left(world)) == (0, open_now), undone
    assert cli.json("journal", "verify")["whole"]


@pytest.mark.parametrize(("answer", "status"), [(REFUSED, 4), (FORBIDDEN, 3)])
def test_an_undo_says_that_a_part_was_made(
    world: Emulator, cli: Cli, journal: Path, answer: dict[str, object], status: int
) -> None:
    """And what makes it whole: the repair of what came back, and the same undo again."""
    repair = repairing(world)
    change = cli.run(*repair, "-o", "json").document["change"]
    fault = world.faults.add("error", "AuthorizeSecurityGroup", service="ecs", skip=1, **answer)
    result = cli.run("undo", change, "--yes", "--weaken")
    assert (result.status, left(world)) == (status, 100), result
    assert "undone in part: ecs AuthorizeSecurityGroup: " in result.out
    assert "not undone" not in result.out
    assert "A part of it was made" in result.err
    assert f"config-remediator {' '.join(repair)}" in result.err
    world.faults.remove(fault)
    assert (cli.run(*repair).status, left(world)) == (0, 0)
    assert (cli.run("undo", change, "--yes", "--weaken").status, left(world)) == (0, 150)
    assert journal.exists()


@pytest.mark.parametrize("answer", [REFUSED, FORBIDDEN, {"status": 503, "code": "ServiceUnavailable"}])
def test_an_undo_in_part_is_on_record(world: Emulator, cli: Cli, journal: Path, answer: dict[str, object]) -> None:
    """The state that it left is read and journaled, and every command that reads journals says so."""
    repair = repairing(world)
    change = cli.run(*repair, "-o", "json").document["change"]
    fault = world.faults.add("error", "AuthorizeSecurityGroup", service="ecs", skip=1, **answer)
    result = cli.run("undo", change, "--yes", "--weaken", "-o", "json")
    assert result.status == (4 if answer == REFUSED else 3), result
    document = result.document
    assert document["result"].startswith("undone in part: ecs AuthorizeSecurityGroup: ")
    assert document["now"] not in (document["from"], document["to"])
    world.faults.remove(fault)

    last = json.loads(journal.read_text(encoding="utf-8").splitlines()[-1])
    assert (last["step"], last["before"], last["after"]) == ("undone_in_part", "[]", document["now"])
    assert (last["reason"], last["undoes"][:12]) == (answer["code"], change)
    assert cli.json("journal", "verify")["whole"]
    (shown,) = [each for each in cli.json("journal", "show", GROUP) if each["hash"].startswith(change)]
    assert shown["undoable"], "as soon as what came back is repaired"
    assert "undone_in_part" in cli.run("journal", "show", GROUP).out
    report = cli.run("report", "--format", "json").document
    assert report["standings"]["risky-ports"] == {"undone": 1}
    assert [each["in_part"] for each in report["undone"]] == [True]
    assert "in part" in cli.run("report").out
    assert "undone in part: " in cli.run("explain", GROUP, "--no-look").out

    again = cli.run("undo", change, "--yes", "--weaken")
    assert (again.status, left(world)) == (4, 100), again
    assert "it was undone in part before" in again.out
    assert "somebody has changed it" not in again.out
    assert f"config-remediator {' '.join(repair)}" in again.out
    assert (cli.run(*repair).status, left(world)) == (0, 0)
    assert (cli.run("undo", change, "--yes", "--weaken").status, left(world)) == (0, 150)
    assert "it was undone before" in cli.run("undo", change, "--yes", "--weaken").out


def test_a_refusal_after_the_effect_is_an_undo(world: Emulator, cli: Cli, journal: Path) -> None:
    """The read-back decides: all is as it was, so it is undone, and nothing is left to be repaired."""
    change = cli.run(*repairing(world), "-o", "json").document["change"]
    world.faults.add("error_after", "AuthorizeSecurityGroup", service="ecs", skip=1, **REFUSED)
    result = cli.run("undo", change, "--yes", "--weaken", "-o", "json")
    assert (result.status, result.document["result"], left(world)) == (0, "undone", 150), result
    assert result.err == ""
    assert json.loads(journal.read_text(encoding="utf-8").splitlines()[-1])["step"] == "undone"


def test_what_an_undo_in_part_left_cannot_be_read(world: Emulator, cli: Cli, journal: Path) -> None:
    """Nobody knows what stands, so no state is journaled, and the command says what to do."""
    look, write = "DescribeSecurityGroupAttribute", "AuthorizeSecurityGroup"
    repair = repairing(world)
    undo = ("undo", cli.run(*repair, "-o", "json").document["change"], "--yes", "--weaken")
    world.journal_reads(True)
    begun = len(world.journal())
    world.faults.add("error", write, service="ecs", skip=1, **REFUSED)
    assert "undone in part: " in cli.run(*undo).out
    operations = [each.operation for each in world.journal()[begun:]]
    last = max(at for at, operation in enumerate(operations) if operation == write)
    world.faults.clear()
    assert cli.run(*repair).status == 0

    world.faults.add("error", write, service="ecs", skip=1, **REFUSED)
    world.faults.add("error", look, service="ecs", skip=operations[:last].count(look), **FORBIDDEN)
    result = cli.run(*undo)
    assert (result.status, left(world)) == (4, 100), result
    assert "undone in part: ecs AuthorizeSecurityGroup: " in result.out
    assert "The undo was begun and not read back: it may have been made." in result.err
    assert f"config-remediator {' '.join(repair)}" in result.err
    assert json.loads(journal.read_text(encoding="utf-8").splitlines()[-1])["step"] == "undo_before"


def test_a_refused_first_request_is_not_called_a_part(world: Emulator, cli: Cli, journal: Path) -> None:
    """Nothing was changed, and nothing is offered to be undone; a dry run sends nothing."""
    world.faults.add("error", "RevokeSecurityGroup", service="ecs", **REFUSED)
    assert "--apply makes the change" in cli.run(*repairing(world)[:-1]).out
    result = cli.run(*repairing(world))
    assert (result.status, left(world)) == (4, 150), result
    assert "Not repaired: InvalidParameter.Injected" in result.out
    assert "config-remediator undo" not in result.out
    assert journal.exists()
