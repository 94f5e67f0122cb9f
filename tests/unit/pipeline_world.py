"""Buckets, a rule and a pipeline: what the tests of the pipeline set their scenes with."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from consumer.core.observers import Hooks
from consumer.core.outcome import Ending
from consumer.engine.change import ChangeMaker
from consumer.engine.delivery import Delivery
from consumer.engine.pipeline import Pipeline
from consumer.engine.routing import Routing
from consumer.guards.chain import Guards
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from tests.unit.bodies import ACCOUNT, event_body
from tests.unit.fakes import Clock, FakeBucket, FakeBuckets, delivery, received

NAME = "a-public-bucket"
Happening = Exception | Callable[[], None]


@dataclass
class World:
    """Buckets, a rule and a pipeline."""

    mode: Mode = Mode.ENFORCE
    drop: str = "all"
    acl: str | None = "public-read"
    owner_id: str = ACCOUNT
    ours: bool = True
    buckets: FakeBuckets = field(default_factory=FakeBuckets)
    guards: Guards = field(default_factory=Guards)
    budget_seconds: float = 45.0
    stops_after: int = 1_000
    """Pauses after which the process is stopping."""
    first_rules: tuple[Rule, ...] = ()
    """Rules that stand before this one in the configuration."""

    def __post_init__(self) -> None:
        if self.acl:
            self.buckets.add(NAME, self.acl, self.owner_id)
        remediation = BucketAcl(BucketAclOptions(drop=self.drop))  # type: ignore[arg-type]
        selector = Selector(resource_types=frozenset({"ACS::OSS::Bucket", "ACS::ECS::Instance"}))
        self.rule = Rule("acl", selector, remediation, self.mode, 60.0)
        self.opened: list[tuple[str, float]] = []
        self.until: Callable[[], float] = lambda: 0.0
        self.clock = Clock(1_000.0)
        self.pauses: list[float] = []
        self.pipeline = self.made(Hooks())

    def made(self, hooks: Hooks) -> Pipeline:
        """A pipeline that these hooks follow."""
        return Pipeline(
            Routing([*self.first_rules, self.rule], {ACCOUNT}, "cn-shanghai"),
            self._open,
            self.guards,
            ChangeMaker(hooks, monotonic=self.clock, pause=self.pause),
            work_budget_seconds=self.budget_seconds,
            monotonic=self.clock,
        )

    def _open(self, resource: object, until: Callable[[], float]) -> FakeBucket:
        self.buckets.happen(self.buckets.before, "open")
        self.until = until
        self.opened.append((resource.resource_id, until()))  # type: ignore[attr-defined]
        return FakeBucket(self.buckets, resource.resource_id)  # type: ignore[attr-defined]

    def before(self, operation: str, *happenings: Happening) -> None:
        """What happens before the next calls of an operation."""
        self.buckets.before[operation] = deque(happenings)

    def after(self, operation: str, *happenings: Happening) -> None:
        """What happens after the next calls of an operation have taken effect."""
        self.buckets.after[operation] = deque(happenings)

    def vanish(self) -> None:
        """Somebody deletes the bucket."""
        self.buckets.info.pop(NAME, None)

    def pause(self, seconds: float) -> bool:
        """Time passes; true when the process is stopping."""
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        return len(self.pauses) > self.stops_after

    def triaged(self, body: str) -> Delivery:
        """A delivery of a body, after its triage."""
        found = delivery(self.clock, received(body=body))
        if not self.ours:
            found.lease.lose()
        self.pipeline.triage(found)
        return found

    def end(self) -> Ending:
        """The ending of one event about the bucket."""
        found = self.triaged(event_body())
        return found.ending or self.pipeline.repair(found)

    @property
    def acl_now(self) -> str | None:
        """The live ACL, or None if the bucket does not exist."""
        info = self.buckets.info.get(NAME)
        return info.acl if info else None
