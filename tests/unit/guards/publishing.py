"""A public bucket with rules and an evaluator, and the ending of whatever is published about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from consumer.core.errors import ServiceError, Unanswered
from consumer.core.evaluation import Judgement, Subject
from consumer.core.message import Received
from consumer.core.observers import Hooks
from consumer.core.outcome import Ending
from consumer.engine.change import ChangeMaker
from consumer.engine.pipeline import Pipeline
from consumer.engine.routing import Routing
from consumer.guards.chain import Guards
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from consumer.resources.base import Resource
from tests.unit.bodies import ACCOUNT, CURRENT, QUALIFIER, changed, text_of
from tests.unit.fakes import Clock, FakeBucket, FakeBuckets, delivery, received

NAME = "a-public-bucket"
NOW = 1_700_000_000_000
LIVE, FORGED = "cn-beijing", "cn-shanghai"
RULE_ID = "cr-b9046457e0d9003f0001"
OTHER = "9876543210987654"


class OneWay(BucketAcl):
    """A repair that can never be taken back."""

    one_way: ClassVar[bool] = True


@dataclass
class Evaluator:
    """What Cloud Config says about the bucket."""

    compliance: str = "NON_COMPLIANT"
    rule_id: str = RULE_ID
    managed: str = "oss-bucket-public-read-prohibited"
    silent: bool = False
    """Whether it does not say which rule one is."""
    failure: ServiceError | None = None
    asked: list[Subject] = field(default_factory=list)

    def judgements(self, subject: Subject) -> tuple[Judgement, ...]:
        """The newest results."""
        self.asked.append(subject)
        if self.failure is not None:
            raise self.failure
        return (Judgement(self.rule_id, self.compliance, 1),)

    def identifier(self, config_rule_id: str) -> str:
        """The managed rule behind one."""
        assert config_rule_id == self.rule_id
        if self.silent:
            raise Unanswered("config", "GetConfigRule", "timeout", "no answer")
        return self.managed


@dataclass
class Scene:
    """A public bucket in one region, and rules."""

    rules: tuple[Rule, ...]
    guards: Guards = field(default_factory=Guards)
    acl: str = "public-read"
    buckets: FakeBuckets = field(default_factory=FakeBuckets)
    opened: list[Resource] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.buckets.add(NAME, self.acl)
        self.pipeline = Pipeline(
            Routing(self.rules, {ACCOUNT, OTHER}, "cn-hangzhou"),
            self._open,
            self.guards,
            ChangeMaker(Hooks(), monotonic=Clock()),
            work_budget_seconds=45.0,
            monotonic=Clock(),
        )

    def _open(self, resource: Resource, _until: Callable[[], float]) -> FakeBucket:
        self.opened.append(resource)
        return FakeBucket(self.buckets, resource.resource_id)

    def publish(self, **fields: object) -> tuple[str, Ending]:
        """The rule's name and the ending of an event with these fields; a name with a dot is a whole path."""
        document = CURRENT
        for name, value in fields.items():
            document = changed(document, name if name in CURRENT else f"{QUALIFIER}.{name}", value)
        return self.end(text_of(document))

    def end(self, body: str) -> tuple[str, Ending]:
        """The rule's name and the ending of a body."""
        return self.receive(received(body=body))

    def receive(self, message: Received) -> tuple[str, Ending]:
        """The rule's name and the ending of a message."""
        one = delivery(Clock(), message)
        self.pipeline.triage(one)
        ending = one.ending or self.pipeline.repair(one)
        return one.rule.name if one.rule else "", ending

    @property
    def changed(self) -> bool:
        """Whether any bucket was changed."""
        return "put_acl" in self.buckets.calls


def rule(name: str, mode: Mode = Mode.ENFORCE, *, one_way: bool = False, **selector: object) -> Rule:
    """A rule that makes buckets private."""
    kind = OneWay if one_way else BucketAcl
    return Rule(name, Selector(**selector), kind(BucketAclOptions()), mode, 60.0)  # type: ignore[arg-type]


def by_region(live: Mode, forged: Mode) -> Scene:
    """One rule for the bucket's own region, one for another."""
    return Scene(
        (
            rule("forged", forged, regions=frozenset({FORGED})),
            rule("live", live, regions=frozenset({LIVE})),
        )
    )
