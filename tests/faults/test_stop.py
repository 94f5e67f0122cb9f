"""How a worker process ends: in good order, at once, or by force, and nothing is lost in any of these ways."""

from __future__ import annotations

import signal

from tests.faults.replica import Replica
from tests.faults.stage import Pace, Stage, until
from tests.patience import PATIENCE_SECONDS
from witness import Ending

_SLOW = Pace(workers=2, lease_seconds=30, call_timeout_seconds=10, shutdown_grace_seconds=25)


def said(replica: Replica, event: str) -> bool:
    """Whether the worker has logged an event."""
    return bool(replica.events(event))


def received(stage: Stage) -> int:
    """How many messages were handed out."""
    found = stage.emulator.journal(operation="BatchReceiveMessage")
    return sum(len(entry.detail["messages"]) for entry in found)


def busy(stage: Stage, pace: Pace = _SLOW, *, seconds: float = 1.0) -> Replica:
    """A worker with a full hand: two messages in slow work, the others waiting.

    That they were handed out does not show it: the queue knows before the worker does.
    """
    look = stage.emulator.faults.add("latency", "GetBucketInfo", service="oss", seconds=seconds)
    stage.emulator.create_buckets(count=20, acl="public-read")
    replica = stage.replica(pace)
    replica.start()
    assert until(lambda: received(stage) >= 20 and stage.emulator.faults.struck()[look] >= 2), replica.text()
    return replica


def finish(stage: Stage) -> None:
    """Let another worker do what is left, and have it all judged."""
    stage.emulator.faults.clear()
    replica = stage.replica()
    replica.start()
    assert until(lambda: not stage.left()), replica.text()
    assert replica.stop(PATIENCE_SECONDS) == 0
    verdict = stage.verdict()
    assert not verdict.violations, "\n".join(map(str, verdict.violations))
    assert set(verdict.endings) <= {Ending.FIXED, Ending.ALREADY_COMPLIANT}


def test_sigterm_hands_back_what_is_untouched_and_finishes_what_is_begun(stage: Stage) -> None:
    """Exit 0; what was begun is repaired and deleted, everything else is visible again one second later."""
    replica = busy(stage)
    assert replica.stop(PATIENCE_SECONDS) == 0, replica.text()
    entries = stage.emulator.journal(service="mns")
    deleted = {each for entry in entries for each in entry.detail.get("deleted", ())}
    hidden = {
        entry.detail["message_id"]: entry.detail["visibility_seconds"]
        for entry in entries
        if entry.operation == "ChangeMessageVisibility"
    }
    pushed = {entry.detail["message_id"] for entry in entries if entry.operation == "PushToQueue"}
    assert len(deleted) >= 2
    assert {hidden[message_id] for message_id in pushed - deleted} == {1}
    assert replica.lines()[-1]["exit_reason"] == "drained"
    finish(stage)


def test_a_second_sigterm_ends_it_at_once(stage: Stage) -> None:
    """Exit 5, although a repair is under way; its message comes back when the lease is over."""
    replica = busy(
        stage, Pace(workers=2, lease_seconds=4, call_timeout_seconds=10, shutdown_grace_seconds=25), seconds=8
    )
    replica.signal(signal.SIGTERM)
    assert until(lambda: said(replica, "service.stopping"))
    assert replica.stop(PATIENCE_SECONDS) == 5
    assert "second signal" in replica.text()
    finish(stage)


def test_kill_9_loses_nothing(stage: Stage) -> None:
    """Killed with a full hand; what it held is delivered to another worker."""
    replica = busy(stage, Pace(workers=2, call_timeout_seconds=5))
    assert replica.kill() == -signal.SIGKILL
    finish(stage)


def test_what_a_long_poll_brings_in_after_the_signal_is_handed_back(stage: Stage) -> None:
    """The poll was open when the stop began: its message is visible again one second later, and not worked on."""
    replica = stage.replica(Pace(wait_seconds=10, shutdown_grace_seconds=20))
    replica.start()
    stage.emulator.create_buckets(["first"], acl="public-read")
    assert until(lambda: not stage.left() and not stage.broken()), replica.text()
    replica.signal(signal.SIGTERM)
    assert until(lambda: said(replica, "service.stopping"))
    stage.emulator.create_buckets(["late"], acl="public-read")
    assert replica.wait(PATIENCE_SECONDS) == 0, replica.text()
    last = stage.emulator.journal(service="mns", resource="queues/main")[-1]
    assert (last.operation, last.detail["visibility_seconds"]) == ("ChangeMessageVisibility", 1)
    assert stage.broken() == ["late"]
    finish(stage)


def test_while_it_stops_it_is_alive_and_not_ready(stage: Stage) -> None:
    """A stop in good order is no fault, but nothing new should be sent its way."""
    replica = busy(stage, seconds=3)
    assert until(replica.ready)
    replica.signal(signal.SIGTERM)
    assert until(lambda: replica.get("/readyz")[0] == 503)
    assert replica.get("/readyz")[1] == "stopping"
    assert replica.get("/livez") == (200, "ok")
    assert replica.wait(PATIENCE_SECONDS) == 0, replica.text()
