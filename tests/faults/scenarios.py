"""Small scenes, each made so that one particular kind of carelessness must show; they return what went wrong."""

from __future__ import annotations

import signal
from collections.abc import Callable

from emulator.client import JournalEntry
from emulator.provisioning import account
from tests.faults.replica import Replica
from tests.faults.stage import QUEUE, Pace, Stage, until
from tests.patience import PATIENCE_SECONDS

Scenario = Callable[[Stage], list[str]]

_CARELESS_SECONDS = 40.0
"""A careless worker may never come to the end of a scene; the witness then judges what it has done until now."""


def one_repair(stage: Stage) -> list[str]:
    """One broken bucket, nothing goes wrong: the witness sees the change, the read-back and the deletion in order."""
    stage.emulator.create_buckets(["one"], acl="public-read")
    replica = _started(stage, Pace())
    _until(stage, lambda: not stage.left() and not stage.broken())
    replica.stop(PATIENCE_SECONDS)
    return [str(violation) for violation in stage.verdict().violations]


def stop_with_a_full_hand(stage: Stage) -> list[str]:
    """A stop with many untouched messages: each is deleted or visible again one second later."""
    stage.emulator.faults.add("latency", "GetBucketInfo", service="oss", seconds=1.0)
    stage.emulator.create_buckets(count=16, acl="public-read")
    replica = _started(stage, Pace(workers=2, lease_seconds=30, call_timeout_seconds=10, shutdown_grace_seconds=25))
    _until(stage, lambda: len(_receipts(stage)) >= 16)
    status = replica.stop(PATIENCE_SECONDS)
    last_hidden = {
        entry.detail["message_id"]: entry.detail["visibility_seconds"]
        for entry in stage.emulator.journal(operation="ChangeMessageVisibility")
    }
    kept = set(_receipts(stage)) - _deleted(stage)
    problems = [f"{message_id} was not released" for message_id in kept if last_hidden.get(message_id) != 1]
    return problems if status == 0 else [*problems, f"exit status {status}"]


def receipt_taken_over(stage: Stage) -> list[str]:
    """Somebody else receives the message while it is in work: the deletion fails, and the books must say so."""
    stage.hide_for(30)  # a renewal would hide it from whoever takes it over
    stage.emulator.faults.add("duplicate", "BatchReceiveMessage", service="mns", count=1)
    look = stage.emulator.faults.add("latency", "GetBucketInfo", service="oss", seconds=2.0)
    stage.emulator.create_buckets(["one"], acl="public-read")
    replica = _started(
        stage, Pace(workers=1, slots=1, lease_seconds=30, call_timeout_seconds=10, shutdown_grace_seconds=25)
    )
    _until(stage, lambda: stage.emulator.faults.struck()[look] > 0)
    with account(stage.emulator) as owner:
        queue = owner.get_queue(QUEUE)
        (taken,) = queue.batch_receive_message(1, 0)
        queue.change_message_visibility(taken.receipt_handle, 5)
    _until(stage, lambda: not stage.left())
    _until(stage, lambda: not replica.books().in_flight)
    claimed, true = replica.settled("deleted"), len(_deleted(stage))
    replica.stop(PATIENCE_SECONDS)
    return [] if claimed == true else [f"{claimed} deletions in the books, {true} on the queue"]


def repair_longer_than_a_lease(stage: Stage) -> list[str]:
    """Work that needs renewals: the message is handed out once, and deleted with the newest handle."""
    _slow_repair(stage)
    replica = _started(stage, _SLOW)
    _until(stage, lambda: not stage.left() or len(_receipts(stage)) > 1)
    replica.kill()
    return _handed_out_once(stage)


def stop_during_a_long_repair(stage: Stage) -> list[str]:
    """A stop while work needs renewals: the lease is kept until the message is deleted."""
    look = _slow_repair(stage)
    replica = _started(stage, _SLOW)
    _until(stage, lambda: stage.emulator.faults.struck()[look] > 0)  # a receipt alone may come too late
    status = replica.stop(PATIENCE_SECONDS)
    problems = _handed_out_once(stage)
    return problems if status == 0 else [*problems, f"exit status {status}"]


def frozen_beyond_a_lease(stage: Stage) -> list[str]:
    """The process stands still between look and change for longer than its lease: it must not change anything then."""
    stage.emulator.faults.add("latency", "GetBucketInfo", service="oss", seconds=2.0, count=1)
    stage.emulator.create_buckets(["one"], acl="public-read")
    replica = _started(stage, Pace(workers=1, slots=1, call_timeout_seconds=10))
    _until(stage, lambda: bool(_receipts(stage)))
    replica.signal(signal.SIGSTOP)
    _until(stage, lambda: stage.emulator.state()["mns"]["queues"][QUEUE]["active"] == 1)
    replica.signal(signal.SIGCONT)
    _until(stage, lambda: not stage.left() and not stage.broken())
    replica.stop(PATIENCE_SECONDS)
    return [str(violation) for violation in stage.verdict(lease_grace_seconds=0).violations]


def passing_failure(stage: Stage) -> list[str]:
    """OSS answers 503 for a while: the message comes back, and the bucket is repaired."""
    stage.emulator.faults.add(
        "error", "GetBucket*", service="oss", status=503, code="MetaOperationQpsLimitExceeded", count=6
    )
    stage.emulator.create_buckets(["one"], acl="public-read")
    replica = _started(stage, Pace())
    _until(stage, lambda: not stage.left())
    replica.stop(PATIENCE_SECONDS)
    return [str(violation) for violation in stage.verdict().violations]


def parked_until_it_works(stage: Stage) -> list[str]:
    """OSS answers 503 again and again: the message is sent again each time, and the last copy repairs the bucket."""
    _unavailable(stage, 12)
    stage.emulator.create_buckets(["one"], acl="public-read")
    replica = _started(stage, PARKING)
    _until(stage, lambda: not stage.left() and not stage.broken())
    replica.stop(PATIENCE_SECONDS)
    return _judged(stage, copies=2)


def copy_refused(stage: Stage) -> list[str]:
    """The queue may not be sent to: nothing is parked, and nothing is deleted in the hope that it was."""
    _unavailable(stage, 6)
    stage.emulator.faults.add("error", "SendMessage", service="mns", status=403, code="AccessDenied")
    stage.emulator.create_buckets(["one"], acl="public-read")
    replica = _started(stage, PARKING)
    _until(stage, lambda: not stage.left() and not stage.broken())
    replica.stop(PATIENCE_SECONDS)
    return _judged(stage)


def killed_between_copy_and_deletion(stage: Stage) -> list[str]:
    """kill -9 once the copy is there and before its original can be deleted: both come back, and one repair follows."""
    _unavailable(stage, 6)
    refused = stage.emulator.faults.add("error", "BatchDeleteMessage", service="mns", status=503, code="Unavailable")
    stage.emulator.create_buckets(["one"], acl="public-read")
    replica = _started(stage, PARKING)
    parked = until(lambda: bool(_sent_again(stage)))
    replica.kill()
    stage.emulator.faults.remove(refused)
    twice = stage.left()
    replica.start()
    _until(stage, lambda: not stage.left() and not stage.broken())
    replica.stop(PATIENCE_SECONDS)
    problems = [] if parked and twice == 2 else [f"killed when the queue held {twice} of 2"]
    return [*problems, *_judged(stage, copies=1)]


PARKING = Pace(park_after_seconds=1, backoff_base_seconds=3, backoff_cap_seconds=3, hold_seconds=2, keep_seconds=2)
"""Everything that has to wait is parked, for two or three seconds."""
_SLOW = Pace(workers=1, slots=1, call_timeout_seconds=10, shutdown_grace_seconds=25)


def _slow_repair(stage: Stage) -> int:
    """The fault's id."""
    look = stage.emulator.faults.add("latency", "GetBucketInfo", service="oss", seconds=3.0)
    stage.emulator.create_buckets(["one"], acl="public-read")
    return look


def _unavailable(stage: Stage, requests: int) -> None:
    """Looks at buckets fail for now, so often."""
    stage.emulator.faults.add(
        "error", "GetBucket*", service="oss", status=503, code="MetaOperationQpsLimitExceeded", count=requests
    )


def _sent_again(stage: Stage) -> list[JournalEntry]:
    return [entry for entry in stage.emulator.journal(operation="SendMessage") if entry.resource == f"queues/{QUEUE}"]


def _judged(stage: Stage, *, copies: int = 0) -> list[str]:
    """What the witness says; and that so much was parked as the scene is about."""
    verdict = stage.verdict()
    problems = [str(violation) for violation in verdict.violations]
    return problems if verdict.copies >= copies else [*problems, f"{verdict.copies} copies instead of {copies}"]


def _handed_out_once(stage: Stage) -> list[str]:
    problems = [] if not stage.left() else ["the message is still in the queue"]
    count = len(_receipts(stage))
    return problems if count == 1 else [*problems, f"the message was handed out {count} times"]


def _until(stage: Stage, happened: Callable[[], bool]) -> None:
    """Wait for what the worker as it is comes to in the end."""
    until(happened, _CARELESS_SECONDS if stage.careless else PATIENCE_SECONDS)


def _started(stage: Stage, pace: Pace) -> Replica:
    replica = stage.replica(pace)
    replica.start()
    return replica


def _receipts(stage: Stage) -> list[str]:
    """The id of the message, for each time that one was handed out."""
    found = stage.emulator.journal(operation="BatchReceiveMessage")
    return [message["message_id"] for entry in found for message in entry.detail["messages"]]


def _deleted(stage: Stage) -> set[str]:
    return {message_id for entry in _deletions(stage) for message_id in entry.detail["deleted"]}


def _deletions(stage: Stage) -> list[JournalEntry]:
    return stage.emulator.journal(operation="BatchDeleteMessage")


EVERY: tuple[Scenario, ...] = (
    one_repair,
    stop_with_a_full_hand,
    receipt_taken_over,
    repair_longer_than_a_lease,
    stop_during_a_long_repair,
    frozen_beyond_a_lease,
    passing_failure,
    parked_until_it_works,
    copy_refused,
    killed_between_copy_and_deletion,
)
