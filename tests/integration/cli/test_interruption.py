"""Ctrl-C while a command waits for a service or a person: one line, exit status 130, and what may have happened."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.cli.letters import DEAD, letter, put
from tests.integration.cli.started import started
from tests.integration.queues import messages
from tests.patience import PATIENCE_SECONDS


@pytest.mark.parametrize("arguments", [("check",), ("provision",), ("peek",), ("dlq", "list")], ids=" ".join)
def test_ctrl_c_ends_a_command_in_one_line(cli: Cli, emulator: Emulator, arguments: tuple[str, ...]) -> None:
    """It says which command it was, and leaves no traceback."""
    fault = emulator.faults.add("stall", seconds=3600)
    with started(cli, *arguments) as process:
        eventually(lambda: emulator.faults.struck()[fault] > 0 or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, err) == (130, f"\nconfig-remediator {' '.join(arguments)}: stopped by SIGINT\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_an_answer_to_a_question(cli: Cli, channel: Emulator, number: signal.Signals, status: int) -> None:
    """Not one that nobody gave, with advice for scripts; nothing is dropped."""
    put(channel, letter(1))
    with started(cli, "dlq", "drop") as process:
        assert process.stderr is not None
        asked = ""
        while not asked.endswith("[y/N]:") and (character := process.stderr.read(1)):
            asked += character
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == status, (out, err)
    assert err.endswith(f"config-remediator dlq drop: stopped by {number.name}\n")
    assert "nobody answered" not in out
    channel.advance(60)
    assert len(messages(channel, DEAD)) == 1


def test_who_stops_a_redrive_learns_how_far_it_came(cli: Cli, channel: Emulator) -> None:
    """And that going on is safe."""
    put(channel, letter(1), letter(2))
    with started(cli, "dlq", "redrive", "--rate", "0.001") as process:
        eventually(lambda: len(messages(channel, DEAD)) == 1 or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, err
    assert " of 2 letters were dealt with, and one more may have been. Run it again for the rest" in err


@pytest.mark.parametrize("how", ["stopped", "no answer"])
def test_an_undo_without_an_answer_says_what_may_have_happened(
    cli: Cli, channel: Emulator, journal: Path, how: str
) -> None:
    """Stopped by a person, or by the network; the same undo again is safe."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    repaired = cli.run("repair", "photos", "--rule", "public-read", "--apply", "-o", "json")
    undo = ("undo", repaired.document["change"], "--yes", "--weaken")
    kind = "stall" if how == "stopped" else "reset_after"
    fault = channel.faults.add(kind, "PutBucketAcl", service="oss", seconds=3600)
    with started(cli, *undo) as process:
        eventually(lambda: channel.faults.struck()[fault] > 0 or process.poll() is not None)
        if how == "stopped":
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == (130 if how == "stopped" else 3), (out, err)
    assert "The undo was begun and not read back: it may have been made." in err
    assert "journal show photos --all" in err
    channel.faults.clear()
    again = cli.run(*undo)
    assert (again.status, "as it was before the change already" in " ".join(again.out.split())) in (
        (4, True),
        (0, False),
    )
    assert channel.acls()["photos"] == "public-read"
