"""Every command that is printed for a person can be typed as it stands, with the configuration and journal in use."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli, Result
from tests.integration.cli.letters import letter, put
from tests.integration.cli.started import started
from tests.patience import PATIENCE_SECONDS
from tests.printed_commands import assert_typed

REPAIR = ("repair", "photos", "--rule", "public-read", "--apply")


@pytest.fixture
def typed(cli: Cli, channel: Emulator, journal: Path, tmp_path: Path) -> Cli:
    """A command line where `--config` names the configuration, whose path needs quotes, and a bucket to repair."""
    folder = tmp_path / "it's mine"
    folder.mkdir()
    cli.path = cli.path.rename(folder / "config.toml")
    assert not journal.exists()
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    return cli


def run(cli: Cli, *arguments: str) -> Result:
    """A command, with the configuration named by option."""
    return cli.run(*arguments, "--config", str(cli.path), REMEDIATOR_CONFIG="")


def stopped(cli: Cli, emulator: Emulator, *arguments: str) -> str:
    """What a command says that is interrupted while it waits for the answer to its change."""
    fault = emulator.faults.add("stall", "PutBucketAcl", service="oss", seconds=3600)
    with started(cli, *arguments, "--config", str(cli.path), REMEDIATOR_CONFIG="") as process:
        eventually(lambda: emulator.faults.struck()[fault] > 0 or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, (out, err)
    emulator.faults.clear()
    return err


@pytest.mark.parametrize("named", [False, True], ids=["configured journal", "--journal"])
def test_a_repair_that_is_stopped(typed: Cli, channel: Emulator, tmp_path: Path, named: bool) -> None:
    """Both commands show it, from the journal that it was written to."""
    other = ("--journal", str(tmp_path / "my journal.jsonl")) if named else ()
    err = stopped(typed, channel, *REPAIR, *other)
    for words in assert_typed(err, typed.path, "journal show photos", "explain photos"):
        assert "interrupted" in run(typed, *words).out, words


@pytest.mark.parametrize("named", [False, True], ids=["configured journal", "--journal"])
def test_a_repair_that_is_made(typed: Cli, channel: Emulator, tmp_path: Path, named: bool) -> None:
    """Its undo finds the change, in the journal that it was written to."""
    other = ("--journal", str(tmp_path / "my journal.jsonl")) if named else ()
    (words,) = assert_typed(run(typed, *REPAIR, *other).out, typed.path, "undo")
    undone = run(typed, *words, "--yes", "--weaken")
    assert (undone.status, channel.acls()["photos"]) == (0, "public-read"), undone


@pytest.mark.parametrize("named", [False, True], ids=["configured journal", "--file"])
def test_an_undo_that_is_stopped(typed: Cli, channel: Emulator, tmp_path: Path, named: bool) -> None:
    """And one of which nothing is known."""
    path = str(tmp_path / "my journal.jsonl")
    change = _change(run(typed, *REPAIR, *(("--journal", path) if named else ()), "-o", "json"))
    file = ("--file", path) if named else ()
    err = stopped(typed, channel, "undo", change, "--yes", "--weaken", *file)
    (words,) = assert_typed(err, typed.path, "journal show photos --all")
    assert "undo_before" in run(typed, *words).out
    unknown = run(typed, "undo", "0123456789ab", *file)
    assert unknown.status == 2
    (words,) = assert_typed(unknown.err, typed.path, "journal show RESOURCE")
    assert ("--file" in words) is named


def _change(result: Result) -> str:
    assert result.status == 0, result
    return str(result.document["change"])


def _denied(operation: str, service: str = "mns") -> Callable[[Cli, Emulator], object]:
    def inject(_cli: Cli, emulator: Emulator) -> None:
        emulator.faults.add("error", operation, service=service, status=403, code="AccessDenied")

    return inject


def _configured(old: str, new: str) -> Callable[[Cli, Emulator], object]:
    return lambda cli, _emulator: cli.replace(old, new)


@pytest.mark.parametrize(
    ("inject", "command"),
    [
        (_configured('name = "config-topic"', 'name = "none"'), "provision --apply"),
        (_configured('name = "config-events"', 'name = "other"'), "provision --apply"),
        (_configured("work_budget_seconds = 20", "work_budget_seconds = 90"), "provision --apply"),
        (_denied("GetTopicAttributes"), "ram-policy"),
        (_denied("SendMessage"), "ram-policy"),
        (_denied("GetBucketInfo", "oss"), "ram-policy"),
        (_denied("GetBucketPolicy", "oss"), "ram-policy"),
    ],
)
def test_what_a_check_advises(
    inject: Callable[[Cli, Emulator], object], command: str, typed: Cli, channel: Emulator
) -> None:
    """Each remedy, also that of what cannot be tried."""
    inject(typed, channel)
    found = run(typed, "check", "--probe-bucket", "photos", "-o", "json").document
    remedies = [each["remedy"] for each in found if "config-remediator" in (each["remedy"] or "")]
    names = [words[:2] if words[0] == "provision" else words[:1] for words in map(_words(typed), remedies)]
    assert command.split() in names, found


def _words(cli: Cli) -> Callable[[str], list[str]]:
    def words(remedy: str) -> list[str]:
        name = remedy.partition("config-remediator ")[2].split()[0]
        (found,) = assert_typed(remedy, cli.path, name)
        return found

    return words


def test_what_other_commands_name(typed: Cli, channel: Emulator) -> None:
    """Where redriven letters are seen again, and what shows one remediation."""
    put(channel, letter(1))
    (words,) = assert_typed(run(typed, "dlq", "redrive").out, typed.path, "dlq list --newer-than 15m")
    assert run(typed, *words).status == 0
    (words,) = assert_typed(run(typed, "rules").out, typed.path, "rules REMEDIATION")
    assert run(typed, *[word.replace("REMEDIATION", "oss.bucket-acl") for word in words]).status == 0
