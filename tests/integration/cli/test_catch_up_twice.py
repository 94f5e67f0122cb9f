"""`catch-up` run twice, as a person does: nothing is repaired twice, and what was just sent is not sent again."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from emulator.client import Emulator
from emulator.provisioning import setup_channel
from tests.emulation import eventually
from tests.integration.cli.catching_up import NO_DISK, decisions, emptied, sent, settings
from tests.integration.cli.conftest import ENFORCE, Cli
from tests.integration.conftest import DEAD_LETTERS
from tests.integration.queues import is_empty

pytest.importorskip("alibabacloud_config20200907")

ALL = ("lost-a", "lost-b", "lost-c")


def remembering(folder: Path) -> list[Path]:
    """The files in which catch-up remembers what it sent, below the folder of a person."""
    return [each for each in folder.rglob("*") if each.is_file() and "catch-up-" in each.name]


def test_what_was_just_sent_is_not_sent_again(missed: Cli, emulator: Emulator) -> None:
    """Nothing has to be configured or named for that, and it does not depend on what the queue shows."""
    assert missed.json("catch-up", "--apply")["sent"] == 3
    emptied(emulator)
    again = missed.json("catch-up", "--apply")
    assert (again["sent"], set(decisions(again).values())) == (0, {"sent_before"})
    assert sent(emulator) == []
    assert set(decisions(missed.json("catch-up")).values()) == {"sent_before"}, "a look says so, too"


def test_nothing_is_repaired_twice(missed: Cli, emulator: Emulator) -> None:
    """While all waits, out of the sight of a peek, the second run sends nothing: three resources, events, changes."""
    switch = missed.path.parent / "pause"
    switch.touch()
    missed.configure(rules=ENFORCE, more=settings(emulator) + f'\n[pause]\nfile = "{switch}"\n')
    missed.replace("[retry]\n", "[retry]\nhold_seconds = 1\n")
    missed.replace("[engine]\n", "[engine]\npark_after_seconds = 0\n")
    with missed.working():
        emulator.faults.add("error", "BatchPeekMessage", status=500, code="InternalError")
        assert [missed.json("catch-up", "--apply")["sent"] for _ in range(2)] == [3, 0]
        switch.unlink()
        eventually(lambda: is_empty(emulator))
    assert emulator.acls() == dict.fromkeys(ALL, "private")
    assert len(emulator.journal(operation="PutBucketAcl")) == 3


def test_the_file_is_the_persons_own(missed: Cli, tmp_path: Path) -> None:
    """Where programs keep what outlives them, readable by nobody else, and named in what the run says."""
    for place, environment in (
        (tmp_path / ".local" / "state", {}),
        (tmp_path / "elsewhere", {"XDG_STATE_HOME": str(tmp_path / "elsewhere")}),
    ):
        shown = missed.run("catch-up", "--apply", "--limit", "1", **environment).out
        (file,) = remembering(place)
        assert str(file) in " ".join(shown.split())
        assert file.parent == place / "config-remediator"
        assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)


def test_a_look_leaves_no_file(missed: Cli, tmp_path: Path) -> None:
    """It has sent nothing."""
    missed.run("catch-up")
    assert remembering(tmp_path) == []


def test_another_queue_was_sent_nothing(missed: Cli, emulator: Emulator) -> None:
    """What one queue was sent says nothing of another one."""
    assert missed.json("catch-up", "--apply")["sent"] == 3
    setup_channel(emulator, queue="other-events", dead_letter_queue=DEAD_LETTERS)
    missed.replace('name = "config-events"', 'name = "other-events"')
    assert missed.json("catch-up", "--apply")["sent"] == 3


@pytest.mark.parametrize(
    "environment",
    [NO_DISK, {"HOME": "", "XDG_STATE_HOME": ""}, {"HOME": "", "XDG_STATE_HOME": "relative"}, {"HOME": "/nonexistent"}],
    ids=["no directory", "no home", "relative", "as in the image"],
)
def test_where_no_file_can_be_kept_it_sends_all_the_same(missed: Cli, environment: dict[str, str]) -> None:
    """A container's disk goes with it; that is said, and no folder is made where there was none."""
    document = missed.json("catch-up", "--apply", **environment)
    assert (document["sent"], document["remembered"], document["memory"]) == (3, False, "")
    assert not Path("/nonexistent").exists()
    assert not Path("relative").exists()


def test_what_is_named_goes_before_the_usual_place(missed: Cli, emulator: Emulator, tmp_path: Path) -> None:
    """The command line, the configuration, and only then a file of the person's own; errors say which it was."""
    other = tmp_path / "no-file-of-ours"
    other.write_text("precious\n", encoding="utf-8")
    missed.configure(rules=ENFORCE, more=settings(emulator, more=f'state = "{other}"\n'))
    refused = missed.run("catch-up", "--apply")
    assert (refused.status, f"catch-up: catch_up.state: {other} is no file of catch-up" in refused.err) == (2, True)
    refused = missed.run("catch-up", "--apply", "--state", str(other))
    assert (refused.status, f"catch-up: --state: {other} is no file of catch-up" in refused.err) == (2, True)
    assert missed.json("catch-up", "--apply", "--state", str(tmp_path / "new"))["memory"] == str(tmp_path / "new")
    assert remembering(tmp_path) == []
    assert other.read_text(encoding="utf-8") == "precious\n"
