"""Workers: one ending for every delivery, one repair for every case, and no attempt counted that was none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.parked import Carried, History
from consumer.core.queue_limits import MAX_VISIBILITY_SECONDS
from consumer.engine.in_flight import InFlight
from consumer.engine.worker import Worker
from tests.unit.fakes import instant_heartbeat
from tests.unit.scripted_worker import FAILED, FIXED, Working, outcomes


def test_a_delivery_is_worked_on_to_its_ending() -> None:
    """The ending is handed over with its event, its rule and the times of its stages."""
    working = Working()
    delivery = working.delivery()
    working.worker.process(delivery)
    (resolved,) = working.resolved()
    assert resolved is delivery
    assert resolved.ending == FIXED
    assert resolved.rule is not None
    assert resolved.event is not None
    assert [stage for stage, _ in resolved.timings.as_tuple()][:2] == ["wait", "decode"]
    assert working.engine.books.settling == 1


def test_the_time_in_the_queue_and_in_the_buffer_is_one_wait() -> None:
    """From the queue's own stamps to the receive, and from there by the local clock to the worker."""
    working = Working()
    delivery = working.delivery()
    delivery.message = replace(delivery.message, enqueued_at_ms=1_000, first_dequeued_at_ms=3_500)
    working.engine.clock.advance(4.0)
    working.worker.process(delivery)
    assert delivery.timings.as_tuple()[0] == ("wait", 6.5)


def test_a_worker_waits_for_work_as_long_as_it_may_be_idle() -> None:
    """It shows that it is alive in between."""
    waits: list[float] = []

    class Empty(InFlight):
        """Notes each wait, and takes no time for it."""

        def next(self, wait_seconds: float) -> None:
            """Nothing comes."""
            waits.append(wait_seconds)

    working = Working()
    working.heartbeat.idle_seconds = 5.0
    shared = replace(working.engine.shared, in_flight=Empty(4))
    Worker(shared, working.pipeline, working.heartbeat, max_attempts=3).step()
    assert waits == [5.0]


def test_a_worker_that_falls_silent_is_named_with_the_message_it_works_on() -> None:
    """The one that it took, until a newer one of the same resource is repaired for."""
    working = Working()
    doing: list[str] = []

    def hang() -> Ending:
        working.engine.clock.advance(60.5)
        doing.append(working.heartbeat.overdue())
        return FIXED

    def joined() -> Ending:
        newer = working.delivery(age=5, message_id="newer")
        newer.lease.renewed("h", float("inf"))
        working.another().process(newer)
        return hang()

    working.pipeline.endings = [joined, hang]
    leader = working.delivery(message_id="first")
    working.worker.process(leader)
    assert doing == ["working on message first", "working on message newer"]
    busy = working.another(heartbeat := instant_heartbeat(working.engine.clock))
    assert working.engine.groups.join(leader)
    busy.process(working.delivery(message_id="joins"))
    working.engine.clock.advance(60.5)
    assert heartbeat.overdue() == "working on message joins"


def test_a_poison_body_ends_without_a_repair() -> None:
    """An undecodable body has its ending and harms nobody else."""
    working = Working()
    working.engine.queue.put("poison", "\x00")
    (poison,) = working.engine.poll()
    fine = working.delivery()
    working.worker.process(poison)
    working.worker.process(fine)
    assert sorted(map(str, outcomes(working.resolved()))) == ["fixed", "invalid"]
    assert working.pipeline.repaired == [0]


def test_failures_count_and_the_last_one_exhausts() -> None:
    """Exactly at max_attempts a failure is the last, and it tells what the real failure was."""
    working = Working(max_attempts=3)
    working.pipeline.endings = [FAILED] * 4
    for _ in range(4):
        working.worker.process(working.delivery(message_id="m"))
    resolved = working.resolved()
    by_attempt = sorted((one.attempts, one.ending.outcome) for one in resolved if one.ending)
    assert by_attempt == [
        (1, Outcome.FAILED),
        (2, Outcome.FAILED),
        (3, Outcome.EXHAUSTED),
        (4, Outcome.EXHAUSTED),
    ]
    assert {one.attempts: one.ending.detail for one in resolved if one.ending} == {
        1: "no answer",
        2: "no answer",
        3: "failed 3 times, last: no answer",
        4: "failed 4 times, last: no answer",
    }


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.FAILED])
def test_nothing_but_a_failure_counts_as_an_attempt(outcome: Outcome) -> None:
    """Held, observed, lost and released deliveries never exhaust a message, however often it comes."""
    working = Working(max_attempts=2)
    for _ in range(20):
        working.pipeline.endings = [Ending(outcome)]
        working.worker.process(working.delivery(message_id="m"))
    assert working.engine.attempts.of("m") == 0
    assert set(outcomes(working.resolved())) == {outcome}


@pytest.mark.parametrize(("known", "claimed", "attempts"), [(2, 1, 2), (2, 5, 5), (0, 4, 4)])
def test_earlier_failures_stay_known_whatever_the_ending(known: int, claimed: int, attempts: int) -> None:
    """Those of this process, or those that a copy claims if they are more; only ours count as seen."""
    working = Working()
    working.pipeline.endings = [Ending(Outcome.HELD, "paused")]
    delivery = working.delivery(message_id="m")
    delivery.message = replace(delivery.message, carried=claiming(claimed))
    for _ in range(known):
        working.engine.attempts.failed("m")
    working.worker.process(delivery)
    assert (delivery.attempts, delivery.attempts_seen) == (attempts, known)


def claiming(attempts: int) -> Carried:
    """What a parked copy carries that claims to have failed so often."""
    return Carried(History("origin", 1, 1, max(attempts, 1), attempts, "failed:timeout"))


def test_attempts_go_on_where_a_parked_copy_says() -> None:
    """Two failures on other replicas and one here are three, on whatever process."""
    working = Working(max_attempts=3)
    working.pipeline.endings = [FAILED]
    delivery = working.delivery()
    delivery.message = replace(delivery.message, carried=claiming(2))
    working.worker.process(delivery)
    assert outcomes(working.resolved()) == [Outcome.EXHAUSTED]
    assert (delivery.attempts, delivery.attempts_seen, delivery.exhausted_by_claim) == (3, 1, True)


@pytest.mark.parametrize("ending", [FIXED, Ending(Outcome.HELD)])
def test_no_claim_gives_a_message_up_without_a_failure(ending: Ending) -> None:
    """However many attempts it claims, its next one counts."""
    working = Working(max_attempts=1)
    working.pipeline.endings = [ending]
    delivery = working.delivery()
    delivery.message = replace(delivery.message, carried=claiming(1_000_000))
    working.worker.process(delivery)
    assert outcomes(working.resolved()) == [ending.outcome]


def test_a_claim_of_no_failures_does_not_lower_what_is_known_here() -> None:
    """Whoever forges a fresh start gets none."""
    working = Working(max_attempts=3)
    for _ in range(3):
        working.pipeline.endings = [FAILED]
        delivery = working.delivery(message_id="m")
        delivery.message = replace(delivery.message, carried=claiming(0))
        working.worker.process(delivery)
    assert outcomes(working.resolved()) == [Outcome.FAILED, Outcome.FAILED, Outcome.EXHAUSTED]


def test_a_failure_during_the_stop_is_handed_back_and_not_counted() -> None:
    """Cut short by the stop, so not an attempt: another replica begins at once."""
    working = Working(max_attempts=1)

    def stopped() -> Ending:
        working.engine.stopping.set()
        return FAILED

    working.pipeline.endings = [stopped]
    working.worker.process(working.delivery(message_id="m"))
    (released,) = working.resolved()
    assert (released.hide_seconds, released.ending) == (1, None)
    assert working.engine.attempts.of("m") == 0


def test_backing_off_never_exceeds_what_the_queue_takes() -> None:
    """However often it failed, the message comes back within twelve hours."""
    working = Working(max_attempts=10**9)
    for _ in range(60):
        working.pipeline.endings = [FAILED]
        working.worker.process(working.delivery(message_id="m"))
    assert all(0 < each.hide_seconds <= MAX_VISIBILITY_SECONDS for each in working.resolved())


def test_the_loop_ends_when_the_hand_is_closed() -> None:
    """A worker finishes its own delivery and takes no other."""
    working = Working()
    working.engine.in_flight.close()
    working.worker.run()
    assert working.pipeline.repaired == []


def test_a_message_whose_copy_stands_is_not_worked_on_again() -> None:
    """It is in the dead-letter queue, and only its deletion is outstanding: no look, no change, no second letter."""
    working = Working()
    rejected = Ending(Outcome.REJECTED, "permission_missing")
    working.engine.history.unsettled.copied("m", rejected)
    working.worker.process(working.delivery(message_id="m"))
    (resolved,) = working.resolved()
    assert working.pipeline.repaired == []
    assert (resolved.ending, resolved.copied) == (rejected, Disposition.DEAD_LETTERED)
    assert resolved.event is not None


def test_a_body_that_no_reply_can_carry_is_for_a_person() -> None:
    """Even if what came of it reads like a message that asks for nothing: it may have been anything."""
    working = Working()
    delivery = working.delivery()
    delivery.message = replace(delivery.message, body='{"eventType": "ResourceChange"}', damage="not well-formed")
    working.worker.process(delivery)
    (resolved,) = working.resolved()
    assert resolved.ending is not None
    assert (resolved.ending.outcome, resolved.ending.reason) == (Outcome.INVALID, "damaged_body")
    assert resolved.ending.detail == "not well-formed"
