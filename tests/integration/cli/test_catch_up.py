"""`catch-up`: what the evaluator lists and no event came for, through the command line, against the emulator."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer.core.event import Event, decode
from emulator.client import Emulator
from emulator.provisioning import setup_channel
from tests.emulation import eventually
from tests.integration.cli.conftest import RULES, Cli
from tests.integration.conftest import DEAD_LETTERS, QUEUE
from tests.integration.queues import dead_letters, is_empty, messages
from tests.patience import PATIENCE_SECONDS
from tests.redis_server import redis_server
from tests.signals import as_under_a_terminal

pytest.importorskip("alibabacloud_config20200907")

AGGREGATOR, MEMBER = "ca-emulated000000000000", "2222222222222222"
ENFORCE = RULES.replace('mode = "observe"', 'mode = "enforce"')
LIST = "ListConfigRuleEvaluationResults"


def settings(emulator: Emulator, *, min_age_seconds: int = 0, more: str = "") -> str:
    """The part of the configuration that catch-up reads."""
    where = f'\n[reevaluate]\nendpoint = "{emulator.control.url}"\n'
    return f"{where}\n[catch_up]\nmin_age_seconds = {min_age_seconds}\n{more}"


@pytest.fixture
def missed(cli: Cli, emulator: Emulator) -> Cli:
    """A command line where three buckets broke the public-read rule while no notification arrived."""
    cli.configure(rules=ENFORCE, more=settings(emulator))
    emulator.config.set_channel(lose=3)
    broken(emulator, "lost-a", "lost-b", "lost-c")
    return cli


def broken(emulator: Emulator, *names: str, acl: str = "public-read", **more: object) -> None:
    """Buckets that break a rule, once that has been found."""
    emulator.create_buckets(list(names), acl=acl, **more)
    eventually(lambda: set(names) <= set(emulator.non_compliant()))


def emptied(emulator: Emulator) -> None:
    """The queues as if nothing had been sent."""
    emulator.reset("mns")
    setup_channel(emulator, queue=QUEUE, dead_letter_queue=DEAD_LETTERS)


def sent(emulator: Emulator) -> list[Event]:
    """The events that the queue holds, decoded by the worker's own code."""
    decoded = [decode(each["body"]) for each in messages(emulator, QUEUE)]
    return [each for each in decoded if isinstance(each, Event)]


def decisions(document: Any) -> dict[str, str]:
    """What is done about each resource."""
    return {each["resource"]: each["decision"] for each in document["resources"]}


def test_it_lists_what_no_event_came_for_and_sends_nothing(missed: Cli, emulator: Emulator) -> None:
    """Without --apply the queue stays as it is."""
    found = missed.json("catch-up")
    assert decisions(found) == {"lost-a": "send", "lost-b": "send", "lost-c": "send"}
    assert (found["complete"], found["applied"], found["listed"], found["to_send"], found["sent"]) == (
        True,
        False,
        3,
        3,
        0,
    )
    first = found["resources"][0]
    assert (first["rule"], first["mode"], first["config_rule_id"], first["event"]) == (
        "public-read",
        "enforce",
        "cr-read",
        "unknown",
    )
    assert is_empty(emulator)


def test_what_it_sends_is_the_evaluators_own_event(missed: Cli, emulator: Emulator) -> None:
    """All that the notification would have said, from the first evaluation on, and who brought it."""
    emulator.config.publish(bucket="lost-a", rule="cr-read")
    (notified,) = sent(emulator)
    result = missed.json("catch-up", "--apply", "--rule", "public-read")
    assert result["sent"] == 2, "lost-a is seen waiting"
    brought = next(each for each in sent(emulator) if each.resource_id == "lost-b")
    same = ("config_rule_id", "config_rule_name", "resource_type", "region", "account_id", "risk_level")
    assert [getattr(brought, name) for name in same] == [getattr(notified, name) for name in same]
    assert (brought.caught_up, notified.caught_up) == (True, False)
    listed = next(each for each in result["resources"] if each["resource"] == "lost-b")
    assert brought.evaluated_at_ms == listed["since_ms"]
    assert brought.request_id.startswith("catch-up-")
    assert brought.source_identifier == "oss-bucket-public-read-prohibited"


def test_exposure_counts_from_the_first_evaluation(missed: Cli, emulator: Emulator) -> None:
    """A later evaluation that finds the same does not make a violation younger."""
    began = {each["resource"]: each["since_ms"] for each in missed.json("catch-up")["resources"]}
    emulator.config.set_channel(topic=None)
    emulator.advance(7200)
    emulator.config.evaluate()
    emulator.reset("clock")
    later = missed.json("catch-up")["resources"]
    assert {each["resource"]: each["since_ms"] for each in later} == began
    assert all(each["evaluated_at_ms"] - each["since_ms"] >= 7_000_000 for each in later)


def test_the_worker_repairs_what_was_sent(missed: Cli, emulator: Emulator) -> None:
    """Through its own guards; a second run finds nothing more, and nothing is repaired twice."""
    assert missed.json("catch-up", "--apply")["sent"] == 3
    worker = missed.start("run")
    try:
        eventually(lambda: set(emulator.acls().values()) == {"private"} and is_empty(emulator))
        assert missed.json("catch-up", "--apply")["resources"] == []
        eventually(lambda: is_empty(emulator))
    finally:
        worker.terminate()
        out, err = worker.communicate(timeout=PATIENCE_SECONDS)
    assert len(emulator.journal(operation="PutBucketAcl")) == 3
    assert dead_letters(emulator) == []
    assert "Traceback" not in out + err


def test_what_was_sent_is_not_sent_again(missed: Cli, emulator: Emulator, tmp_path: Path) -> None:
    """The state file names it, until the violation is over and another one begins."""
    state = ("--state", str(tmp_path / "sent"))
    assert missed.json("catch-up", "--apply", *state)["sent"] == 3
    emptied(emulator)
    again = missed.json("catch-up", "--apply", *state)
    assert set(decisions(again).values()) == {"sent_before"}
    assert {each["event"] for each in again["resources"]} == {"sent"}
    emulator.config.set_channel(topic=None)
    emulator.change_bucket("lost-a", acl="private")
    eventually(lambda: "lost-a" not in decisions(missed.json("catch-up")))
    emulator.change_bucket("lost-a", acl="public-read")
    eventually(lambda: "lost-a" in decisions(missed.json("catch-up")))
    assert decisions(missed.json("catch-up", *state))["lost-a"] == "send"


def test_what_was_sent_to_an_observing_rule_is_sent_again_once_it_enforces(
    cli: Cli, emulator: Emulator, tmp_path: Path
) -> None:
    """The first was settled without a repair, so remembering it must not keep the second back."""
    state = ("--state", str(tmp_path / "sent"))
    emulator.config.set_channel(topic=None)
    broken(emulator, "old")
    observing = ENFORCE.replace('mode = "enforce"', 'mode = "observe"\nobserved = "delete"')
    cli.configure(rules=observing, more=settings(emulator))
    assert cli.json("catch-up", "--apply", *state)["sent"] == 1
    emptied(emulator)
    assert decisions(cli.json("catch-up", *state)) == {"old": "sent_before"}

    cli.configure(rules=ENFORCE, more=settings(emulator))
    assert cli.json("catch-up", "--apply", *state)["sent"] == 1
    emptied(emulator)
    assert decisions(cli.json("catch-up", *state)) == {"old": "sent_before"}


def test_what_waits_or_was_given_up_is_not_sent(missed: Cli, emulator: Emulator) -> None:
    """As far as sixteen visible messages tell."""
    emulator.config.publish(bucket="lost-a", rule="cr-read")
    found = missed.json("catch-up")
    assert decisions(found) == {"lost-a": "waiting", "lost-b": "send", "lost-c": "send"}
    assert found["resources"][0]["event"] == "waiting"


def test_young_ones_are_left_to_their_own_event(missed: Cli, emulator: Emulator) -> None:
    """For so long their notification may still come."""
    missed.configure(rules=ENFORCE, more=settings(emulator, min_age_seconds=900))
    assert set(decisions(missed.json("catch-up")).values()) == {"too_young"}


def test_a_rule_that_keeps_what_it_observes_gets_no_copies(cli: Cli, emulator: Emulator) -> None:
    """Unless a person asks for it, or the rule settles what it reports."""
    emulator.config.set_channel(topic=None)
    broken(emulator, "watched", acl="public-read-write")
    observing = RULES.replace('mode = "enforce"', 'mode = "observe"')
    cli.configure(rules=observing, more=settings(emulator))
    assert set(decisions(cli.json("catch-up")).values()) == {"observed"}
    assert cli.json("catch-up", "--include-observing")["to_send"] == 2
    cli.configure(rules=observing.replace("[[rules]]", '[[rules]]\nobserved = "delete"'), more=settings(emulator))
    assert cli.json("catch-up")["to_send"] == 2


def test_limit_and_filters(missed: Cli, emulator: Emulator) -> None:
    """The longest-standing come first; a filter leaves the rest to another run."""
    found = missed.json("catch-up", "--limit", "1", "--apply")
    assert sorted(decisions(found).values()) == ["over_limit", "over_limit", "send"]
    assert len(messages(emulator, QUEUE)) == 1, "and no word of a complete run"
    assert set(decisions(missed.json("catch-up", "--region", "cn-beijing")).values()) == {"filtered"}
    assert set(decisions(missed.json("catch-up", "--account", MEMBER)).values()) == {"filtered"}
    refused = missed.run("catch-up", "--rule", "no-such")
    assert (refused.status, "there are public-read, public-write" in refused.err) == (2, True)


def test_more_than_a_thousand(cli: Cli, emulator: Emulator) -> None:
    """Page by page, every one once, through a service that asks for fewer requests now and then."""
    emulator.config.set_channel(topic=None)
    emulator.create_buckets(count=1_050, acl="public-read")
    eventually(lambda: len(emulator.non_compliant()) == 1_050)
    emulator.faults.add("error", LIST, status=400, code="Throttling.User", count=3)
    cli.configure(rules=ENFORCE, more=settings(emulator))
    emulator.journal_reads(True)
    try:
        found = cli.json("catch-up")
    finally:
        emulator.journal_reads(False)
    assert (found["complete"], found["to_send"]) == (True, 1_050)
    assert len(decisions(found)) == 1_050
    assert len(emulator.journal(operation=LIST)) == 11 + 1


def test_rules_by_name_and_identifier(missed: Cli, emulator: Emulator) -> None:
    """Which of the evaluator's rules are meant is found in its list of rules."""
    by_name = ENFORCE.replace('config_rule_ids = ["cr-read"]', 'rule_names = ["OSS*公共读"]')
    by_both = by_name.replace('config_rule_ids = ["cr-write"]', 'source_identifiers = ["oss-bucket-public-write-*"]')
    missed.configure(rules=by_both, more=settings(emulator))
    found = missed.json("catch-up")
    assert [each["config_rule_id"] for each in found["rules"]] == ["cr-read"]
    assert found["to_send"] == 3
    by_identifier = ENFORCE.replace(
        'config_rule_ids = ["cr-read"]', 'source_identifiers = ["oss-bucket-public-read-prohibited"]'
    )
    missed.configure(rules=by_identifier, more=settings(emulator))
    assert missed.json("catch-up", "--apply")["sent"] == 3
    assert {each.source_identifier for each in sent(emulator)} == {"oss-bucket-public-read-prohibited"}


def test_an_id_that_nobody_knows_is_said(missed: Cli, emulator: Emulator) -> None:
    """What that rule would list is unknown, so the list is not complete, and the rest is still shown."""
    missed.configure(rules=ENFORCE.replace("cr-write", "cr-nobody"), more=settings(emulator))
    result = missed.run("catch-up")
    assert result.status == 3
    assert "cr-nobody is in config_rule_ids, and Cloud Config has no such rule." in result.out
    assert "3 would be sent" in result.out


def test_members_through_an_account_group(cli: Cli, emulator: Emulator) -> None:
    """A member's bucket is listed by the group, and sent only if its account is allowed."""
    emulator.config.set_channel(topic=None)
    broken(emulator, "own")
    broken(emulator, "theirs", owner_id=MEMBER, region="cn-beijing")
    group = f'aggregator_id = "{AGGREGATOR}"\n'
    cli.configure(rules=ENFORCE, more=settings(emulator))
    assert decisions(cli.json("catch-up")) == {"own": "send"}
    cli.configure(rules=ENFORCE, more=settings(emulator, more=group))
    assert decisions(cli.json("catch-up")) == {"own": "send", "theirs": "not_taken"}
    allowed = f'\n[accounts]\nallowed = ["{MEMBER}"]\nrole_name = "remediator"\n'
    cli.configure(rules=ENFORCE, more=settings(emulator, more=group) + allowed)
    found = cli.json("catch-up", "--apply", "--account", MEMBER)
    assert (decisions(found), found["sent"]) == ({"theirs": "send"}, 1)
    assert [(each.account_id, each.region) for each in sent(emulator)] == [(MEMBER, "cn-beijing")]


def test_an_evaluation_is_requested_instead(missed: Cli, emulator: Emulator) -> None:
    """The evaluator reports again by itself what it then finds."""
    found = missed.json("catch-up", "--request-evaluation")
    assert [(each["config_rule_id"], each["requested"]) for each in found["rules"]] == [
        ("cr-read", True),
        ("cr-write", True),
    ]
    eventually(lambda: {each.resource_id for each in sent(emulator)} == {"lost-a", "lost-b", "lost-c"})
    assert missed.run("catch-up", "--request-evaluation", "--apply").status == 2
    for narrowed in (("--region", "cn-hangzhou"), ("--account", MEMBER), ("--limit", "1")):
        refused = missed.run("catch-up", "--request-evaluation", *narrowed)
        assert (refused.status, "whole rules" in refused.err) == (2, True)


@pytest.mark.parametrize("rate", ["nan", "0", "1e-300", "inf"])
def test_a_rate_that_is_none_is_refused(missed: Cli, emulator: Emulator, rate: str) -> None:
    """Before anything is sent."""
    assert missed.run("catch-up", "--apply", "--rate", rate).status == 2
    assert is_empty(emulator)


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
    assert messages(emulator, QUEUE) == []


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


def scraped(port: int) -> dict[str, float]:
    """What the worker exports of catch-up."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        "/".join((sample.name, *sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
        if "catch_up" in sample.name or "missed" in sample.name
    }


def test_what_observe_deleted_comes_back_and_what_was_missed_is_counted(cli: Cli, emulator: Emulator) -> None:
    """A rule reports and settles; once it enforces, catch-up brings the resource, and the worker tells all of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    observing = RULES.replace('mode = "enforce"', 'mode = "observe"\nobserved = "delete"')
    emulator.config.set_channel(lose=1)
    broken(emulator, "lost", "notified")
    expected = "expected_within_seconds = 600\n"
    cli.configure(rules=observing, more=settings(emulator, more=expected))
    cli.replace("port = 0", f"port = {port}")
    with worker(cli):
        eventually(lambda: is_empty(emulator))
    assert emulator.acls() == {"lost": "public-read", "notified": "public-read"}
    cli.configure(rules=ENFORCE, more=settings(emulator, more=expected))
    cli.replace("port = 0", f"port = {port}")
    with worker(cli):
        began = time.time()
        assert cli.json("catch-up", "--apply")["sent"] == 2
        eventually(lambda: is_empty(emulator) and set(emulator.acls().values()) == {"private"})
        seen = scraped(port)
    # A worker that was restarted knows of no notification before.
    assert seen["remediator_missed_upstream_total/public-read"] == 2
    assert seen["remediator_missed_upstream_total/public-write"] == 0
    assert seen["remediator_catch_up_listed_resources"] == 2
    assert seen["remediator_catch_up_expected_within_seconds"] == 600
    assert began - 1 < seen["remediator_catch_up_last_success_timestamp_seconds"] < time.time() + 1


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


def test_a_job_without_a_disk_remembers_in_the_shared_store(missed: Cli, emulator: Emulator, tmp_path: Path) -> None:
    """What was sent by one is left by the next; while the store cannot be asked, nothing is sent."""
    with redis_server(tmp_path) as server:
        missed.configure(rules=ENFORCE, more=settings(emulator) + f'\n[shared]\nurl = "{server.url}"\n')
        assert missed.json("catch-up", "--apply", "--limit", "2")["sent"] == 2
        emptied(emulator)
        again = missed.json("catch-up", "--apply")
        assert sorted(decisions(again).values()) == ["send", "sent_before", "sent_before"]
        emptied(emulator)
        server.kill()
        result = missed.run("catch-up", "--apply")
        assert (result.status, is_empty(emulator)) == (3, True)
        assert missed.json("catch-up", "--apply", "--state", str(tmp_path / "sent"))["sent"] == 3


def test_any_kind_of_resource(cli: Cli, emulator: Emulator) -> None:
    """What the evaluator lists by its own id is sent by that id, whatever it is."""
    emulator.config.set_channel(topic=None)
    emulator.config.add_rule("sg-risky-ports-check", rule_id="cr-groups")
    (group,) = emulator.create_security_groups(
        ["sg-open0000000000000001"],
        permissions=[{"port_range": "22/22", "source_cidr_ip": "0.0.0.0/0"}],
    )
    emulator.config.evaluate()
    assert emulator.non_compliant() == [group]
    cli.configure(rules=GROUPS, more=settings(emulator))
    found = cli.json("catch-up", "--apply")
    assert (decisions(found), found["resources"][0]["resource_type"]) == ({group: "send"}, "ACS::ECS::SecurityGroup")
    assert [(each.resource_type, each.resource_id) for each in sent(emulator)] == [("ACS::ECS::SecurityGroup", group)]


GROUPS = """
[[rules]]
name = "open-groups"
remediation = "ecs.revoke-public-ingress"
mode = "enforce"
config_rule_ids = ["cr-groups"]
"""
