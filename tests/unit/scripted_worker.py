"""A real worker whose repairs end as a test says, and which can be looked at before anything is settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from consumer.core.observers import Hooks
from consumer.core.outcome import Ending, Outcome
from consumer.engine.change import ChangeMaker
from consumer.engine.delivery import Delivery
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.lease import Lease
from consumer.engine.pipeline import Pipeline
from consumer.engine.routing import Routing
from consumer.engine.worker import Worker
from consumer.guards.chain import Guards
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
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
        rules = [
            Rule("logging", logging, remediation, Mode.ENFORCE, 60.0),
            Rule("acl", Selector(), remediation, Mode.ENFORCE, 60.0),
        ]
        super().__init__(
            Routing(rules, {ACCOUNT}, "cn-shanghai"),
            lambda resource, _until: FakeBucket(FakeBuckets(), resource.resource_id),
            Guards(),
            ChangeMaker(Hooks()),
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
        self.heartbeat = instant_heartbeat(self.engine.clock)
        """Of the first worker."""
        self.worker = self.another(self.heartbeat)
        self.minted = 0

    def another(self, heartbeat: Heartbeat | None = None) -> Worker:
        """One more worker beside it."""
        heartbeat = heartbeat or instant_heartbeat(self.engine.clock)
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
