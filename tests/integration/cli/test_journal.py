"""`journal` and `undo`, over what a real worker has written."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.queues import dead_letters, is_empty
from tests.integration.remediations.cases import ACL, LOGGING, POLICY, TAGS
from tests.integration.remediations.workbench import BUCKET, Case

READ = "oss-bucket-public-read-prohibited"


@pytest.fixture
def journal(cli: Cli, tmp_path: Path) -> Path:
    """Where the worker of these tests keeps its journal."""
    path = tmp_path / "journal.jsonl"
    cli.configure(more=f'\n[journal]\npath = "{path}"\n')
    return path


def work(cli: Cli, emulator: Emulator) -> None:
    """Run a worker until the queue is empty, and stop it in good order."""
    process = cli.start("run")
    try:
        eventually(lambda: is_empty(emulator))
    finally:
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 0, error


def steps(path: Path, bucket: str = "") -> list[str]:
    """The steps in the journal, of one bucket if named."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    messages = {entry.get("message_id") for entry in entries if entry.get("resource") == bucket}
    return [entry["step"] for entry in entries if not bucket or entry.get("message_id") in messages]


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
def test_a_journal_that_was_tampered_with_is_told(cli: Cli, channel: Emulator, journal: Path, how: str) -> None:
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
    first.communicate(timeout=30)
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
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    cli.replace("port = 0", f"port = {port}")
    process = cli.start("run")
    try:
        eventually(lambda: journal.exists() and journal.stat().st_size > 0 and _answers(port))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        assert f"remediator_journal_bytes {float(journal.stat().st_size)}" in text
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def the_change(cli: Cli, bucket: str = "photos") -> str:
    """The id of the one change of a bucket."""
    (made,) = [entry for entry in cli.json("journal", "show", bucket) if entry["step"] == "verified"]
    return str(made["hash"][:12])


@pytest.mark.parametrize("case", [ACL, POLICY, TAGS, LOGGING], ids=lambda case: case.remediation)
def test_a_repair_is_undone_exactly(case: Case, cli: Cli, channel: Emulator, journal: Path) -> None:
    """The bucket is as it was, setting for setting, and the journal has both steps and is whole."""
    from tests.integration.cli.test_ram_policy import rule

    channel.config.set_channel(non_compliance=False)
    channel.create_buckets([BUCKET], **case.broken)
    channel.create_buckets([f"access-logs-{channel.endpoints.region}"])
    before = channel.control.call("GET", f"/buckets/{BUCKET}")
    cli.configure(rule(case), more=f'\n[journal]\npath = "{journal}"\n')
    channel.config.publish(bucket=BUCKET, rule=READ)
    work(cli, channel)
    result = cli.run("undo", the_change(cli, BUCKET), "--yes")
    assert result.status == 0, result
    assert channel.control.call("GET", f"/buckets/{BUCKET}") == before
    assert steps(journal)[-2:] == ["undo_before", "undone"]
    assert cli.json("journal", "verify")["whole"]


@pytest.fixture
def repaired(cli: Cli, channel: Emulator, journal: Path) -> Cli:
    """A bucket that was repaired, with its journal."""
    channel.create_buckets(["photos"], acl="public-read")
    work(cli, channel)
    channel.config.set_channel(non_compliance=False)
    return cli


def test_a_state_that_somebody_has_changed_is_left_alone(repaired: Cli, channel: Emulator, journal: Path) -> None:
    """Status 4 with the difference, and no request that changes anything."""
    channel.change_bucket("photos", acl="public-read-write")
    lines = journal.read_text()
    result = repaired.run("undo", the_change(repaired), "--yes")
    assert result.status == 4
    assert "somebody has changed it since" in result.out
    assert "+public-read-write" in result.out
    assert channel.acls() == {"photos": "public-read-write"}
    assert journal.read_text() == lines


def test_no_is_an_answer(repaired: Cli, channel: Emulator) -> None:
    """Shown first, asked, and not done: for no and for no answer."""
    for answer in ("n\n", ""):
        result = repaired.run("undo", the_change(repaired), answer=answer)
        assert result.status == 4
        assert "+public-read" in result.out
    assert channel.acls() == {"photos": "private"}


def test_a_dry_run_only_shows(repaired: Cli, channel: Emulator, journal: Path) -> None:
    """The difference, status 0, nothing changed and nothing journaled."""
    lines = journal.read_text()
    result = repaired.run("undo", the_change(repaired), "--dry-run")
    assert result.status == 0
    assert "+public-read" in result.out
    assert channel.acls() == {"photos": "private"}
    assert journal.read_text() == lines


def test_what_was_undone_is_not_undone_again(repaired: Cli, channel: Emulator) -> None:
    """The journal knows; even when the bucket looks as the change left it."""
    change = the_change(repaired)
    assert repaired.run("undo", change, "--yes").status == 0
    channel.change_bucket("photos", acl="private")
    result = repaired.run("undo", change, "--yes")
    assert result.status == 4
    assert "undone before" in result.out


def test_a_bucket_that_is_gone_is_never_made_anew(repaired: Cli, channel: Emulator) -> None:
    """PutBucketAcl would create it; undo looks first."""
    channel.delete_bucket("photos")
    result = repaired.run("undo", the_change(repaired), "--yes")
    assert result.status == 4
    assert channel.acls() == {}


def test_an_unknown_change_is_told(repaired: Cli) -> None:
    """Status 2 and where the ids are found."""
    result = repaired.run("undo", "0000000000")
    assert result.status == 2
    assert "journal show" in result.err


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
