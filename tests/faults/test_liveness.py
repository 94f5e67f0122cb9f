"""Faults that stop one thing must not stop everything: repairs go on, slots come free, the books balance.

Each is one that operators meet: a permission that nobody granted, a queue that is throttled or silent, a slow service,
a busy bucket. The last word is the witness's.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from tests.faults.replica import Replica
from tests.faults.stage import DEAD_LETTERS, Pace, Stage, until
from tests.patience import PATIENCE_SECONDS

_PACE = Pace(slots=16, workers=4)
_LEASE_SECONDS = 60
_PATIENT = replace(_PACE, lease_seconds=_LEASE_SECONDS, call_timeout_seconds=10, shutdown_grace_seconds=25)
"""Where requests are counted, none may be sent again and no lease renewed only because the machine is slow."""
_STALE_SECONDS = 10.0


def started(stage: Stage, pace: Pace = _PACE, **more: str) -> Replica:
    """A worker that is ready; `more` are environment variables."""
    replica = stage.replica(pace, **more)
    replica.start()
    assert until(replica.ready), replica.text()
    return replica


def poison(stage: Stage, count: int) -> None:
    """Messages that are no events: all of them are to be dead-lettered."""
    for number in range(count):
        stage.emulator.config.publish_raw(f"poison {number}")


def ends_well(stage: Stage, replica: Replica) -> None:
    """The faults are over: everything comes to its ending, nothing was promised in vain, and the process drains."""
    stage.emulator.faults.clear()
    assert until(lambda: not stage.left()), replica.text()[-3_000:]
    assert until(lambda: not replica.books().in_flight), replica.books()
    assert replica.books().balanced
    assert replica.stop(PATIENCE_SECONDS) == 0
    verdict = stage.verdict()
    assert not verdict.violations, "\n".join(map(str, verdict.violations))


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("error", {"status": 403, "code": "AccessDenied"}),
        ("error", {"status": 429, "code": "TooManyRequests"}),
        ("stall", {"seconds": 5.0}),
    ],
    ids=["refused", "throttled", "silent"],
)
def test_repairs_go_on_while_nothing_can_be_deleted(stage: Stage, kind: str, fault: dict[str, object]) -> None:
    """Five times as many buckets as slots are repaired; their messages stay, and are deleted when that works again."""
    stage.emulator.faults.add(kind, "BatchDeleteMessage", service="mns", **fault)
    stage.emulator.create_buckets(count=80, acl="public-read")
    replica = started(stage, replace(_PACE, settle_seconds=3.0))
    assert until(lambda: not stage.broken()), f"{len(stage.broken())} still public: {replica.text()[-2_000:]}"
    assert stage.left() or kind == "stall"
    assert replica.get("/livez") == (200, "ok")
    ends_well(stage, replica)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("error", {"status": 403, "code": "AccessDenied"}),
        ("error", {"status": 429, "code": "TooManyRequests"}),
        ("stall", {"seconds": 5.0}),
        ("latency", {"seconds": 0.8}),
    ],
    ids=["refused", "throttled", "silent", "slow"],
)
def test_poison_does_not_keep_a_public_bucket_waiting(stage: Stage, kind: str, fault: dict[str, object]) -> None:
    """A dead-letter queue in trouble, ten times as much poison as slots: a new public bucket is closed before it."""
    stage.emulator.faults.add(kind, "SendMessage", service="mns", **fault)
    replica = started(stage)
    poison(stage, 160)
    stage.emulator.create_buckets(["urgent"], acl="public-read-write")
    assert until(lambda: not stage.broken()), replica.text()[-2_000:]
    assert stage.left(), "the poison still waits"
    assert replica.stop(PATIENCE_SECONDS) == 0, replica.text()[-2_000:]
    stage.emulator.faults.clear()
    ends_well(stage, started(stage))
    assert stage.left(DEAD_LETTERS) >= 160


def test_poison_is_dead_lettered_at_once_while_the_dead_letter_queue_is_well(stage: Stage) -> None:
    """Ten times as much as slots: nothing is hidden first, and no settlement fails."""
    stage.hide_for(_LEASE_SECONDS)
    replica = started(stage, _PATIENT)
    poison(stage, 160)
    assert until(lambda: stage.left(DEAD_LETTERS) == 160 and not stage.left()), replica.text()[-2_000:]
    assert not stage.emulator.journal(operation="ChangeMessageVisibility")
    assert "settle_errors_total{" not in replica.get("/metrics")[1]
    ends_well(stage, replica)


def test_slow_renewals_lose_nothing(stage: Stage) -> None:
    """A quarter of a second for each renewal, and slow repairs: no more is received than can be kept."""
    stage.hide_for(15)
    stage.emulator.faults.add("latency", "ChangeMessageVisibility", service="mns", seconds=0.25)
    stage.emulator.faults.add("latency", "GetBucketInfo", service="oss", seconds=1.0)
    stage.emulator.create_buckets(count=64, acl="public-read")
    replica = started(stage, Pace(slots=128, workers=8, lease_seconds=15, call_timeout_seconds=5))
    assert until(lambda: not stage.broken()), replica.text()[-2_000:]
    assert stage.emulator.journal(operation="ChangeMessageVisibility"), "the scene needs renewals"
    assert replica.settled("lease_lost") == 0
    ends_well(stage, replica)


def test_slow_renewals_of_many_workers_lose_nothing(stage: Stage) -> None:
    """Repairs that outlast half a lease of 15 s, and a quarter of a second for each renewal: none is lost."""
    stage.hide_for(15)
    stage.emulator.faults.add("latency", "ChangeMessageVisibility", service="mns", seconds=0.25)
    stage.emulator.faults.add("latency", "GetBucketInfo", service="oss", seconds=4.0)
    stage.emulator.create_buckets(count=80, acl="public-read")
    replica = started(stage, Pace(slots=96, workers=64, lease_seconds=15, call_timeout_seconds=10))
    assert until(lambda: not stage.broken()), replica.text()[-2_000:]
    renewed = stage.emulator.journal(operation="ChangeMessageVisibility")
    assert len({entry.detail["message_id"] for entry in renewed}) >= 32, "the scene needs renewals"
    assert replica.settled("lease_lost") == 0
    ends_well(stage, replica)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "BucketBusy"),
        (409, "OperationConflict"),
        (408, "RequestTimedOut"),
        (412, "PreconditionFailed"),
        (423, "Locked"),
        (425, "TooEarly"),
        (429, "TooManyRequests"),
        (400, "NeverSeenBefore"),
        (403, "NeverSeenBefore"),
    ],
)
def test_a_refusal_that_passes_gives_no_bucket_up(stage: Stage, status: int, code: str) -> None:
    """Every first change is refused: tried again, all buckets are closed, and no message is dead-lettered."""
    stage.emulator.faults.add("error", "PutBucketAcl", service="oss", status=status, code=code, count=16)
    stage.emulator.create_buckets(count=8, acl="public-read")
    replica = started(stage)
    assert until(lambda: not stage.broken()), replica.text()[-2_000:]
    ends_well(stage, replica)
    assert not stage.left(DEAD_LETTERS)


def test_stale_reads_stop_no_rule(stage: Stage) -> None:
    """Each bucket shows its old ACL for a second after the change: all are fixed, and each is written once."""
    stage.emulator.faults.add("stale", "GetBucketInfo", service="oss", seconds=1.0)
    stage.hide_for(_LEASE_SECONDS)
    stage.emulator.create_buckets(count=24, acl="public-read")
    replica = started(stage, _PATIENT)
    assert until(lambda: not stage.left()), replica.text()[-2_000:]
    changes = [entry for entry in stage.emulator.journal(operation="PutBucketAcl") if entry.access_key_id]
    assert len(changes) == 24
    ends_well(stage, replica)


def test_stale_reads_keep_no_urgent_bucket_waiting(stage: Stage) -> None:
    """A hundred buckets show their old ACL for a while: no worker waits for them, and each is written once.

    If the workers waited, the urgent bucket would be closed after more than two minutes.
    """
    stage.emulator.faults.add("stale", "GetBucket*", service="oss", seconds=_STALE_SECONDS)
    stage.hide_for(_LEASE_SECONDS)
    stage.emulator.create_buckets(count=100, acl="public-read")
    journal = stage.folder / "journal.jsonl"
    replica = started(stage, replace(_PATIENT, slots=128, workers=8), REMEDIATOR__JOURNAL__PATH=str(journal))
    assert until(lambda: len(stage.broken()) < 90), replica.text()[-2_000:]
    stage.emulator.create_buckets(["urgent"], acl="public-read-write")
    assert until(lambda: "urgent" not in stage.broken(), 100 * _STALE_SECONDS / 8 / 2), replica.text()[-2_000:]
    assert until(lambda: not stage.left()), replica.text()[-2_000:]
    changes = [entry for entry in stage.emulator.journal(operation="PutBucketAcl") if entry.access_key_id]
    assert len(changes) == 101
    assert until(lambda: len([line for line in replica.lines() if line.get("outcome") == "fixed"]) == 101), (
        "what was accepted first and shown later is a fix of ours"
    )
    ends_well(stage, replica)
    lines = json.loads(replica.command("journal", "show", "--output", "json"))
    changes = [line for line in lines if line["undoable"]]
    assert len(changes) == 101
    assert {line["before"] for line in changes} == {"public-read", "public-read-write"}
    replica.command("undo", changes[0]["hash"], "--yes", "--weaken")
    assert stage.broken() == [changes[0]["resource"]]


def test_bodies_that_damage_the_reply_keep_no_urgent_bucket_waiting(stage: Stage) -> None:
    """Forty of them before a public bucket: it is closed in seconds, and they stand in the dead-letter queue."""
    for number in range(40):
        stage.emulator.config.publish_raw(f"poison {number} \x01", unescaped=True)
    stage.emulator.create_buckets(["urgent"], acl="public-read-write")
    replica = started(stage)
    assert until(lambda: not stage.broken()), replica.text()[-2_000:]
    assert until(lambda: stage.left(DEAD_LETTERS) == 40 and not stage.left()), replica.text()[-2_000:]
    assert until(lambda: sum(line.get("reason") == "damaged_body" for line in replica.lines()) == 40), replica.text()
    assert 'outcomes_total{outcome="invalid"' in replica.get("/metrics")[1]
    ends_well(stage, replica)


_RECEIVE, _SETTLE = ("BatchReceiveMessage",), ("BatchDeleteMessage", "ChangeMessageVisibility", "SendMessage")
_RESOURCE = ("GetBucket*", "PutBucketAcl")


@pytest.mark.parametrize(
    ("service", "operations", "kind"),
    [
        ("mns", _RECEIVE, "damaged_xml"),
        ("mns", _RECEIVE, "web_page"),
        ("mns", _SETTLE, "truncated"),
        ("mns", _SETTLE, "web_page"),
        ("oss", _RESOURCE, "damaged_xml"),
        ("oss", _RESOURCE, "not_xml"),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else value,
)
def test_damaged_replies_prove_nothing_and_lose_nothing(
    stage: Stage, service: str, operations: tuple[str, ...], kind: str
) -> None:
    """Half documents and web pages for a third of the replies: counted as damaged, and all of it ends well."""
    for operation in operations:
        stage.emulator.faults.add(kind, operation, service=service, probability=0.33)
    replica = started(stage)
    poison(stage, 4)
    stage.emulator.create_buckets(count=24, acl="public-read")
    assert until(lambda: not stage.broken()), replica.text()[-2_000:]
    page = replica.get("/metrics")[1]
    unread = re.findall(
        rf'^remediator_api_requests_total{{code="(?:damaged_reply|unexpected_reply|reset)".*service="{service}"',
        page,
        re.MULTILINE,
    )
    assert unread, page
    assert until(lambda: stage.left(DEAD_LETTERS) >= 4), replica.text()[-2_000:]
    ends_well(stage, replica)
