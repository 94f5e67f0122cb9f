"""Runs of `catch-up`: interrupted, failed, repeated, beside a worker, and what one run knows of another."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.catching_up import LIST, broken, decisions, emptied, scraped, sent, settings
from tests.integration.cli.conftest import ENFORCE, RULES, Cli
from tests.integration.conftest import QUEUE
from tests.integration.queues import is_empty, messages
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.redis_server import redis_server
from tests.signals import as_under_a_terminal

pytest.importorskip("alibabacloud_config20200907")


def test_expired_credentials_are_no_empty_list(missed: Cli, emulator: Emulator) -> None:
    """Exit status 3 and one line; nothing that looks like "nothing is wrong"."""
    key = emulator.add_identity(temporary=True, lifetime_seconds=60)
    emulator.advance(3600)
    result = missed.run(
        "catch-up",
        ALIBABA_CLOUD_ACCESS_KEY_ID=key.access_key_id,
        ALIBABA_CLOUD_ACCESS_KEY_SECRET=key.access_key_secret,
        ALIBABA_CLOUD_SECURITY_TOKEN=str(key.security_token),
    )
    emulator.reset("clock")
    assert (result.status, result.out) == (3, "")
    assert "does not accept the credentials or the clock" in result.err


def test_one_rule_that_cannot_be_listed_is_named(missed: Cli, emulator: Emulator) -> None:
    """The others are shown, and the run does not count as complete."""
    emulator.faults.add("error", LIST, status=403, code="NoPermission", count=1)
    found = missed.run("catch-up", "--apply", "--output", "json")
    assert found.status == 3
    document = found.document
    assert document["complete"] is False
    assert "NoPermission" in document["rules"][0]["error"]
    (line,) = [json.loads(each) for each in found.err.splitlines() if each.startswith("{")]
    assert (line["level"], line["complete"]) == ("warning", False)
    assert [each.startswith("cr-read: ") and "NoPermission" in each for each in line["incomplete"]] == [True]
    assert sent(emulator) == []
    (ended,) = messages(emulator, QUEUE)
    assert '"complete":false' in ended["body"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_it_at_once_and_a_second_run_goes_on(
    missed: Cli, emulator: Emulator, tmp_path: Path, number: signal.Signals
) -> None:
    """What was sent until then is remembered; the job of a container is ended by SIGTERM."""
    state = tmp_path / "sent"
    with as_under_a_terminal():
        process = missed.start("catch-up", "--apply", "--rate", "0.02", "--state", str(state))
    eventually(lambda: (state.exists() and state.read_text().count("\n") == 2) or process.poll() is not None)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + number, err
    assert err == (
        f"\n1 of 3 events were sent; run it again to go on.\n\nconfig-remediator catch-up: stopped by {number.name}\n"
    )
    assert missed.json("catch-up", "--apply", "--state", str(state))["sent"] == 2
    assert sorted(each.resource_id for each in sent(emulator)) == ["lost-a", "lost-b", "lost-c"]


def test_a_signal_ends_a_list_that_hangs(missed: Cli, emulator: Emulator) -> None:
    """Also in the middle of a request."""
    fault = emulator.faults.add("latency", LIST, seconds=3600)
    process = missed.start("catch-up")
    eventually(lambda: emulator.faults.struck()[fault] > 0 or process.poll() is not None)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out, err) == (143, "", "\nconfig-remediator catch-up: stopped by SIGTERM\n")


def test_the_log_has_one_line_a_run(missed: Cli) -> None:
    """For whoever collects the logs of jobs."""
    result = missed.run("catch-up", "--apply")
    (line,) = [json.loads(each) for each in result.err.splitlines() if each.startswith("{")]
    assert (line["event"], line["listed"], line["sent"], line["complete"], line["reported"]) == (
        "catch_up.finished",
        3,
        3,
        True,
        True,
    )


@pytest.mark.parametrize("content", ["something else\n", "config-remediator\n", pytest.param("\0" * 100, id="zeros")])
def test_another_file_is_left_alone(missed: Cli, tmp_path: Path, content: str) -> None:
    """A mistyped --state must not cost anybody their file."""
    other = tmp_path / "precious"
    other.write_text(content, encoding="utf-8")
    result = missed.run("catch-up", "--apply", "--state", str(other))
    assert (result.status, other.read_text(encoding="utf-8")) == (2, content)
    assert "is no file of catch-up" in result.err


_WITH_ROOM = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_disk_that_is_full_in_the_middle_is_told_with_what_was_sent(
    missed: Cli, emulator: Emulator, tmp_path: Path
) -> None:
    """One is remembered, one is not any more, and one is not sent: status 4, a document, and a line in the log."""
    state = tmp_path / "sent"
    head, line = len("config-remediator catch-up 1\n"), len(f"{time.time_ns() // 1_000_000} {'0' * 32}\n")
    words = ("catch-up", "--apply", "--state", str(state), "--output", "json", "-c", str(missed.path))
    found = subprocess.run(
        # Not measured: the limit would hold for what measures, too.
        [sys.executable, "-c", _WITH_ROOM, str(head + line), sys.executable, "-m", "consumer", *words],
        capture_output=True,
        text=True,
        check=False,
        env=missed.environment,
        timeout=PATIENCE_SECONDS,
    )
    assert found.returncode == 4, found.stderr
    document = json.loads(found.stdout)
    assert (document["sent"], document["failed"], len(sent(emulator))) == (2, 1, 2)
    assert sorted(bool(each["sent_as"]) for each in document["resources"]) == [False, True, True]
    assert any("cannot be written: File too large" in each for each in document["problems"])
    (logged,) = [json.loads(each) for each in found.stderr.splitlines() if each.startswith("{")]
    assert (logged["event"], logged["level"], logged["sent"]) == ("catch_up.finished", "warning", 2)
    assert len(logged["incomplete"]) == 2
    assert '"complete":false' in messages(emulator, QUEUE)[-1]["body"]


@pytest.mark.parametrize(("words", "lines"), [((), []), (("--apply",), ["catch_up.failed"])])
def test_a_run_that_fails_has_its_line_too(
    missed: Cli, emulator: Emulator, words: tuple[str, ...], lines: list[str]
) -> None:
    """Whoever collects the logs of a job sees that it ended, and why; one that only looks writes none."""
    emulator.faults.add("error", "ListConfigRules", status=403, code="InvalidAccessKeyId.NotFound")
    result = missed.run("catch-up", *words)
    logged = [json.loads(each) for each in result.err.splitlines() if each.startswith("{")]
    assert (result.status, [each["event"] for each in logged]) == (3, lines)
    assert all(each["level"] == "error" and "InvalidAccessKeyId" in each["detail"] for each in logged)
    assert is_empty(emulator)


def test_it_runs_again_and_again_until_it_is_stopped(missed: Cli, emulator: Emulator, tmp_path: Path) -> None:
    """One line a run in the log, a run that fails is no end, and a signal is one at once."""
    assert missed.run("catch-up", "--every", "5m").status == 2
    assert missed.run("catch-up", "--apply", "--every", "59s").status == 2
    process = missed.start("catch-up", "--apply", "--every", "1h", "--state", str(tmp_path / "sent"))
    assert process.stderr is not None
    line = json.loads(next(each for each in process.stderr if each.startswith("{")))
    assert (line["event"], line["sent"]) == ("catch_up.finished", 3)
    assert len(messages(emulator, QUEUE)) == 4
    process.send_signal(signal.SIGTERM)
    out, rest = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (143, "")
    assert "catch_up.finished" not in rest


def test_a_failed_run_is_no_end(missed: Cli, emulator: Emulator) -> None:
    """Cloud Config may be back by the next one."""
    fault = emulator.faults.add("error", "ListConfigRules", status=403, code="InvalidAccessKeyId.NotFound")
    process = missed.start("catch-up", "--apply", "--every", "1h")
    eventually(lambda: emulator.faults.struck()[fault] > 0 or process.poll() is not None)
    assert process.stderr is not None
    assert "catch_up.failed" in process.stderr.readline()
    assert process.poll() is None
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)


def test_what_observe_deleted_comes_back_and_what_was_missed_is_counted(
    cli: Cli, emulator: Emulator, tmp_path: Path
) -> None:
    """A rule reports and settles; once it enforces, catch-up brings the resource, and the worker tells all of it.

    The journal proves both: what was observed left the queue because its rule said so.
    """
    port = free_port()
    observing = RULES.replace('mode = "enforce"', 'mode = "observe"\nobserved = "delete"')
    emulator.config.set_channel(lose=1)
    broken(emulator, "lost", "notified")
    expected = f'expected_within_seconds = 600\n[journal]\npath = "{tmp_path / "journal.jsonl"}"\n'
    cli.configure(rules=observing, more=settings(emulator, more=expected))
    cli.replace("port = 0", f"port = {port}")
    with cli.working():
        eventually(lambda: is_empty(emulator))
    assert emulator.acls() == {"lost": "public-read", "notified": "public-read"}
    seen_by_the_journal = cli.run("journal", "verify", "--output", "json").document
    assert (seen_by_the_journal["problems"], seen_by_the_journal["deletions"]) == ([], 1)
    cli.configure(rules=ENFORCE, more=settings(emulator, more=expected))
    cli.replace("port = 0", f"port = {port}")
    with cli.working():
        began = time.time()
        assert cli.json("catch-up", "--apply")["sent"] == 2
        eventually(lambda: is_empty(emulator) and set(emulator.acls().values()) == {"private"})
        # The worker counts what it has deleted once it has the answer.
        eventually(lambda: scraped(port).get("remediator_missed_upstream_total/public-read") == 2)
        eventually(lambda: scraped(port).get("remediator_catch_up_listed_resources") == 2)
        seen = scraped(port)
    assert cli.json("journal", "verify")["whole"] is True
    # A worker that was restarted knows of no notification before.
    assert seen["remediator_missed_upstream_total/public-read"] == 2
    assert seen["remediator_missed_upstream_total/public-write"] == 0
    assert seen["remediator_catch_up_listed_resources"] == 2
    assert seen["remediator_catch_up_expected_within_seconds"] == 600
    assert began - 1 < seen["remediator_catch_up_last_success_timestamp_seconds"] < time.time() + 1


@pytest.mark.parametrize("observed", ["keep", "delete"])
def test_what_was_missed_is_seen_under_a_rule_that_observes(cli: Cli, emulator: Emulator, observed: str) -> None:
    """Nothing is fixed there: the list has more of the last day than notifications came, whatever becomes of those."""
    port = free_port()
    rules = RULES.replace('mode = "enforce"', f'mode = "observe"\nobserved = "{observed}"')
    emulator.config.set_channel(lose=2)
    broken(emulator, "lost-a", "lost-b")
    broken(emulator, "notified")
    cli.configure(rules=rules, more=settings(emulator))
    cli.replace("port = 0", f"port = {port}")
    with cli.working():
        names = ("remediator_notifications_total/public-read", "remediator_catch_up_recent_violations/public-read")
        eventually(lambda: scraped(port).get(names[0]) == 1)
        assert cli.json("catch-up", "--apply")["complete"] is True
        eventually(lambda: scraped(port).get(names[1]) == 3)
        seen = scraped(port)
    assert seen[names[0]] == 1, "what catch-up brings is no notification"
    assert set(emulator.acls().values()) == {"public-read"}


def test_a_job_without_a_disk_remembers_in_the_shared_store(missed: Cli, emulator: Emulator, tmp_path: Path) -> None:
    """What was sent by one is left by the next; while the store cannot be reached, nothing is sent."""
    with redis_server(tmp_path) as server:
        missed.configure(rules=ENFORCE, more=f"{settings(emulator)}\n{server.section}")
        assert missed.json("catch-up", "--apply", "--limit", "2")["sent"] == 2
        emptied(emulator)
        again = missed.json("catch-up", "--apply")
        assert sorted(decisions(again).values()) == ["send", "sent_before", "sent_before"]
        emptied(emulator)
        server.kill()
        result = missed.run("catch-up", "--apply")
        assert (result.status, is_empty(emulator)) == (3, True)
        assert missed.json("catch-up", "--apply", "--state", str(tmp_path / "sent"))["sent"] == 3
