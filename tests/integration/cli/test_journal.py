"""`journal` and `undo`, over what a real worker has written."""

from __future__ import annotations

import fcntl
import json
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumer.journal.format import ChainHead, sealed
from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli, Result
from tests.integration.queues import dead_letters, is_empty, messages
from tests.integration.remediations.cases import ACL, LOGGING, POLICY, PUBLIC_STATEMENT, TAGS, policy
from tests.integration.remediations.workbench import BUCKET, Case
from tests.patience import PATIENCE_SECONDS

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
        _, error = process.communicate(timeout=PATIENCE_SECONDS)
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
        process.communicate(timeout=PATIENCE_SECONDS)


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
    result = cli.run("undo", the_change(cli, BUCKET), "--yes", "--weaken")
    assert result.status == 0, result
    assert channel.control.call("GET", f"/buckets/{BUCKET}") == before
    assert steps(journal)[-2:] == ["undo_before", "undone"]
    assert cli.json("journal", "verify")["whole"]


def test_a_repair_that_left_something_to_a_person_is_undone_too(cli: Cli, channel: Emulator, journal: Path) -> None:
    """Rejected after a change: the journal has both states, and undo takes it by the line that says so."""
    from tests.integration.cli.test_ram_policy import rule

    case = replace(POLICY, broken={"policy": policy(PUBLIC_STATEMENT, {**PUBLIC_STATEMENT, "Principal": ["alice"]})})
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets([BUCKET], **case.broken)
    before = channel.control.call("GET", f"/buckets/{BUCKET}")
    cli.configure(rule(case), more=f'\n[journal]\npath = "{journal}"\n')
    channel.config.publish(bucket=BUCKET, rule=READ)
    work(cli, channel)
    (decided,) = [entry for entry in cli.json("journal", "show", BUCKET) if entry["step"] == "decided"]
    assert (decided["outcome"], decided["reason"]) == ("rejected", "policy_not_understood")
    result = cli.run("undo", decided["hash"][:12], "--yes", "--weaken")
    assert result.status == 0, result
    assert channel.control.call("GET", f"/buckets/{BUCKET}") == before


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
    result = repaired.run("undo", the_change(repaired), "--yes", "--weaken")
    assert result.status == 4
    assert "somebody has changed it since" in result.out
    assert "+public-read-write" in result.out
    assert channel.acls() == {"photos": "public-read-write"}
    assert journal.read_text() == lines


def test_no_is_an_answer(repaired: Cli, channel: Emulator) -> None:
    """Shown first, asked, and not done: for no and for no answer."""
    for answer in ("n\n", ""):
        result = repaired.run("undo", the_change(repaired), "--weaken", answer=answer)
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
    assert repaired.run("undo", change, "--yes", "--weaken").status == 0
    channel.change_bucket("photos", acl="private")
    result = repaired.run("undo", change, "--yes", "--weaken")
    assert result.status == 4
    assert "undone before" in result.out


def test_a_bucket_that_is_gone_is_never_made_anew(repaired: Cli, channel: Emulator) -> None:
    """PutBucketAcl would create it; undo looks first."""
    channel.delete_bucket("photos")
    result = repaired.run("undo", the_change(repaired), "--yes", "--weaken")
    assert result.status == 4
    assert channel.acls() == {}


def test_what_weakens_protection_has_to_be_meant(repaired: Cli, channel: Emulator, journal: Path) -> None:
    """--yes answers the question and no more: status 4, what would be open again, and nothing is done."""
    lines = journal.read_text()
    result = repaired.run("undo", the_change(repaired), "--yes")
    assert result.status == 4
    assert "anyone may be able to reach the bucket again" in result.out
    assert "--weaken" in result.out
    assert channel.acls() == {"photos": "private"}
    assert journal.read_text() == lines


@pytest.mark.parametrize("how", ["put there", "changed before", "removed before"])
def test_a_change_that_the_journal_does_not_prove_is_not_undone(
    repaired: Cli, channel: Emulator, journal: Path, how: str
) -> None:
    """Somebody who may write the file cannot make a bucket public by it: status 4, the line, and no request."""
    kept = journal.read_bytes().splitlines(keepends=True)
    change = the_change(repaired)
    if how == "put there":
        made = next(json.loads(line) for line in kept if b'"step":"verified"' in line)
        forged = {name: value for name, value in made.items() if name not in ("v", "seq", "prev", "hash")}
        line, head = sealed(ChainHead(len(kept), "f" * 64), {**forged, "before": "public-read-write"})
        kept.append(line)
        change = head.digest[:12]
    elif how == "changed before":
        kept[1] = kept[1].replace(b'","', b'", "', 1)
    else:
        del kept[1]
    journal.write_bytes(b"".join(kept))
    start = channel.journal()[-1].sequence
    result = repaired.run("undo", change, "--yes", "--weaken")
    assert result.status == 4, result
    assert "not whole up to this change" in result.out
    assert channel.acls() == {"photos": "private"}
    assert not channel.journal(start)
    assert len(journal.read_bytes().splitlines()) == len(kept)


def made_anew_under_the_undo(cli: Cli, channel: Emulator, operation: str, bucket: str, **settings: object) -> Result:
    """An undo whose request is on its way while the owner deletes the bucket and makes it anew."""
    change = the_change(cli, bucket)
    cli.replace("[oss]\ncall_timeout_seconds = 5", "[oss]\ncall_timeout_seconds = 15")  # a slow machine is no answer
    held = channel.faults.add("latency", operation, service="oss", seconds=300.0)
    process = cli.start("undo", change, "--yes", "--weaken")
    # Not before: all looks at the bucket are over only once the change itself has arrived.
    eventually(lambda: channel.faults.struck()[held] == 1)
    channel.delete_bucket(bucket)
    channel.advance(2)  # creation dates are told by the second
    if settings:
        channel.create_buckets([bucket], **settings)
    channel.faults.remove(held)
    channel.advance(300)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Result(process.returncode, out, err)


def test_an_empty_bucket_that_the_undo_has_made_is_taken_back(repaired: Cli, channel: Emulator) -> None:
    """PutBucketAcl creates it; as in the worker, it is removed."""
    result = made_anew_under_the_undo(repaired, channel, "PutBucketAcl", "photos")
    assert result.status == 4, result
    assert "the empty new one was removed" in result.out
    assert channel.acls() == {}


def test_a_bucket_that_its_owner_has_made_anew_stays(cli: Cli, channel: Emulator, journal: Path) -> None:
    """A call that creates no bucket has made none: the owner's, empty as it is, is not deleted."""
    channel.config.set_channel(non_compliance=False)
    channel.create_buckets(["photos"], **POLICY.broken)
    from tests.integration.cli.test_ram_policy import rule

    cli.configure(rule(POLICY), more=f'\n[journal]\npath = "{journal}"\n')
    channel.config.publish(bucket="photos", rule=READ)
    work(cli, channel)
    result = made_anew_under_the_undo(cli, channel, "PutBucketPolicy", "photos", acl="private")
    assert result.status == 4, result
    assert "made anew meanwhile" in result.out
    assert channel.acls() == {"photos": "private"}


def test_a_bucket_that_was_made_anew_since_the_change_is_left_alone(repaired: Cli, channel: Emulator) -> None:
    """It has the state that the change left by chance: what the change replaced was another bucket's."""
    channel.delete_bucket("photos")
    channel.advance(2)  # creation dates are told by the second
    channel.create_buckets(["photos"], acl="private")
    result = repaired.run("undo", the_change(repaired), "--yes", "--weaken")
    assert result.status == 4, result
    assert "made anew since" in result.out
    assert channel.acls() == {"photos": "private"}


def test_an_undo_of_a_rule_that_enforces_says_how_it_lasts(repaired: Cli) -> None:
    """The exemption to add stands there, ready to be copied."""
    result = repaired.run("undo", the_change(repaired), "--yes", "--weaken")
    assert result.status == 0
    assert "[[exemptions]]" in result.out
    assert 'resources = ["photos"]' in result.out
    assert "pause.file" in result.out


def test_an_exemption_that_is_wanted_is_written_and_holds(repaired: Cli, channel: Emulator) -> None:
    """The configuration has it, is still one, and a worker that is started with it leaves the bucket alone."""
    before = repaired.path.read_text()
    options = ("--exempt-until", "2199-01-31", "--owner", "web@example.com", "--reason", 'Serves "public" assets')
    result = repaired.run("undo", the_change(repaired), "--yes", "--weaken", *options)
    assert result.status == 0, result
    assert repaired.path.read_text().startswith(before.rstrip("\n"))
    assert "[[exemptions]]" not in result.out
    channel.config.publish(bucket="photos", rule=READ)
    work(repaired, channel)
    assert channel.acls() == {"photos": "public-read"}
    assert [entry["reason"] for entry in repaired.json("journal", "show", "photos") if entry["step"] == "decided"] == [
        "exemption"
    ]


def test_an_exemption_that_is_over_is_none(cli: Cli) -> None:
    """Status 2 and the date: nothing would be exempt."""
    options = ("--exempt-until", "2020-01-31", "--owner", "web", "--reason", "assets")
    result = cli.run("undo", "0000000000", *options)
    assert result.status == 2
    assert "2020-01-31 is over" in result.err


def test_a_configuration_that_cannot_be_changed_stops_the_undo(
    repaired: Cli, channel: Emulator, tmp_path: Path
) -> None:
    """A link, as a mounted ConfigMap is: status 2, the entry to add, and the bucket is as it was."""
    change = the_change(repaired)
    real = tmp_path / "real.toml"
    repaired.path.rename(real)
    repaired.path.symlink_to(real)
    options = ("--exempt-until", "2199-01-31", "--owner", "web", "--reason", "assets")
    result = repaired.run("undo", change, "--yes", "--weaken", *options)
    assert result.status == 2
    assert 'name = "undo-' in result.err
    assert channel.acls() == {"photos": "private"}


def test_a_pause_that_is_wanted_is_there_before_the_bucket_changes(
    repaired: Cli, channel: Emulator, tmp_path: Path
) -> None:
    """By pause.file, which running workers look at before each change; without one the key is named."""
    change = the_change(repaired)
    assert "pause.file" in repaired.run("undo", change, "--yes", "--weaken", "--pause").err
    assert channel.acls() == {"photos": "private"}
    file = tmp_path / "pause"
    text = repaired.path.read_text()
    repaired.path.write_text(text.replace("[journal]", f'[pause]\nfile = "{file}"\n\n[journal]'))
    result = repaired.run("undo", change, "--yes", "--weaken", "--pause")
    assert result.status == 0, result
    assert file.exists()
    assert channel.acls() == {"photos": "public-read"}


def test_an_undo_that_cannot_be_journaled_is_none(repaired: Cli, channel: Emulator, journal: Path) -> None:
    """Somebody keeps the journal's lock: status 2 and the key, and the bucket is as it was."""
    change = the_change(repaired)
    with locked_away(journal):
        result = repaired.run("undo", change, "--yes", "--weaken")
    assert result.status == 2, result
    assert "journal.path: the journal cannot be written" in result.err
    assert channel.acls() == {"photos": "private"}


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


def requiring(cli: Cli, path: Path, *, required: bool) -> None:
    """A configuration with a journal and its policy."""
    cli.configure(more=f'\n[journal]\npath = "{path}"\nrequired = {str(required).lower()}\n')


@contextmanager
def locked_away(path: Path) -> Iterator[None]:
    """Somebody keeps the journal's lock."""
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        yield


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


def test_a_lock_that_somebody_keeps_at_the_start_is_told(cli: Cli, journal: Path) -> None:
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
    assert "nothing about since 2027-01-01 00:00:00 UTC; its rules: r" in nothing.err
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
