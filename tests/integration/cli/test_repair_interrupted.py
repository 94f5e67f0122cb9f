"""`repair` where the service takes its time: waited for as the worker does, and what a person learns who stops it."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.cli.started import started
from tests.integration.cli.test_repair import NAMED, bucket, entries
from tests.patience import PATIENCE_SECONDS

__all__ = ["bucket"]


def first_line(process: subprocess.Popen[str]) -> str:
    """What it says first to whoever waits."""
    assert process.stderr is not None
    return process.stderr.readline()


def test_what_shows_late_is_waited_for_and_can_be_undone(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """One write; each look is a delivery of its own in the journal; the id of the change is that of the read-back."""
    bucket.faults.add("stale", "GetBucket*", service="oss", seconds=3600)
    with started(cli, "repair", "photos", *NAMED, "--apply", "-o", "json") as process:
        said = first_line(process)
        bucket.faults.clear()
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert said == "The service has accepted the change and does not show it yet. Looking again in 2 s.\n"
    assert process.returncode == 0, out
    lines = entries(journal)
    assert [line["step"] for line in lines][:5] == ["opened", "received", "before", "changed", "decided"]
    assert [line["step"] for line in lines][-2:] == ["received", "verified"]
    assert (
        lines[-1]["dequeue_count"] == lines[-2]["dequeue_count"] == 1 + sum(each["step"] == "decided" for each in lines)
    )
    assert [each.operation for each in bucket.journal() if each.operation == "PutBucketAcl" and each.changed] == [
        "PutBucketAcl"
    ]
    document = json.loads(out)
    assert document["outcome"] == "fixed"
    assert len(document["request_ids"]) > 4
    assert cli.run("undo", document["change"], "--yes", "--weaken").status == 0
    assert bucket.acls()["photos"] == "public-read"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("stage", ["the change", "the wait"])
def test_who_stops_it_learns_what_may_have_happened(
    cli: Cli, bucket: Emulator, journal: Path, number: signal.Signals, status: int, stage: str
) -> None:
    """And how to find out; the journal says it, too, and is whole."""
    if stage == "the change":
        fault = bucket.faults.add("stall", "PutBucketAcl", service="oss", seconds=3600)
    else:
        bucket.faults.add("stale", "GetBucket*", service="oss", seconds=3600)
    with started(cli, "repair", "photos", *NAMED, "--apply") as process:
        if stage == "the change":
            eventually(lambda: bucket.faults.struck()[fault] > 0 or process.poll() is not None)
        else:
            assert "Looking again" in first_line(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == status, (out, err)
    assert f"stopped by {number.name}\nA change was begun and not read back: it may have been made." in err
    for command in ("journal show photos", "explain photos", "The same repair again is safe"):
        assert command in err
    last = entries(journal)[-1]
    assert (last["step"], last["outcome"], last["reason"]) == ("decided", "failed", "interrupted")
    assert cli.json("journal", "verify")["whole"]
    bucket.faults.clear()
    assert "interrupted" in cli.run("explain", "photos").out
    assert cli.run("repair", "photos", *NAMED, "--apply").status == 0
    assert bucket.acls()["photos"] == "private"


def test_who_stops_it_before_any_change_reads_one_line(cli: Cli, bucket: Emulator, journal: Path) -> None:
    """Nothing has happened that they would have to find out about."""
    fault = bucket.faults.add("stall", "GetBucketInfo", service="oss", seconds=3600)
    with started(cli, "repair", "photos", *NAMED, "--apply") as process:
        eventually(lambda: bucket.faults.struck()[fault] > 0 or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, err) == (130, "\nconfig-remediator repair: stopped by SIGINT\n")
    assert [line["step"] for line in entries(journal)] == ["opened", "received"]
