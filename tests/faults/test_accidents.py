"""PutBucketAcl creates a bucket that is missing: whenever a bucket vanishes under a repair, it stays gone."""

from __future__ import annotations

import signal

import pytest

from tests.faults.replica import Replica
from tests.faults.stage import Pace, Stage, until
from tests.patience import PATIENCE_SECONDS
from witness import Ending

_LEASE_SECONDS = 30
_LATENCY_SECONDS = 5.0
_PATIENT = Pace(workers=2, lease_seconds=_LEASE_SECONDS, call_timeout_seconds=10, shutdown_grace_seconds=25)


def looked_at(stage: Stage, bucket: str) -> bool:
    """Whether the worker has seen the bucket, so that only the change is still to come."""
    return bool(stage.emulator.journal(operation="GetBucketInfo", resource=bucket))


def vanish_before_the_change(stage: Stage) -> Replica:
    """A worker whose PutBucketAcl is on its way to a bucket that is deleted meanwhile."""
    stage.hide_for(_LEASE_SECONDS)
    stage.emulator.faults.add("latency", "PutBucketAcl", service="oss", seconds=_LATENCY_SECONDS)
    replica = stage.replica(_PATIENT)
    replica.start()
    stage.emulator.create_buckets(["vanished"], acl="public-read")
    assert until(lambda: looked_at(stage, "vanished")), replica.text()
    stage.emulator.delete_bucket("vanished")
    stage.emulator.advance(_LATENCY_SECONDS + 1)  # creation dates are told by the second; this also ends the latency
    return replica


@pytest.mark.parametrize("trouble", ["none", "reset_after", "error"])
def test_what_was_created_by_accident_is_taken_back(stage: Stage, trouble: str) -> None:
    """Also when the answer to the change, or the first try of taking back, meets trouble."""
    if trouble != "none":
        for operation in ("PutBucketAcl", "DeleteBucket"):
            stage.emulator.faults.add(trouble, operation, service="oss", count=1, status=503, code="ServiceUnavailable")
    replica = vanish_before_the_change(stage)
    assert until(lambda: not stage.left()), replica.text()
    assert replica.stop(PATIENCE_SECONDS) == 0
    verdict = stage.verdict()
    assert not verdict.violations, "\n".join(map(str, verdict.violations))
    assert set(verdict.endings) == {Ending.GONE}
    assert verdict.accidents >= 1
    assert "vanished" not in stage.emulator.acls()


def test_a_worker_that_slept_through_the_deletion_leaves_nothing_behind(stage: Stage) -> None:
    """Frozen between look and change; somebody else settles the message; it wakes up and changes what is gone."""
    replica = vanish_before_the_change(stage)
    replica.signal(signal.SIGSTOP)
    stage.emulator.faults.clear()
    stage.emulator.advance(_LEASE_SECONDS)
    other = stage.replica()
    other.start()
    assert until(lambda: not stage.left()), other.text()
    replica.signal(signal.SIGCONT)
    assert until(lambda: "vanished" not in stage.emulator.acls() and replica.ready())
    assert [each.stop(PATIENCE_SECONDS) for each in (replica, other)] == [0, 0]
    verdict = stage.verdict()
    assert not verdict.violations, "\n".join(map(str, verdict.violations))
