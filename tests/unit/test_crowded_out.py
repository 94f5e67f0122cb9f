"""What comes back and finds no slot for that: decoded and held; never an attempt, and no look at the resource."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.parked import Carried, History
from consumer.engine.delivery import Delivery
from tests.unit.bodies import event_body
from tests.unit.engine import Engine
from tests.unit.parking import come_back
from tests.unit.scripted_worker import FAILED, Working, outcomes


def crowded_out(working: Working, receipts: int, **fields: object) -> Delivery:
    """A delivery in work that was received so often, and for which there was no slot."""
    found = working.delivery(**fields)  # type: ignore[arg-type]
    found.message = replace(found.message, dequeue_count=receipts)
    found.crowded_out = True
    return found


def test_it_waits_without_a_look_and_without_an_attempt() -> None:
    """Whatever it failed with before is not tried, and the report has its rule, its event and why it waits."""
    working = Working()
    working.engine.queue.put("m", event_body())
    (first,) = working.engine.poll()
    working.engine.resolve(first, None)
    working.engine.settle_all()
    (delivery,) = come_back(working.engine, 2.0)
    delivery.crowded_out = True
    working.worker.process(delivery)
    working.engine.settle_all()
    report = working.engine.recorder.reports[-1]
    assert working.pipeline.repaired == []
    assert report.disposition is Disposition.HIDDEN
    assert report.ending is not None
    assert (report.outcome, report.ending.reason) == (Outcome.HELD, "crowded")
    assert report.ending.detail == "other messages that came back have all slots for that"
    assert (report.rule, report.attempts) == ("acl", 0)
    assert report.event is not None
    assert working.engine.attempts.of("m") == 0


@pytest.mark.parametrize(("receipts", "seconds"), [(2, 2), (3, 3), (4, 6), (8, 96), (11, 600), (1_000_000, 600)])
def test_it_waits_for_longer_the_more_often_it_came(receipts: int, seconds: float) -> None:
    """A moment at first, and never for longer than the rule holds anything."""
    working = Working()
    delivery = crowded_out(working, receipts)
    working.pipeline.triage(delivery)
    assert delivery.rule is not None
    delivery.rule = replace(delivery.rule, hold_seconds=600.0)
    assert working.engine.postponement.crowded_out(delivery).hold_seconds == seconds


def test_without_a_rule_it_waits_no_longer_than_the_process_holds_anything() -> None:
    """As a fresh message would that is held."""
    working = Working()
    delivery = crowded_out(working, 1_000_000)
    assert delivery.rule is None
    assert working.engine.postponement.crowded_out(delivery).hold_seconds == working.engine.policy.hold_seconds == 900.0


def test_what_needs_no_look_ends_at_once() -> None:
    """A body that is no event is not sent around once more."""
    working = Working()
    working.engine.queue.put("poison", "\x00")
    (poison,) = working.engine.poll()
    poison.crowded_out = True
    working.worker.process(poison)
    assert outcomes(working.resolved()) == [Outcome.INVALID]


def test_what_stands_in_the_dead_letter_queue_is_only_deleted() -> None:
    """Parking it would make one more copy of what has its ending."""
    working = Working()
    exhausted = Ending(Outcome.EXHAUSTED, "timeout")
    working.engine.history.unsettled.copied("m", exhausted)
    working.worker.process(crowded_out(working, 3, message_id="m"))
    assert outcomes(working.resolved()) == [Outcome.EXHAUSTED]


def test_a_worker_is_free_after_each_step() -> None:
    """Also when what it took waits for the repair of another one, and when that was crowded out."""
    working = Working(engine=Engine(slots=16))
    in_flight = working.engine.in_flight
    history = Carried(History("origin", 1, 1, 1, 0, "failed:timeout"))
    leader = working.delivery()
    working.pipeline.endings = [FAILED] * 40
    working.pipeline.triage(leader)
    assert working.engine.groups.join(leader)
    arrived = [replace(each, message=replace(each.message, carried=history)) for each in following(working, 10)]
    in_flight.receive(arrived, in_flight.reserve(16, 0) + 2)
    for _ in range(10):
        working.worker.step()
    assert [each.crowded_out for each in arrived] == [False] * 8 + [True] * 2
    assert len(working.resolved()) == 2
    assert in_flight._buffer._busy == 0
    assert in_flight._buffer.returned == 8, "they wait for the leader, each with its slot"


def following(working: Working, count: int) -> list[Delivery]:
    """So many deliveries about one resource, which are not in flight."""
    found = [working.delivery(age=-number - 1) for number in range(count)]
    for each in found:
        working.engine.in_flight.worked([each])
        working.engine.in_flight.settle(Disposition.LEASE_LOST)
    return found
