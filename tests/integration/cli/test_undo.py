"""`undo`: back to exactly what was, only what the journal proves, and only while nothing else has changed it since."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from consumer.journal.format import ChainHead, sealed
from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli, Result
from tests.integration.cli.journaling import READ, locked_away, steps, work
from tests.integration.remediations.cases import ACL, LOGGING, POLICY, PUBLIC_STATEMENT, TAGS, policy
from tests.integration.remediations.workbench import BUCKET, Case
from tests.patience import PATIENCE_SECONDS


def the_change(cli: Cli, bucket: str = "photos") -> str:
    """The id of the one change of a bucket."""
    (made,) = [entry for entry in cli.json("journal", "show", bucket) if entry["step"] == "verified"]
    return str(made["hash"][:12])


@pytest.mark.parametrize("case", [ACL, POLICY, TAGS, LOGGING], ids=lambda case: case.remediation)
def test_a_repair_is_undone_exactly(case: Case, cli: Cli, channel: Emulator, journal: Path) -> None:
    """The bucket is as it was, setting for setting, and the journal has both steps and is whole."""
    from tests.integration.cli.granting import rule

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
    from tests.integration.cli.granting import rule

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
    from tests.integration.cli.granting import rule

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


def test_an_unknown_change_is_reported(repaired: Cli) -> None:
    """Status 2 and where the ids are found."""
    result = repaired.run("undo", "0000000000")
    assert result.status == 2
    assert "journal show" in result.err
