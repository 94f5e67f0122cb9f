"""Deliveries about one resource: one repair for all that it covers, one after the other for what it does not."""

from __future__ import annotations

import threading

import pytest

from consumer.core.outcome import Ending, Outcome
from consumer.engine.delivery import Delivery
from consumer.engine.lease import Lease
from consumer.engine.settle_queue import Action
from tests.patience import PATIENCE_SECONDS
from tests.unit.bodies import EVALUATED_AT_MS, event_body
from tests.unit.engine import Engine
from tests.unit.fakes import received
from tests.unit.scripted_worker import FIXED, Working, outcomes


def test_what_joins_during_a_repair_and_is_older_follows() -> None:
    """One repair for both, and the older delivery is only settled after the newer."""
    working = Working()
    older: list[Delivery] = []

    def joined() -> Ending:
        older.append(working.delivery(age=-5))
        working.another().process(older[0])
        return FIXED

    working.pipeline.endings = [joined]
    leader = working.delivery()
    working.worker.process(leader)
    (resolved,) = working.resolved()
    assert resolved is leader
    assert resolved.followers == older
    assert working.pipeline.repaired == [0]
    assert working.engine.books.settling == 2


def test_what_joins_during_a_repair_and_is_newer_is_repaired_for_in_turn() -> None:
    """What a newer event reports may have happened after our look."""
    working = Working()

    def joined() -> Ending:
        working.another().process(working.delivery(age=5))
        return FIXED

    working.pipeline.endings = [joined]
    working.worker.process(working.delivery())
    assert working.pipeline.repaired == [0, 5]
    assert outcomes(working.resolved()) == [Outcome.FIXED, Outcome.FIXED]


def test_the_newest_by_evaluation_wins_whatever_came_first() -> None:
    """Of several that wait, only the newest is repaired for; the others follow it."""
    working = Working()

    def joined() -> Ending:
        for age in (3, 9, 6):
            working.another().process(working.delivery(age=age))
        return FIXED

    working.pipeline.endings = [joined]
    working.worker.process(working.delivery())
    assert working.pipeline.repaired == [0, 9]
    resolved = {len(one.followers): one for one in working.resolved()}
    assert sorted(resolved) == [0, 2]


def test_the_later_notification_decides_between_equal_evaluations() -> None:
    """An event that was notified again is the newer one."""
    working = Working()

    def joined() -> Ending:
        working.another().process(working.delivery(age=1, notificationCreationTime=EVALUATED_AT_MS + 50))
        working.another().process(working.delivery(age=1, notificationCreationTime=EVALUATED_AT_MS + 90))
        return FIXED

    working.pipeline.endings = [joined]
    working.worker.process(working.delivery())
    leader = next(one for one in working.resolved() if one.followers)
    assert leader.event is not None
    assert leader.event.notified_at_ms == EVALUATED_AT_MS + 90


def test_of_two_receipts_of_one_message_the_later_one_counts() -> None:
    """The later receipt has the handle that is good; the earlier one follows and deletes nothing by itself."""
    working = Working()
    later: list[Delivery] = []

    def received_again() -> Ending:
        working.engine.clock.advance(1)
        for _ in range(2):
            working.engine.clock.advance(1)
            later.append(working.delivery(message_id="m"))
            working.another().process(later[-1])
        return FIXED

    working.pipeline.endings = [received_again]
    working.worker.process(working.delivery(message_id="m"))
    leader = next(one for one in working.resolved() if one.followers)
    assert leader is later[1]
    assert leader.followers == [later[0]]


def test_nobody_follows_a_lost_delivery() -> None:
    """When the newest is lost, the next newest is worked on: no message waits on one that is not ours."""
    working = Working()

    def joined() -> Ending:
        working.another().process(working.delivery(age=-5))
        return Ending(Outcome.LEASE_LOST)

    working.pipeline.endings = [joined]
    working.worker.process(working.delivery())
    assert working.pipeline.repaired == [0, -5]
    assert [one.followers for one in working.resolved()] == [[], []]


def test_a_lease_that_ran_out_while_waiting_is_not_ours() -> None:
    """The pipeline is told the truth about the lease of the delivery it works for."""
    working = Working()
    delivery = working.delivery()
    working.engine.clock.advance(30)
    working.worker.process(delivery)
    assert outcomes(working.resolved()) == [Outcome.LEASE_LOST]


def test_the_stop_releases_what_waits_in_a_case() -> None:
    """The delivery under repair is finished; newer ones that joined are released untouched."""
    working = Working()

    def stopped() -> Ending:
        working.another().process(working.delivery(age=5))
        working.another().process(working.delivery(age=7))
        working.engine.stopping.set()
        return FIXED

    working.pipeline.endings = [stopped]
    working.worker.process(working.delivery())
    assert working.pipeline.repaired == [0]
    assert sorted(map(str, outcomes(working.resolved()))) == ["None", "None", "fixed"]
    assert working.engine.books.working == 0


def test_two_rules_on_one_bucket_are_worked_on_one_after_the_other() -> None:
    """Both are repaired for, by one worker, and neither stands for the other."""
    working = Working()

    def joined() -> Ending:
        working.another().process(working.delivery(age=-5, configRuleId="cr-logging"))
        assert working.pipeline.repaired == [0]
        return FIXED

    working.pipeline.endings = [joined]
    working.worker.process(working.delivery())
    assert working.pipeline.repaired == [0, -5]
    assert [one.followers for one in working.resolved()] == [[], []]


def test_a_case_is_closed_after_its_last_delivery() -> None:
    """The next event for the same resource is looked at anew."""
    working = Working()
    working.worker.process(working.delivery())
    working.worker.process(working.delivery())
    assert working.pipeline.repaired == [0, 0]
    assert not working.engine.groups._open


@pytest.mark.parametrize("fields", [{"resourceId": "another-bucket"}, {"regionId": "cn-shanghai"}])
def test_another_resource_is_another_case(fields: dict[str, object]) -> None:
    """Only the same bucket in the same region is one repair."""
    working = Working()

    def other() -> Ending:
        working.another().process(working.delivery(age=-1, **fields))
        return FIXED

    working.pipeline.endings = [other]
    working.worker.process(working.delivery())
    assert working.pipeline.repaired == [0, -1]
    assert [one.followers for one in working.resolved()] == [[], []]


def test_every_delivery_is_resolved_once_by_whatever_thread() -> None:
    """Four workers on three buckets: each delivery ends exactly once, as a leader or as somebody's follower."""
    working = Working(engine=Engine(slots=200))
    deliveries = []
    for number in range(150):
        body = event_body(resourceId=f"bucket-{number % 3}", orderingTimestamp=EVALUATED_AT_MS + number % 7)
        now = working.engine.clock()
        message = received(f"m-{number}", body, handle=f"h-{number}")
        deliveries.append(Delivery(message, Lease(message.message_id, message.receipt_handle, now, 30.0), now))
    threads = [threading.Thread(target=working.another().run, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for first in range(0, 150, 10):
        working.engine.in_flight.receive(deliveries[first : first + 10], working.engine.in_flight.reserve(10, 0))
    resolved: list[Delivery] = []
    while sum(1 + len(one.followers) for one in resolved) < 150:
        taken = working.engine.settle_queues[Action.DELETE].take(30)
        assert taken, "a delivery got lost"
        resolved += taken
    working.engine.in_flight.close()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    ended = [one.message_id for leader in resolved for one in (leader, *leader.followers)]
    assert sorted(ended) == sorted(delivery.message_id for delivery in deliveries)
    assert not working.engine.groups._open
    assert working.engine.books.settling == 150


def test_dismissed_messages_open_no_group() -> None:
    """What needs no look at a resource is never held up by a repair."""
    working = Working()
    working.engine.queue.put("other", '{"eventType":"SnapshotDelivery"}')
    (other,) = working.engine.poll()
    working.worker.process(other)
    assert outcomes(working.resolved()) == [Outcome.NOT_OURS]
    assert not working.engine.groups._open
