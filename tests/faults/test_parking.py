"""What waits is parked: it keeps nothing fresh waiting, nothing of it is lost, and a lost queue takes nobody down."""

from __future__ import annotations

from mns.queue import QueueMeta

from emulator.provisioning import account
from tests.faults.fair import Fairness, Waits, taken
from tests.faults.scenarios import PARKING
from tests.faults.stage import LEASE_SECONDS, QUEUE, Stage, until
from tests.patience import PATIENCE_SECONDS
from witness import Ending

_MESSAGES = 200
_ROUNDS = 3
_SLOTS = 512
"""Never crowded, so that nothing is hidden, however slow the machine is, which a leap of the clock could skip."""
_WAITS = Waits(retention=600, hold=240)
"""So short that the moved clock is less than a quarter of an hour ahead, beyond which signatures are refused."""


def test_what_waits_keeps_nothing_fresh_waiting_and_outlives_the_retention(stage: Stage) -> None:
    """200 parked copies come due at once, and a fresh event after them is received first; in the end all still wait.

    `python -m tests.faults.fairness` is the long form, with times; here the order of the journal is all that counts.
    """
    run = Fairness(stage, _MESSAGES, _WAITS, slots=_SLOTS)
    run.start()
    began_ms = run.fill()
    for _ in range(_ROUNDS):
        assert run.replica.stop(PATIENCE_SECONDS) == 0
        run.due()
        stage.emulator.create_buckets([f"fresh-{run.now_ms()}"], acl="public-read")
        run.collect()
        fresh = run.last_pushed()
        run.start()
        run.settle(lambda fresh=fresh: run.drained() and fresh in taken(run.journal))
        assert run.received_before(fresh) == 0
    found = run.conclude(began_ms)
    assert found.problems == []
    assert found.verdict.copies >= _MESSAGES
    assert set(found.verdict.endings) == {Ending.PARKED, Ending.KEPT, Ending.FIXED}


def test_a_queue_that_is_deleted_and_made_anew_loses_what_it_held_and_nothing_else(stage: Stage) -> None:
    """The administrator's doing: the worker goes on with the new queue, and no copy of before disturbs it."""
    stage.emulator.faults.add("error", "GetBucket*", service="oss", status=503, code="ServiceUnavailable")
    stage.emulator.create_buckets(["one"], acl="public-read")
    replica = stage.replica(PARKING)
    replica.start()
    assert until(lambda: bool(stage.emulator.journal(operation="SendMessage"))), replica.text()
    with account(stage.emulator) as owner:
        owner.get_queue(QUEUE).delete()
        assert until(lambda: "QueueNotExist" in replica.text() or not replica.ready()), replica.text()
        owner.get_queue(QUEUE).create(QueueMeta(vis_timeout=LEASE_SECONDS))
    stage.emulator.faults.clear()
    stage.emulator.config.evaluate()
    assert until(lambda: not stage.broken() and not stage.left()), replica.text()
    assert replica.stop(PATIENCE_SECONDS) == 0
    verdict = stage.verdict()
    assert not verdict.violations
    assert Ending.TAKEN in verdict.endings
