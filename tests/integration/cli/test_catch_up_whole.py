"""What a run of `catch-up` says of itself: why it is not whole, what fits nothing, and what the next one will know."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from consumer.reevaluation.catch_up import Finished, read_finished
from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.catching_up import LIST, NO_DISK, scraped, settings
from tests.integration.cli.conftest import ENFORCE, Cli, Result
from tests.integration.conftest import QUEUE
from tests.integration.queues import dead_letters, is_empty, messages
from tests.measured import python_module
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

pytest.importorskip("alibabacloud_config20200907")


def test_a_run_that_nothing_remembers_says_so(missed: Cli, tmp_path: Path) -> None:
    """The next one sends again what a peek does not show; whoever runs it twice should know, and how to spare it."""
    state = tmp_path / "sent"
    remembered = missed.run("catch-up", "--apply", "--limit", "1", "--state", str(state))
    forgotten = missed.run("catch-up", "--apply", "--limit", "1", **NO_DISK)
    assert ["Nothing remembers" in each.out for each in (remembered, forgotten)] == [False, True]
    assert f"What was sent is remembered in {state}." in remembered.out
    assert [line["remembered"] for each in (remembered, forgotten) for line in lines(each)] == [True, False]
    assert "Nothing remembers" not in missed.run("catch-up", **NO_DISK).out, "and sends nothing"


def ended(emulator: Emulator) -> list[Finished]:
    """The ends of runs that were reported to the worker."""
    found = (read_finished(each["body"]) for each in messages(emulator, QUEUE))
    return [each for each in found if each is not None]


def lines(result: Result) -> list[dict[str, Any]]:
    """The log's lines, among whatever else stands on standard error."""
    return [json.loads(each) for each in result.err.splitlines() if each.startswith("{")]


TAKES_NONE = [
    ('config_rule_ids = ["cr-write"]', "config_rule_ids", "cr-nobody"),
    ('config_rule_ids = ["cr-write"]', "source_identifiers", "oss-bucket-publik-write-prohibited"),
    ('config_rule_ids = ["cr-write"]', "rule_names", "OSS*publik*"),
]


@pytest.mark.parametrize(("written", "key", "value"), TAKES_NONE)
def test_a_rule_that_takes_nothing_is_named_wherever_a_run_is_seen(
    written: str, key: str, value: str, missed: Cli, emulator: Emulator
) -> None:
    """In the table, the document, the log, what the worker exports, and the exit status: a typo, or not in use."""
    missed.configure(rules=ENFORCE.replace(written, f'{key} = ["{value}"]'), more=settings(emulator))
    table = missed.run("catch-up")
    assert (table.status, f"public-write   {key}" in table.out, value in table.out) == (3, True, True)

    result = missed.run("catch-up", "--apply", "-o", "json")
    assert (result.status, result.document["complete"], result.document["sent"]) == (3, False, 3)
    assert result.document["unmatched_rules"] == ["public-write"]
    assert result.document["unmatched"] == [{"rule": "public-write", "key": key, "value": value}]
    (line,) = lines(result)
    assert (line["event"], line["level"], line["reported"]) == ("catch_up.finished", "warning", True)
    assert line["incomplete"] == ["Cloud Config has no rule that public-write takes, so nothing is listed for it."]
    assert line["unmatched"] == [f"public-write: {key} = {value}"]
    (told,) = ended(emulator)
    assert (told.complete, told.unmatched_rules) == (False, ("public-write",))

    asked = missed.run("catch-up", "--request-evaluation", "-o", "json")
    assert (asked.status, asked.document["unmatched_rules"]) == (3, ["public-write"])
    asked = missed.run("catch-up", "--request-evaluation")
    assert (asked.status, "no rule that public-write takes" in asked.out) == (3, True)


def test_one_of_several_that_fits_nothing_is_named_and_no_gap(missed: Cli, emulator: Emulator) -> None:
    """A rule often has an identifier and a name for the same thing; as long as one of them fits, it is asked for."""
    both = 'source_identifiers = ["oss-bucket-public-write-prohibited"]\nrule_names = ["no-such-*"]'
    missed.configure(rules=ENFORCE.replace('config_rule_ids = ["cr-write"]', both), more=settings(emulator))
    result = missed.run("catch-up", "--apply", "-o", "json")
    assert (result.status, result.document["complete"], result.document["unmatched_rules"]) == (0, True, [])
    assert result.document["unmatched"] == [{"rule": "public-write", "key": "rule_names", "value": "no-such-*"}]
    (line,) = lines(result)
    assert (line["level"], line["unmatched"]) == ("info", ["public-write: rule_names = no-such-*"])
    assert [each.complete for each in ended(emulator)] == [True]
    assert "no-such-*" in missed.run("catch-up").out


def test_a_rule_that_was_not_asked_for_is_not_missed(missed: Cli, emulator: Emulator) -> None:
    """With --rule only its own gaps count."""
    missed.configure(rules=ENFORCE.replace("cr-write", "cr-nobody"), more=settings(emulator))
    found = missed.json("catch-up", "--rule", "public-read")
    assert (found["complete"], found["unmatched"], found["unmatched_rules"]) == (True, [], [])


def test_again_and_again_says_why_a_run_was_not_whole(missed: Cli, emulator: Emulator) -> None:
    """Nobody sees its table: the line is all that there is, also on a terminal."""
    emulator.faults.add("error", LIST, status=403, code="NoPermission", count=1)
    process = missed.start("catch-up", "--apply", "--every", "1h")
    with ended_by_kill(process):
        assert process.stderr is not None
        line = json.loads(next(each for each in process.stderr if each.startswith("{")))
    assert (line["event"], line["level"], line["reported"]) == ("catch_up.finished", "warning", True)
    assert "NoPermission" in line["incomplete"][0]


def test_again_and_again_is_not_silent_on_a_terminal(missed: Cli) -> None:
    """A person who starts it by hand sees each run, too."""
    master, slave = pty.openpty()
    try:
        process = subprocess.Popen(
            [*python_module("consumer"), "catch-up", "--apply", "--every", "1h"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            text=True,
            env={**missed.environment, "REMEDIATOR_CONFIG": str(missed.path)},
        )
        with ended_by_kill(process):
            shown = b""
            while b"catch_up.finished" not in shown:
                shown += os.read(master, 4096)
    finally:
        os.close(master)
        os.close(slave)
    assert b"sent" in shown


@contextmanager
def ended_by_kill(process: subprocess.Popen[str]) -> Iterator[None]:
    """A process that would go on for ever."""
    try:
        yield
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)


def test_two_jobs_without_a_memory_cost_a_look_each_and_nothing_else(
    missed: Cli, emulator: Emulator, tmp_path: Path
) -> None:
    """While all is held, where no peek sees it, the second job sends copies.

    Each resource is changed once, counted once as missed and once as exposed, and nothing is left.
    """
    switch, port = tmp_path / "pause", free_port()
    switch.touch()
    missed.configure(rules=ENFORCE, more=settings(emulator) + f'\n[pause]\nfile = "{switch}"\n')
    missed.replace("port = 0", f"port = {port}")
    missed.replace("[retry]\n", "[retry]\nhold_seconds = 1\n")
    missed.replace("[engine]\n", "[engine]\npark_after_seconds = 0\n")
    held = "remediator_held_total/paused/public-read"
    with worker(missed):
        for copies in (3, 6):
            fault = emulator.faults.add("error", "BatchPeekMessage", status=500, code="InternalError")
            assert missed.json("catch-up", "--apply", **NO_DISK)["sent"] == 3
            emulator.faults.remove(fault)
            eventually(lambda copies=copies: scraped(port, "remediator_held_total").get(held, 0) >= copies)  # type: ignore[misc]
        switch.unlink()
        eventually(lambda: is_empty(emulator))
        eventually(lambda: settled(port) == 6)  # counted once the answer to the deletion is there
        seen = scraped(port, "remediator_exposure_seconds_count", "remediator_outcomes_total")
    assert set(emulator.acls().values()) == {"private"}
    assert len(emulator.journal(operation="PutBucketAcl")) == 3
    assert dead_letters(emulator) == []
    assert seen["remediator_missed_upstream_total/public-read"] == 3
    assert seen["remediator_exposure_seconds_count/public-read"] == 3
    assert seen["remediator_outcomes_total/fixed/public-read"] == 3
    assert sum(seen.get(f"remediator_outcomes_total/{outcome}/public-read", 0) for outcome in SPARED) == 3


SPARED = ("superseded", "already_compliant")


def settled(port: int) -> float:
    """How many events of the rule have left the queue."""
    seen = scraped(port, "remediator_outcomes_total")
    return sum(seen.get(f"remediator_outcomes_total/{outcome}/public-read", 0) for outcome in ("fixed", *SPARED))


@contextmanager
def worker(cli: Cli) -> Iterator[None]:
    """A worker process that has to end in order."""
    process = cli.start("run")
    try:
        yield
    finally:
        process.terminate()
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, out + err
