"""What operators are shown while something is wrong: never that nothing is exposed, and never nothing at all."""

from __future__ import annotations

import re

import pytest

from consumer.operator.watch.snapshot import Snapshot, View, view
from emulator.cloudconfig.rules import default_rule_id
from tests.faults.replica import Replica
from tests.faults.stage import DEAD_LETTERS, READ_RULE, Stage, until
from tests.patience import PATIENCE_SECONDS

_FAST = {"REMEDIATOR__METRICS__QUEUE_SAMPLE_SECONDS": "1", "REMEDIATOR__METRICS__QUEUE_SAMPLE_IDLE_SECONDS": "1"}
_READ = default_rule_id(READ_RULE)
_BUCKETS = [f"bucket-{number}" for number in range(10)]


def shown(replica: Replica) -> View:
    """What the worker's metrics say now."""
    return view(Snapshot.of(replica.get("/metrics")[1], 0.0), None, 0.0)


def public(stage: Stage, *names: str) -> Stage:
    """Buckets that anybody may read, reported to the queue."""
    stage.emulator.create_buckets(list(names), acl="public-read")
    return stage


def test_a_missing_permission_holds_everything_and_resumes_by_itself(stage: Stage) -> None:
    """Nothing is given up, the action is named, the buckets stay on the board, and the grant is all it takes."""
    refused = stage.emulator.faults.add("error", "PutBucketAcl", service="oss", status=403, code="AccessDenied")
    replica = stage.replica(**_FAST)
    replica.start()
    public(stage, *_BUCKETS)
    account = stage.emulator.endpoints.account_id
    missing = {("oss:PutBucketAcl", f"acs:oss:*:{account}:*"): len(_BUCKETS)}
    assert until(lambda: shown(replica).missing == missing), replica.text()
    assert shown(replica).exposed == ("public-read",)
    assert stage.left(DEAD_LETTERS) == 0
    assert replica.ready()
    assert 'breaker_open{rule="public-read"} 0.0' in replica.get("/metrics")[1]

    stage.emulator.faults.remove(refused)

    assert until(lambda: not stage.broken()), replica.text()
    assert until(lambda: not shown(replica).missing and not shown(replica).exposed)
    assert replica.stop(PATIENCE_SECONDS) == 0
    assert not stage.verdict().violations


def test_what_was_given_up_is_open_until_the_resource_is_seen_safe(stage: Stage) -> None:
    """Over a kill -9 too: the next process reads the dead-letter queue before it says anything."""
    text = "Access denied by bucket policy."
    stage.emulator.faults.add("error", "PutBucketAcl", service="oss", status=403, code="AccessDenied", message=text)
    replica = stage.replica(**_FAST)
    replica.start()
    public(stage, "photos")
    given_up = {("public-read", "AccessDenied"): 1}
    assert until(lambda: shown(replica).given_up == given_up), replica.text()
    assert shown(replica).exposed == ("public-read",)
    assert stage.left(DEAD_LETTERS) == 1

    replica.kill()
    replica.start()
    assert until(lambda: shown(replica).given_up == given_up), replica.text()
    assert shown(replica).exposed == ("public-read",)

    stage.emulator.faults.clear()
    stage.emulator.change_bucket("photos", acl="private")
    stage.emulator.config.publish(bucket="photos", rule=_READ)
    assert until(lambda: not shown(replica).exposed and not shown(replica).given_up), replica.text()
    assert stage.left(DEAD_LETTERS) == 1, "the letter is still there for a person, and opens nothing again"


def test_what_was_given_up_is_closed_by_a_person(stage: Stage) -> None:
    """Who drops the letter has decided; it takes two looks at the queue to be sure that it is gone."""
    replica = stage.replica(**_FAST)
    replica.start()
    stage.emulator.config.publish(bucket="elsewhere", rule=_READ, owner_id="9999888877776666")
    assert until(lambda: bool(shown(replica).given_up)), replica.text()
    replica.command("dlq", "drop", "--yes")
    assert stage.left(DEAD_LETTERS) == 0
    assert until(lambda: not shown(replica).given_up), replica.text()
    assert not shown(replica).exposed


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("error", {"status": 503, "code": "InternalError"}),
        ("error", {"status": 403, "code": "AccessDenied"}),
        ("stall", {"seconds": 60}),
    ],
)
def test_a_worker_that_receives_nothing_does_not_say_that_nothing_is_exposed(
    stage: Stage, kind: str, fault: dict[str, object]
) -> None:
    """It says that it does not know, it is not ready, and both say why."""
    replica = stage.replica(**_FAST)
    replica.start()
    assert until(replica.ready), replica.text()
    stage.emulator.faults.add(kind, "BatchReceiveMessage", service="mns", **fault)
    assert until(lambda: "not_polling" in (shown(replica).unknown or ())), replica.text()
    assert replica.get("/readyz")[1].startswith("last poll failed: ")
    assert replica.get("/livez")[0] == 200
    stage.emulator.faults.clear()
    assert until(lambda: "not_polling" not in (shown(replica).unknown or ())), replica.text()
    assert until(replica.ready)


def test_a_worker_near_the_services_throttle_says_so(stage: Stage) -> None:
    """In its log, in its metrics and to the probe, while what it cannot receive waits on the queue."""
    stage.emulator.faults.add("error", "PutBucketAcl", service="oss", status=403, code="AccessDenied")
    stage.emulator.faults.add(
        "error", "SendMessage", service="mns", status=403, code="AccessDenied"
    )  # nothing is parked
    replica = stage.replica(**_FAST, REMEDIATOR__ENGINE__MAX_UNDELETED="5")
    replica.start()
    public(stage, *_BUCKETS)
    assert until(lambda: bool(shown(replica).polls_paused)), replica.text()
    assert "polling_paused" in (shown(replica).unknown or ())
    assert until(lambda: bool(replica.events("polling.paused"))), replica.text()
    counted = re.findall(r"^remediator_undeleted_in_window (\S+)", replica.get("/metrics")[1], re.MULTILINE)
    assert float(counted[0]) >= 4
