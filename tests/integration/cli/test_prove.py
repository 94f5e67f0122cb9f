"""`check --prove`: the whole way on a canary, with real worker processes; the canary is always left as it was found."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.cli.documented import members
from tests.integration.cli.journaling import lines
from tests.integration.cli.proving import (
    CANARY,
    ENCRYPTION,
    OBSERVING,
    canary,
    changes_of,
    configured,
    journaled,
    proof,
    proofs,
    prove,
    proving,
    state_of,
)
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

NOBODY_SECONDS = 1
"""How long a repair is waited for that never comes."""


def patient(cli: Cli) -> None:
    """A slow machine is no answer."""
    for table in ("[topic]", "[oss.endpoints]"):
        cli.replace(f"call_timeout_seconds = 5\n\n{table}", f"call_timeout_seconds = 15\n\n{table}")


def test_the_worker_that_repairs_is_named_and_each_leg_has_its_time(
    cli: Cli, channel: Emulator, tmp_path: Path
) -> None:
    """Through topic and queue; two changes in all, the break and the worker's, and no third to put it back."""
    canary(channel)
    configured(cli)
    journal = journaled(cli, tmp_path)
    before = state_of(channel)
    with cli.working():
        result = prove(cli)
    found = proof(result)
    assert (result.status, found["status"], found["result"], found["seen_in"]) == (0, "ok", "repaired", "journal")
    assert state_of(channel) == before
    assert changes_of(channel) == ["DeleteBucketEncryption", "PutBucketEncryption"]
    (verified,) = [each for each in lines(journal) if each["step"] == "verified"]
    assert (found["by"], found["message_id"]) == (verified["who"], verified["message_id"])
    assert found["by"] in found["message"]
    assert all(isinstance(value, float) for value in found["seconds"].values()), found["seconds"]
    assert found["restored"] is True
    (published,) = channel.journal(operation="PublishMessage")
    assert published.changed
    assert "put it back with: config-remediator repair the-canary --rule encryption --apply\n" in result.err
    known = members()
    assert found.keys() == known["check"] | known["check --prove"]


def test_a_person_reads_who_and_how_long(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """One row for the rule, like any other check."""
    canary(channel)
    configured(cli)
    journaled(cli, tmp_path)
    with cli.working():
        result = cli.run("check", "--prove")
    assert result.status == 0, result
    for word in ("encryption: repaired by ", "topic to worker", "settle", "The canary is as it was found"):
        assert word in result.out, result.out


def test_the_workers_own_metrics_are_as_good_as_a_witness(cli: Cli, channel: Emulator) -> None:
    """Where its journal is not at hand: it counts one more repair of the rule."""
    canary(channel)
    configured(cli)
    cli.replace("port = 0", f"port = {free_port()}")
    with cli.working():
        eventually(lambda: cli.run("watch", "--once").status == 0)
        result = prove(cli)
    found = proof(result)
    assert (result.status, found["result"], found["seen_in"]) == (0, "repaired", "metrics")
    assert found["by"].startswith("http://127.0.0.1:")


def test_a_repair_that_nobody_can_be_seen_to_make_is_a_warning(cli: Cli, channel: Emulator) -> None:
    """Not knowing is no success: a strict check fails for it."""
    canary(channel)
    configured(cli)
    before = state_of(channel)
    with cli.working():
        result, strict = prove(cli), prove(cli, "--strict")
    assert (result.status, strict.status) == (0, 1)
    assert (proof(result)["status"], proof(result)["result"]) == ("warning", "repaired_unwitnessed")
    assert "--url" in proof(result)["remedy"]
    assert state_of(channel) == before


def test_without_a_worker_the_event_is_seen_in_the_queue(cli: Cli, channel: Emulator) -> None:
    """It arrived and nobody took it; a worker that starts later has nothing left to repair."""
    canary(channel)
    configured(cli, wait_seconds=NOBODY_SECONDS)
    before = state_of(channel)
    result = prove(cli)
    found = proof(result)
    assert (result.status, found["result"], found["restored"]) == (1, "not_taken", True)
    assert "nobody took it within 1 s" in found["message"]
    assert state_of(channel) == before
    with cli.working():
        eventually(lambda: not channel.state()["mns"]["queues"]["config-events"]["messages"])
    assert changes_of(channel) == ["DeleteBucketEncryption", "PutBucketEncryption"]


def test_an_event_that_never_arrives_is_not_called_lost(cli: Cli, channel: Emulator) -> None:
    """The subscription is there and lets nothing through, as with a filter for another tag."""
    canary(channel)
    configured(cli, wait_seconds=NOBODY_SECONDS)
    channel.faults.add("error", "BatchPeekMessage", service="mns", status=403, code="AccessDenied")
    found = proof(prove(cli))
    assert (found["status"], found["result"], found["restored"]) == ("failed", "not_seen", True)
    assert "cannot be looked at" in found["message"]


def test_without_a_subscription_nothing_is_broken(cli: Cli, channel: Emulator) -> None:
    """What the way lacks is found before anything is touched."""
    canary(channel)
    configured(cli)
    cli.replace('subscription = "config-events-subscription"', 'subscription = "another"')
    result = prove(cli)
    failed = {each["check"]: each["message"] for each in result.document if each["status"] == "failed"}
    assert result.status == 1
    assert failed.keys() == {"subscription", "proof"}
    assert changes_of(channel) == []
    assert channel.journal(operation="PublishMessage") == []


def test_a_rule_that_observes_proves_the_way_and_not_the_rights(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """The worker's own record says would_fix, so nobody waits for a repair that does not come."""
    canary(channel)
    configured(cli, OBSERVING)
    journaled(cli, tmp_path)
    before = state_of(channel)
    with cli.working():
        result = prove(cli)
        found = proof(result)
        assert (result.status, found["status"], found["result"]) == (0, "warning", "observed")
        assert (found["restored"], state_of(channel)) == (True, before)
        assert prove(cli, "--strict").status == 1
    assert found["seconds"]["received"] is not None
    assert "rules.resources" in found["remedy"]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"REMEDIATOR__PAUSE__ENABLED": "true"}, "paused"),
        ({"REMEDIATOR__LIMITS__MAX_CHANGES": "1"}, "limit"),
    ],
)
def test_what_guards_hold_is_said_with_their_reason(
    variables: dict[str, str], says: str, cli: Cli, channel: Emulator, tmp_path: Path
) -> None:
    """The worker is under a guard that this configuration does not know of, or has used up its limit."""
    canary(channel)
    configured(cli)
    journaled(cli, tmp_path)
    before = state_of(channel)
    with cli.working(**variables):
        results = [prove(cli)] if says == "paused" else [prove(cli), prove(cli)]
    found = proof(results[-1])
    assert (results[-1].status, found["result"], found["restored"]) == (1, "kept", True)
    assert "held" in found["message"]
    assert says in found["message"]
    assert state_of(channel) == before


def _paused(path: Path) -> str:
    (path / "stop").write_text("yes", encoding="utf-8")
    return f'\n[pause]\nfile = "{path / "stop"}"\n'


_EXEMPTION = f"""
[[exemptions]]
name = "mine"
owner = "alice"
reason = "a test"
expires = 2199-12-31
resources = ["{CANARY}"]
"""


@pytest.mark.parametrize(
    ("rules", "settings", "more", "says"),
    [
        (ENCRYPTION, {"tagging": {}}, "", "does not have the tag config-remediator = canary"),
        (ENCRYPTION, {"tagging": {"config-remediator": "no"}}, "", "does not have the tag"),
        (ENCRYPTION, {"acl": "public-read"}, "", "the ACL of the-canary is public-read"),
        (ENCRYPTION, {"owner_id": "1111111111111111"}, "", "GetBucketInfo: AccessDenied"),
        (ENCRYPTION, {"encryption": None}, "", "does not comply as it is"),
        (ENCRYPTION, {"encryption": {"algorithm": "SM4"}}, "", "would not put back exactly"),
        (ENCRYPTION, {}, _EXEMPTION, "mine"),
        (ENCRYPTION + 'resources = ["other-*"]\n', {}, "", "no rule takes events about the canary"),
        (ENCRYPTION + 'regions = ["cn-beijing"]\n', {}, "", "no rule takes events about the canary"),
        (ENCRYPTION + 'tags = {env = "prod"}\n', {}, "", "no rule takes events about the canary"),
    ],
)
def test_what_is_no_canary_is_never_touched(
    rules: str, settings: dict[str, Any], more: str, says: str, cli: Cli, channel: Emulator
) -> None:
    """Another account's, untagged, public, broken already, exempt, or of no rule: each says what is wrong."""
    canary(channel, **settings)
    configured(cli, rules, more)
    result = prove(cli)
    assert result.status == 1, result
    assert any(says in each["message"] for each in proofs(result)), result.out
    assert all(each.get("result", "not_begun") == "not_begun" for each in proofs(result))
    assert changes_of(channel) == []
    assert channel.journal(operation="PublishMessage") == []


def test_a_bucket_that_is_in_use_or_not_there_is_never_touched(cli: Cli, channel: Emulator) -> None:
    """One object is enough."""
    configured(cli)
    assert "does not exist" in proof(prove(cli))["message"]
    canary(channel)
    put_object(channel, "used.txt")
    result = prove(cli)
    assert (result.status, "is not empty" in proof(result)["message"]) == (1, True)
    assert "DeleteBucketEncryption" not in changes_of(channel)


def put_object(emulator: Emulator, key: str) -> None:
    """Somebody uses the bucket."""
    import oss2

    known = emulator.endpoints
    auth = oss2.Auth(known.access_key_id, known.access_key_secret)
    oss2.Bucket(auth, known.oss, CANARY).put_object(key, b"x")


def test_what_pauses_here_holds_before_anything_is_broken(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """A pause that the configuration names is no news from a worker."""
    canary(channel)
    configured(cli, more=_paused(tmp_path))
    assert "changes are paused" in proof(prove(cli))["message"]
    assert changes_of(channel) == []


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [(f'bucket = "{CANARY}"', 'bucket = ""', "canary.bucket"), ('name = "config-topic"', 'name = ""', "topic.name")],
)
def test_without_a_canary_or_a_topic_the_key_is_named(old: str, new: str, key: str, cli: Cli) -> None:
    """That is a fault of the configuration, and nothing was sent."""
    configured(cli)
    cli.replace(old, new)
    result = prove(cli)
    assert (result.status, result.out) == (2, "")
    assert key in result.err


@pytest.mark.parametrize(
    "arguments", [("--prove", "--probe-bucket", "probe"), ("--rule", "encryption"), ("--prove", "--rule", "nobody's")]
)
def test_options_that_mean_nothing_are_refused(arguments: tuple[str, ...], cli: Cli) -> None:
    """Rather than ignored."""
    configured(cli)
    assert cli.run("check", *arguments).status == 2


STAGES = ("the break", "the publication", "the wait", "putting back")


@pytest.mark.parametrize(
    ("stage", "number", "status"),
    [
        *((stage, signal.SIGINT, 130) for stage in STAGES),
        *((stage, signal.SIGTERM, 143) for stage in STAGES),
        ("the wait", signal.SIGHUP, 143),
    ],
)
def test_a_signal_never_leaves_it_broken(
    stage: str, number: signal.Signals, status: int, cli: Cli, channel: Emulator
) -> None:
    """Whenever it comes, also several times, the canary is put back before the command ends."""
    canary(channel)
    configured(cli, wait_seconds=NOBODY_SECONDS if stage == "putting back" else PATIENCE_SECONDS)
    patient(cli)
    before = state_of(channel)
    held = {
        "the break": "DeleteBucketEncryption",
        "the publication": "PublishMessage",
        "putting back": "PutBucketEncryption",
    }
    operation = held.get(stage)
    fault = channel.faults.add("latency", operation, seconds=300.0, count=1) if operation else None
    with proving(cli) as process:
        if fault is None:
            eventually(lambda: len(channel.journal(operation="PublishMessage")) == 1)
        else:
            eventually(lambda: channel.faults.struck()[fault] > 0 or process.poll() is not None)
        process.send_signal(number)
        process.send_signal(number)
        if fault is not None:
            channel.advance(300)  # not before: the request would be over when the signals come
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == status, (out, err)
    assert state_of(channel) == before
    assert changes_of(channel) == ["DeleteBucketEncryption", "PutBucketEncryption"]
    assert "Traceback" not in err
    assert "the-canary was put back from null" in err
    assert bool(channel.journal(operation="PublishMessage")) is (stage != "the break")
    assert ("encryption: stopped before" in err) is (stage != "putting back"), err


@pytest.mark.parametrize(
    ("kind", "operation", "more"),
    [
        ("lost_reply", "DeleteBucketEncryption", {}),
        ("error_after", "DeleteBucketEncryption", {"status": 500, "code": "InternalError"}),
        ("error", "PublishMessage", {"status": 403, "code": "AccessDenied"}),
        ("lost_reply", "PublishMessage", {}),
        ("error", "PutBucketEncryption", {"status": 503, "code": "ServiceUnavailable", "count": 3}),
        ("error", "GetBucketEncryption", {"status": 503, "code": "ServiceUnavailable", "count": 5, "skip": 2}),
    ],
)
def test_an_error_never_leaves_it_broken(
    kind: str, operation: str, more: dict[str, Any], cli: Cli, channel: Emulator
) -> None:
    """Whatever fails from the break on (`skip` are the looks before it), and whether it had its effect or not."""
    canary(channel)
    configured(cli, wait_seconds=NOBODY_SECONDS)
    patient(cli)
    before = state_of(channel)
    fault = channel.faults.add(kind, operation, **more)
    result = prove(cli)
    assert result.status == 1, result
    assert channel.faults.struck()[fault] > 0
    assert "DeleteBucketEncryption" in changes_of(channel)
    assert state_of(channel) == before


def test_two_at_once_leave_it_as_it_was(cli: Cli, channel: Emulator, tmp_path: Path) -> None:
    """Each either proves, or finds it broken by the other one and leaves it alone."""
    canary(channel)
    configured(cli)
    journaled(cli, tmp_path)
    before = state_of(channel)
    with cli.working(), proving(cli, "-o", "json") as first, proving(cli, "-o", "json") as second:
        ended = [process.communicate(timeout=PATIENCE_SECONDS) for process in (first, second)]
    assert {first.returncode, second.returncode} <= {0, 1}, ended
    assert 0 in (first.returncode, second.returncode), ended
    assert state_of(channel) == before


def test_one_that_finds_it_broken_says_what_may_be_going_on(cli: Cli, channel: Emulator) -> None:
    """Another proof, or one that was killed; and repair puts it back exactly as it was."""
    canary(channel)
    configured(cli)
    before = state_of(channel)
    with proving(cli) as process:
        eventually(lambda: len(channel.journal(operation="PublishMessage")) == 1)
        result = prove(cli)
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)
    found = proof(result)
    assert (result.status, found["result"]) == (1, "not_begun")
    assert "another check --prove may be at work, or was killed" in found["remedy"]
    assert state_of(channel) != before
    journal = cli.path.parent / "repairs.jsonl"
    by_hand = ("repair", CANARY, "--rule", "encryption", "--apply", "--journal", str(journal))
    assert by_hand[:5] == tuple(found["remedy"].partition("config-remediator ")[2].split())[:5]
    assert cli.run(*by_hand).status == 0
    assert state_of(channel) == before
