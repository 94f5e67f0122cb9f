"""`catch-up` beside a worker that keeps events back, where no look at the queue shows them: its journal does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.foreign_files import FOREIGN
from tests.integration.cli.catching_up import NO_DISK, broken, decisions, settings
from tests.integration.cli.conftest import ENFORCE, RULES, Cli
from tests.integration.cli.journaling import lines
from tests.integration.conftest import QUEUE
from tests.integration.queues import is_empty, messages

pytest.importorskip("alibabacloud_config20200907")

ALL = {"kept-a", "kept-b"}


class World:
    """A worker that is paused, and so parks or hides an event for each of two public buckets."""

    def __init__(self, cli: Cli, emulator: Emulator, folder: Path) -> None:
        self.cli = cli
        self.emulator = emulator
        self.switch = folder / "pause"
        self.journal = folder / "journal.jsonl"

    def configure(self, *, hold_seconds: int, park_after_seconds: int = 0, rules: str = ENFORCE) -> None:
        """Held for so long, by hiding if that is shorter than the other one."""
        more = f'\n[pause]\nfile = "{self.switch}"\n\n[journal]\npath = "{self.journal}"\n'
        self.cli.configure(rules=rules, more=settings(self.emulator) + more)
        self.cli.replace("[retry]\n", f"[retry]\nhold_seconds = {hold_seconds}\n")
        self.cli.replace("[engine]\n", f"[engine]\npark_after_seconds = {park_after_seconds}\n")

    def work(self) -> None:
        """Break two buckets, and let a worker find them and end when it has settled the events for them."""
        with self.cli.working():
            broken(self.emulator, *sorted(ALL))
            eventually(lambda: {each.get("resource") for each in self.lines("settled")} >= ALL)

    def lines(self, step: str) -> list[dict[str, Any]]:
        """What the journal says of one step."""
        return [each for each in lines(self.journal) if each["step"] == step]


@pytest.fixture
def kept(cli: Cli, emulator: Emulator, tmp_path: Path) -> World:
    """Paused, and held for half an hour."""
    world = World(cli, emulator, tmp_path)
    world.switch.touch()
    world.configure(hold_seconds=1_800)
    return world


@pytest.mark.parametrize(("park_after_seconds", "how"), [(0, "parked"), (3_600, "hidden")])
def test_what_the_worker_keeps_is_shown_and_not_sent(park_after_seconds: int, how: str, kept: World) -> None:
    """In the table, the document and the log: with the time until which it waits, and the id under which."""
    kept.configure(hold_seconds=1_800, park_after_seconds=park_after_seconds)
    kept.work()
    before = len(messages(kept.emulator, QUEUE))
    result = kept.cli.run("catch-up", "--apply", "-o", "json", **NO_DISK)
    assert (result.status, decisions(result.document)) == (0, dict.fromkeys(ALL, how))
    (line,) = (json.loads(each) for each in result.err.splitlines() if each.startswith("{"))
    for each in (line, result.document):
        assert (each["journal_read"], each["events"], each["decisions"], each["sent"]) == (True, {how: 2}, {how: 2}, 0)
    assert result.document["journals"] == [str(kept.journal)]

    settled = {each["resource"]: each for each in kept.lines("settled")}
    for shown in result.document["resources"]:
        journaled = settled[shown["resource"]]
        assert (shown["event"], shown["why"]) == (how, f"{how}, comes back by itself")
        assert shown["kept_until_ms"] == journaled["at_ms"] + 1_800_000
        assert shown["kept_message_id"] == journaled["parked_as" if how == "parked" else "message_id"]
    ids = {each["kept_message_id"] for each in result.document["resources"]}
    assert ids <= {each["id"] for each in messages(kept.emulator, QUEUE)}, "it is there, though nobody sees it"
    assert len(messages(kept.emulator, QUEUE)) == before + 1, "and nothing but the end of the run was sent"

    for command in ("journal", "show"), ("explain",):
        shown = kept.cli.run(*command, "kept-a").out
        assert (f"message {how}" in shown, "for 30 min" in shown) == (True, True)
    table = kept.cli.run("catch-up").out
    assert f"{how}, " in table
    assert f"left: {how}, comes back by itself" in table


def test_nothing_is_repaired_twice_and_nothing_is_lost(kept: World) -> None:
    """What was left because it is parked comes back, is repaired once, and is not parked any more.

    The queue's clock runs ahead, so the time in the journal is not over yet: that the copy was received is in it.
    """
    kept.configure(hold_seconds=600)
    kept.work()
    assert decisions(kept.cli.json("catch-up", "--apply", **NO_DISK)) == dict.fromkeys(ALL, "parked")
    kept.switch.unlink()
    kept.emulator.advance(601)
    with kept.cli.working():
        eventually(lambda: is_empty(kept.emulator))
    assert kept.emulator.acls() == dict.fromkeys(ALL, "private")
    assert len(kept.emulator.journal(operation="PutBucketAcl")) == len(ALL)

    kept.emulator.config.set_channel(topic=None)
    for each in ALL:
        kept.emulator.change_bucket(each, acl="public-read")
    eventually(lambda: set(kept.emulator.non_compliant()) >= ALL)
    assert kept.cli.json("catch-up", **NO_DISK)["events"] == {"unknown": 2}


def test_without_the_journal_it_is_unknown(kept: World, tmp_path: Path) -> None:
    """Nobody knows; a second event costs a look. A journal of another machine can be named; a missing one is said."""
    kept.work()
    elsewhere = kept.journal.rename(tmp_path / "fetched.jsonl")
    found = kept.cli.json("catch-up", **NO_DISK)
    assert (decisions(found), found["journal_read"], found["events"]) == (
        dict.fromkeys(ALL, "send"),
        False,
        {"unknown": 2},
    )
    (problem,) = found["problems"]
    assert problem.startswith(f"What is parked is unknown: the journal {kept.journal} cannot be read")
    assert set(decisions(kept.cli.json("catch-up", "--journal", str(elsewhere), **NO_DISK)).values()) == {"parked"}
    refused = kept.cli.run("catch-up", "--journal", str(tmp_path / "missing"))
    assert (refused.status, "catch-up: --journal: " in refused.err) == (2, True)


def test_a_log_is_no_journal(kept: World, tmp_path: Path) -> None:
    """Not read is not known: what is parked is sent, but never without a word. A person who named it is refused."""
    kept.work()
    kept.journal.rename(tmp_path / "fetched.jsonl")
    kept.journal.write_bytes(FOREIGN["log"])
    found = kept.cli.json("catch-up", **NO_DISK)
    assert (found["journal_read"], found["journals"], found["events"]) == (False, [], {"unknown": 2})
    (problem,) = found["problems"]
    assert problem.startswith(f"What is parked is unknown: the journal {kept.journal} cannot be read: it is no journal")
    for named in (kept.journal, Path("/etc/passwd")):
        refused = kept.cli.run("catch-up", "--journal", str(tmp_path / "fetched.jsonl"), "--journal", str(named))
        assert (refused.status, refused.out) == (2, "")
        assert f"--journal: {named} cannot be read: it is no journal" in " ".join(refused.err.split())


def test_what_a_rule_observes_and_keeps_is_parked(kept: World) -> None:
    """It is left anyway, and its event is there: not unknown."""
    kept.configure(hold_seconds=1_800, rules=RULES.replace('mode = "enforce"', 'mode = "observe"'))
    kept.work()
    found = kept.cli.json("catch-up", **NO_DISK)
    assert (decisions(found), found["events"]) == (dict.fromkeys(ALL, "observed"), {"parked": 2})
    copies = kept.cli.json("catch-up", "--include-observing", **NO_DISK)
    assert decisions(copies) == dict.fromkeys(ALL, "parked")
