"""Workers: one ending for every delivery, one repair for every case, and no attempt counted that was none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.parked import Carried, History
from consumer.core.queue_limits import MAX_VISIBILITY_SECONDS
from consumer.engine.delivery import Delivery
from consumer.engine.lease import Lease
from consumer.engine.pipeline import Pipeline
from consumer.engine.settle_queue import Action
from consumer.engine.worker import Worker
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from tests.patience import PATIENCE_SECONDS
from tests.unit.bodies import ACCOUNT, EVALUATED_AT_MS, event_body
from tests.unit.engine import Engine
from tests.unit.fakes import FakeBucket, FakeBuckets, instant_heartbeat, received

FAILED = Ending(Outcome.FAILED, "timeout", "no answer")
FIXED = Ending(Outcome.FIXED)


class ScriptedPipeline(Pipeline):
    """The real triage; repairs end as the test says, and other things may happen meanwhile."""

    def __init__(self) -> None:
        remediation = BucketAcl(BucketAclOptions())
        logging = Selector(config_rule_ids=frozenset({"cr-logging"}))
        super().__init__(
            [
                Rule("logging", logging, remediation, Mode.ENFORCE, 60.0),
                Rule("acl", Selector(), remediation, Mode.ENFORCE, 60.0),
            ],
            lambda resource, _until: FakeBucket(FakeBuckets(), resource.resource_id),
            account_id=ACCOUNT,
            default_region="cn-shanghai",
            work_budget_seconds=1.0,
        )
        self.now: Callable[[], float] = lambda: 0.0
        self.endings: list[Ending | Callable[[], Ending]] = []
        self.repaired: list[int] = []
        """Evaluation times of the events repaired for."""

    def repair(self, delivery: Delivery) -> Ending:
        """The next planned ending."""
        assert delivery.event is not None
        self.repaired.append(delivery.event.evaluated_at_ms - EVALUATED_AT_MS)
        planned = self.endings.pop(0) if self.endings else FIXED
        ending = planned if isinstance(planned, Ending) else planned()
        return ending if delivery.lease.held(self.now()) else Ending(Outcome.LEASE_LOST)


@dataclass
class Working:
    """A worker whose endings can be looked at before they are settled."""

    max_attempts: int = 3
    engine: Engine = field(default_factory=Engine)
    pipeline: ScriptedPipeline = field(default_factory=ScriptedPipeline)

    def __post_init__(self) -> None:
        self.pipeline.now = self.engine.clock
        self.put: list[Delivery] = []
        put = self.engine.settlements.put

        def recorded(delivery: Delivery) -> None:
            self.put.append(delivery)
            put(delivery)

        self.engine.settlements.put = recorded  # type: ignore[method-assign]
        self.worker = self.another()
        self.minted = 0

    def another(self) -> Worker:
        """One more worker beside it."""
        heartbeat = instant_heartbeat(self.engine.clock)
        return Worker(self.engine.shared, self.pipeline, heartbeat, max_attempts=self.max_attempts)

    def delivery(self, age: int = 0, message_id: str = "", **fields: object) -> Delivery:
        """A delivery in flight whose event was evaluated `age` milliseconds later than others."""
        self.minted += 1
        body = event_body(orderingTimestamp=EVALUATED_AT_MS + age, **fields)
        message = received(message_id or f"m-{self.minted}", body, handle=f"h-{self.minted}")
        now = self.engine.clock()
        delivery = Delivery(message, Lease(message.message_id, message.receipt_handle, now, 30.0), now)
        self.engine.in_flight.receive([delivery], self.engine.in_flight.reserve(1, 0))
        assert self.engine.in_flight.next(0) is delivery
        return delivery

    def resolved(self) -> list[Delivery]:
        """The deliveries that were left to be settled so far."""
        return self.put


def outcomes(resolved: list[Delivery]) -> list[Outcome | None]:
    """The outcome of each."""
    return [one.ending.outcome if one.ending else None for one in resolved]


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
    assert [stage for stage, _ in resolved.stages.as_tuple()][:2] == ["wait", "decode"]
    assert working.engine.books.settling == 1


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
    assert all("no answer" in one.ending.detail for one in resolved if one.ending)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.FAILED])
def test_nothing_but_a_failure_counts_as_an_attempt(outcome: Outcome) -> None:
    """Held, observed, lost and released deliveries never exhaust a message, however often it comes."""
    working = Working(max_attempts=2)
    for _ in range(20):
        working.pipeline.endings = [Ending(outcome)]
        working.worker.process(working.delivery(message_id="m"))
    assert working.engine.attempts.of("m") == 0
    assert set(outcomes(working.resolved())) == {outcome}


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
    working.engine.settlements.unsettled.copied("m", rejected)
    working.worker.process(working.delivery(message_id="m"))
    (resolved,) = working.resolved()
    assert working.pipeline.repaired == []
    assert (resolved.ending, resolved.copied) == (rejected, Disposition.DEAD_LETTERED)
    assert resolved.event is not None


def test_dismissed_messages_open_no_group() -> None:
    """What needs no look at a resource is never held up by a repair."""
    working = Working()
    working.engine.queue.put("other", '{"eventType":"SnapshotDelivery"}')
    (other,) = working.engine.poll()
    working.worker.process(other)
    assert outcomes(working.resolved()) == [Outcome.NOT_OURS]
    assert not working.engine.groups._open


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
