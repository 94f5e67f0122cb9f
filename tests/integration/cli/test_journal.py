"""`journal`, over what a real worker has written."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumer.journal.format import ChainHead, sealed
from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.cli.journaling import READ, locked_away, steps, work
from tests.integration.queues import dead_letters, is_empty, messages
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port


def test_every_step_is_on_record_and_proved(cli: Cli, channel: Emulator, journal: Path) -> None:
    """A repair, a bucket that is gone and a poison body; the journal is whole and every deletion has its ending."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    for bucket in ("photos", "gone"):
        channel.config.publish(bucket=bucket, rule=READ)
    channel.config.publish_raw("poison")
    work(cli, channel)
    assert steps(journal, "photos") == ["received", "before", "changed", "verified", "settled"]
    assert steps(journal, "gone") == ["received", "decided", "settled"]
    assert len(dead_letters(channel)) == 1
    found = cli.json("journal", "verify")
    assert (found["whole"], found["deletions"], found["torn_lines"]) == (True, 3, [])


def test_superseded_deliveries_have_their_ending_too(cli: Cli, channel: Emulator, journal: Path) -> None:
    """Several events of one bucket in one batch: whatever follows the newest is deleted with an ending on record."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], acl="public-read")
    channel.config.publish(bucket="photos", rule=READ, count=8)
    work(cli, channel)
    found = cli.json("journal", "verify")
    assert (found["whole"], found["deletions"]) == (True, 8)


def test_who_did_what_and_when_is_answered(cli: Cli, channel: Emulator, journal: Path) -> None:
    """The change with its states, the process that made it, and the id to undo it by."""
    channel.create_buckets(["photos", "other"], acl="public-read")
    work(cli, channel)
    shown = cli.json("journal", "show", "photos")
    assert {entry["resource"] for entry in shown} == {"photos"}
    (made,) = [entry for entry in shown if entry["step"] == "verified"]
    assert (made["before"], made["after"], made["rule"], made["undoable"]) == (
        "public-read",
        "private",
        "public-read",
        True,
    )
    assert made["who"].rpartition(":")[2].isdigit()
    table = cli.run("journal", "show", "photos").out
    assert "public-read → private" in table
    assert made["hash"][:12] in table


@pytest.mark.parametrize("how", ["altered", "removed", "reordered", "cut"])
def test_a_journal_that_was_tampered_with_is_reported(cli: Cli, channel: Emulator, journal: Path, how: str) -> None:
    """Status 1 and the line; a cut end is seen by the anchor alone."""
    channel.create_buckets(["photos"], acl="public-read")
    work(cli, channel)
    head = cli.json("journal", "verify")["head"]
    kept = journal.read_text().splitlines(keepends=True)
    place = 2
    if how == "altered":
        kept[place] = kept[place].replace("photos", "phatos")
        assert "phatos" in kept[place]
    elif how == "removed":
        del kept[place]
    elif how == "reordered":
        kept[place], kept[place + 1] = kept[place + 1], kept[place]
    else:
        kept = kept[:-1]
    journal.write_text("".join(kept))
    anchored = cli.run("journal", "verify", "--anchor", head)
    assert anchored.status == 1
    assert "NOT whole" in anchored.out
    assert "is whole" not in anchored.out
    plain = cli.run("journal", "verify")
    assert plain.status == (0 if how == "cut" else 1)
    if how != "cut":
        assert f"line {place + 1}" in plain.out
    else:
        assert "MISSING" in anchored.out


def test_a_worker_that_was_killed_leaves_a_journal_that_the_next_one_continues(
    cli: Cli, channel: Emulator, journal: Path
) -> None:
    """kill -9 in the middle of work: the second worker ends the messages, and the whole is proved."""
    channel.create_buckets([f"bucket-{number}" for number in range(30)], acl="public-read")
    first = cli.start("run")
    eventually(lambda: journal.exists() and journal.read_bytes().count(b'"before"') > 3)
    first.kill()
    first.communicate(timeout=PATIENCE_SECONDS)
    with journal.open("ab") as file:
        file.write(b'{"seq":9')  # as if it had been killed in the middle of a line
    channel.advance(60)
    work(cli, channel)
    found = cli.json("journal", "verify")
    assert found["whole"], found
    assert len(found["torn_lines"]) == 1
    assert set(channel.acls().values()) == {"private"}


def test_the_size_is_a_metric(cli: Cli, channel: Emulator, journal: Path) -> None:
    """`journal_bytes` is what the file has."""
    port = free_port()
    cli.replace("port = 0", f"port = {port}")
    process = cli.start("run")
    try:
        eventually(lambda: journal.exists() and journal.stat().st_size > 0 and _answers(port))
        eventually(lambda: f"remediator_journal_bytes {float(journal.stat().st_size)}\n" in _metrics(port))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)


def _metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text: str = answer.read().decode()
        return text


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_without_a_journal_the_key_is_named(cli: Cli) -> None:
    """Status 2 and the key to set."""
    result = cli.run("journal", "verify")
    assert result.status == 2
    assert "journal.path" in result.err


def test_a_journal_that_cannot_be_written_stops_the_start(cli: Cli, tmp_path: Path) -> None:
    """A worker that cannot keep the journal that was asked for does not start: status 2 and the key."""
    cli.configure(more=f'\n[journal]\npath = "{tmp_path}/missing/journal"\n')
    result = cli.run("run")
    assert result.status == 2
    assert "journal.path" in result.err


def requiring(cli: Cli, path: Path, *, required: bool) -> None:
    """A configuration with a journal and its policy."""
    cli.configure(more=f'\n[journal]\npath = "{path}"\nrequired = {str(required).lower()}\n')


def changes_on_record(path: Path) -> list[str]:
    """The buckets that a change was announced for."""
    return [entry["resource"] for entry in map(json.loads, path.read_text().splitlines()) if entry["step"] == "before"]


@pytest.mark.parametrize("required", [True, False])
def test_a_journal_that_cannot_be_written_stops_changes_only_where_it_is_required(
    cli: Cli, channel: Emulator, tmp_path: Path, required: bool
) -> None:
    """Required: held until the line can be written. Else: the change is made, and the gap stands in the journal."""
    path = tmp_path / "journal.jsonl"
    requiring(cli, path, required=required)
    cli.replace('mode = "enforce"', 'mode = "enforce"\nhold_seconds = 1')
    process = cli.start("run")
    try:
        eventually(path.exists)
        eventually(lambda: path.stat().st_size > 0)
        with locked_away(path):
            channel.create_buckets(["photos"], acl="public-read")
            if required:
                eventually(lambda: any(each["dequeue_count"] > 1 for each in messages(channel, "config-events")))
                assert channel.acls() == {"photos": "public-read"}
            else:
                eventually(lambda: channel.acls() == {"photos": "private"})
        eventually(lambda: channel.acls() == {"photos": "private"})
        eventually(lambda: is_empty(channel))
    finally:
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, error
    assert "journal.cannot_be_written" in out
    assert "journal.goes_on" in out
    assert (changes_on_record(path) == ["photos"]) is required
    found = cli.json("journal", "verify")
    assert found["whole"], found
    assert found["gaps"] == 1


def test_a_lock_that_somebody_keeps_at_the_start_is_reported(cli: Cli, journal: Path) -> None:
    """Status 2 and the key, and not a process that hangs without a word."""
    journal.touch()
    with locked_away(journal):
        result = cli.run("run")
    assert result.status == 2
    assert "journal.path" in result.err
    assert "lock" in result.err


def test_a_journal_that_is_required_has_to_be_configured(cli: Cli) -> None:
    """Status 2 and both keys."""
    cli.configure(more="\n[journal]\nrequired = true\n")
    result = cli.run("check")
    assert "journal.required: needs journal.path" in result.out


def test_a_journal_is_shown_from_and_until_a_moment_and_the_newest_of_it(tmp_path: Path, cli: Cli) -> None:
    """Since takes in, until leaves out; the limit keeps the newest and says that there were more."""
    path, head, text = tmp_path / "journal.jsonl", ChainHead(), b""
    for day in range(1, 11):
        at_ms = int(datetime(2026, 11, day, tzinfo=UTC).timestamp() * 1000)
        line, head = sealed(head, {"at_ms": at_ms, "who": "w", "step": "decided", "resource": f"b{day}", "rule": "r"})
        text += line
    path.write_bytes(text)

    def shown(*options: str) -> list[str]:
        return [each["resource"] for each in cli.json("journal", "show", "-f", str(path), *options)]

    assert shown("--since", "2026-11-09") == ["b9", "b10"]
    assert shown("--until", "2026-11-03T00:00:00Z") == ["b1", "b2"]
    assert shown("--since", "2026-11-04", "--until", "2026-11-08", "--limit", "2") == ["b6", "b7"]
    assert shown("--limit", "99", "--rule", "r") == [f"b{day}" for day in range(1, 11)]
    limited = cli.run("journal", "show", "-f", str(path), "--limit", "3")
    assert limited.err == "The newest 3 of 10 lines.\n"
    nothing = cli.run("journal", "show", "-f", str(path), "--since", "2027-01-01")
    assert "nothing since 2027-01-01 00:00:00 UTC; its rules: r" in nothing.err
    assert cli.run("journal", "show", "-f", str(path), "--since", "soon").status == 2


def test_what_was_undone_after_the_last_line_shown_is_not_undoable(tmp_path: Path, cli: Cli) -> None:
    """Until a moment before the undo, the change is shown, and not as one that could be undone again."""
    path = tmp_path / "journal.jsonl"
    made = {"at_ms": 1_000, "step": "verified", "resource": "b", "rule": "r", "outcome": "fixed"}
    first, head = sealed(ChainHead(), made)
    second, _ = sealed(
        head, {"at_ms": 9_000_000, "step": "undone", "resource": "b", "rule": "r", "undoes": head.digest}
    )
    path.write_bytes(first + second)
    (shown,) = cli.json("journal", "show", "-f", str(path), "--until", "1970-01-01T00:30")
    assert shown["undoable"] is False
    path.write_bytes(first)
    (shown,) = cli.json("journal", "show", "-f", str(path))
    assert shown["undoable"] is True
