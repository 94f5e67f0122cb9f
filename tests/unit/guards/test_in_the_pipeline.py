"""Guards in their place: what is asked before the look, and what each way a change can go tells them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from consumer.core.errors import (
    DeniedByResource,
    PermissionMissing,
    PublicAccessBlocked,
    ServiceError,
    Throttled,
    Unanswered,
)
from consumer.core.observers import Hooks
from consumer.core.outcome import Ending, Outcome
from consumer.engine.change import ChangeMaker
from consumer.engine.pipeline import Pipeline
from consumer.engine.routing import Routing
from consumer.guards.breaker import BreakerPolicy, LocalBreakers
from consumer.guards.chain import Guards
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.exemptions import Exemption
from consumer.guards.limits import Limit, LocalLimits
from consumer.guards.memory import GuardMemory
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from tests.unit.bodies import ACCOUNT, event_body
from tests.unit.fakes import Clock, FakeBucket, FakeBuckets, delivery, received, service_error

NAME = "a-public-bucket"
OTHER = "9876543210987654"


@dataclass
class Scene:
    """One public bucket, one rule, guards, and an event about the bucket."""

    guards: Guards
    members: tuple[str, ...] = ()
    account_id: str = ACCOUNT
    buckets: FakeBuckets = field(default_factory=FakeBuckets)
    clock: Clock = field(default_factory=Clock)
    opened: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.buckets.add(NAME, "public-read")
        rule = Rule("acl", Selector(), BucketAcl(BucketAclOptions()), Mode.ENFORCE, 60.0)
        self.pipeline = Pipeline(
            Routing([rule], {self.account_id, *self.members}, "cn-shanghai"),
            self._open,
            self.guards,
            ChangeMaker(Hooks(), monotonic=self.clock, pause=lambda _seconds: None),
            work_budget_seconds=45.0,
            monotonic=self.clock,
        )

    def _open(self, resource: object, _until: Callable[[], float]) -> FakeBucket:
        self.opened.append(resource)
        return FakeBucket(self.buckets, NAME)

    def end(self, *, ours: bool = True) -> Ending:
        """The ending of the event."""
        found = delivery(self.clock, received(body=event_body(), seconds=float("inf") if ours else 0.0))
        self.pipeline.triage(found)
        return found.ending or self.pipeline.repair(found)


def limited() -> Guards:
    """Guards that let one change through."""
    return Guards(GuardMemory(limits=LocalLimits(Limit(1, 60))), monotonic=Clock())


def test_an_exempt_resource_is_not_even_opened() -> None:
    """What the event says is enough, so nobody is asked anything."""
    scene = Scene(Guards(exemptions=[Exemption("e", "o", "r", float("inf"), resources=("a-public-*",))]))
    assert scene.end().outcome is Outcome.EXEMPT
    assert scene.opened == []


def test_tags_are_not_read_for_a_resource_that_is_compliant_by_now() -> None:
    """Guards that need a look are asked about real changes only."""
    scene = Scene(Guards(exemptions=[Exemption("e", "o", "r", float("inf"), tags=(("public", "yes"),))]))
    FakeBucket(scene.buckets, NAME).put_acl("private")
    scene.buckets.calls.clear()
    assert scene.end().outcome is Outcome.ALREADY_COMPLIANT
    assert "tags" not in scene.buckets.calls


def test_a_bucket_exempt_by_its_tags_is_not_changed() -> None:
    """Its live tags are read before the change."""
    scene = Scene(Guards(exemptions=[Exemption("e", "o", "r", float("inf"), tags=(("public", "yes"),))]))
    scene.buckets.settings[NAME, "tags"] = {"public": "yes"}
    assert scene.end().outcome is Outcome.EXEMPT
    assert "put_acl" not in scene.buckets.calls


@pytest.mark.parametrize(
    ("failure", "made"),
    [
        (service_error(PermissionMissing, "AccessDenied"), 0),
        (service_error(Unanswered, "timeout"), 1),
        (service_error(Throttled, "QpsLimitExceeded"), 1),
    ],
)
def test_only_a_change_that_was_certainly_not_made_gives_its_place_back(failure: ServiceError, made: int) -> None:
    """A request without an answer may have taken effect, so it counts; a refusal has not."""
    scene = Scene(limited())
    scene.buckets.before["put_acl"] = deque([failure])
    assert scene.end().outcome in (Outcome.FAILED, Outcome.HELD)
    assert scene.guards.changes_in_window() == {"": made}


@pytest.mark.parametrize("kind", [PublicAccessBlocked, DeniedByResource, PermissionMissing])
def test_refusals_that_say_nothing_about_others_do_not_stop_the_rule(kind: type[ServiceError]) -> None:
    """Whoever makes buckets that refuse a change has no lever against the repair of all the others."""
    guards = Guards(GuardMemory(breakers=LocalBreakers(BreakerPolicy(attempts=1, min_attempts=1))), monotonic=Clock())
    scene = Scene(guards)
    for _ in range(10):
        scene.buckets.before["put_acl"] = deque([service_error(kind, "AccessDenied")])
        assert scene.end().outcome is not Outcome.FIXED
    assert not guards.breakers.open_rules()
    assert scene.end().outcome is Outcome.FIXED


def test_a_lost_lease_gives_the_place_back() -> None:
    """Nothing was changed."""
    scene = Scene(limited())
    assert scene.end(ours=False).outcome is Outcome.LEASE_LOST
    assert scene.guards.changes_in_window() == {"": 0}


def test_a_fault_of_our_own_never_keeps_a_place_or_a_probe_for_ever() -> None:
    """Whatever is raised between permit and ending, the guards hear of it."""
    guards = Guards(
        GuardMemory(
            limits=LocalLimits(Limit(1, 60)),
            breakers=LocalBreakers(BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0)),
        ),
        monotonic=Clock(),
    )
    scene = Scene(guards)
    scene.buckets.before["put_acl"] = deque([RuntimeError("a defect")])
    assert scene.end().reason == "internal_error"
    assert guards.changes_in_window() == {"": 1}
    assert "acl" in guards.breakers.open_rules()


def test_only_a_verified_fix_counts_towards_a_contest() -> None:
    """A change that does not read back is a failure and no fight with anybody."""
    guards = Guards(GuardMemory(contest=LocalContest(ContestPolicy(max_fixes=1, window_seconds=60))), monotonic=Clock())
    scene = Scene(guards)
    other = replace(scene.buckets.info[NAME], acl="public-read-write")
    scene.buckets.after["put_acl"] = deque([lambda: scene.buckets.info.update({NAME: other})])
    assert scene.end().reason == "not_verified"
    assert scene.end().outcome is Outcome.FIXED
    FakeBucket(scene.buckets, NAME).put_acl("public-read")
    assert scene.end().reason == "contested"


@pytest.mark.parametrize(("members", "outcome"), [((), Outcome.REJECTED), ((ACCOUNT,), Outcome.FIXED)])
def test_an_account_has_to_be_allowed(members: tuple[str, ...], outcome: Outcome) -> None:
    """Asked by a worker of another account, the event's account is repaired only if it is a member."""
    scene = Scene(Guards(), members, account_id=OTHER)
    ending = scene.end()
    assert ending.outcome is outcome
    assert bool(scene.opened) is (outcome is Outcome.FIXED)
