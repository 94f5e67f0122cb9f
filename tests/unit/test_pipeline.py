"""The pipeline: every way a message can go is an ending, and every change is read back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from consumer.core.errors import (
    AccountSuspended,
    DamagedReply,
    DeniedByResource,
    NotAuthenticated,
    PermissionMissing,
    PublicAccessBlocked,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
    WrongEndpoint,
)
from consumer.core.observers import Hooks
from consumer.core.outcome import Ending, Outcome
from consumer.engine.change import READ_BACK_PAUSES_SECONDS
from consumer.engine.delivery import Delivery
from consumer.engine.pipeline import Pipeline
from consumer.guards.breaker import BreakerPolicy, LocalBreakers
from consumer.guards.chain import Guards
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.exemptions import Exemption
from consumer.guards.refusals import CERTAIN_SECONDS
from consumer.guards.rule import Mode, Rule, Selector
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.kind import BUCKETS
from tests.unit.bodies import ACCOUNT, VARIANTS, event_body, text_of
from tests.unit.fakes import Clock, FakeBucket, FakeBuckets, delivery, received, service_error

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
            [self.rule],
            self._open,
            account_id=ACCOUNT,
            default_region="cn-shanghai",
            work_budget_seconds=self.budget_seconds,
            guards=self.guards,
            monotonic=self.clock,
            hooks=hooks,
            pause=self.pause,
        )

    def _open(self, resource: object, until: Callable[[], float]) -> FakeBucket:
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


def dismissed(world: World, body: str) -> Ending:
    """The ending of a body that needs no look at a resource."""
    ending = world.triaged(body).ending
    assert ending is not None
    assert not world.opened
    return ending


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
def test_a_public_bucket_is_made_private_and_read_back(acl: str) -> None:
    """Inspect, apply, verify, in this order, and the ending says what was and what is."""
    world = World(acl=acl)
    ending = world.end()
    assert (ending.outcome, ending.before, ending.after) == (Outcome.FIXED, acl, "private")
    assert world.acl_now == "private"
    assert world.buckets.calls == ["info", "put_acl", "info"]
    assert world.opened == [(NAME, 1_030.0)]  # the lease, which is shorter than the budget


def test_a_private_bucket_is_left_alone() -> None:
    """The event is a hint: what is compliant by now is not touched."""
    world = World(acl="private")
    assert world.end().outcome is Outcome.ALREADY_COMPLIANT
    assert world.buckets.calls == ["info"]


@pytest.mark.parametrize(
    ("acl", "outcome", "now"),
    [
        ("public-read-write", Outcome.FIXED, "public-read"),
        ("public-read", Outcome.ALREADY_COMPLIANT, "public-read"),
        ("private", Outcome.ALREADY_COMPLIANT, "private"),
    ],
)
def test_taking_only_write_away_leaves_public_read(acl: str, outcome: Outcome, now: str) -> None:
    """A rule about writing does not break a public site."""
    world = World(acl=acl, drop="write")
    assert world.end().outcome is outcome
    assert world.acl_now == now


def test_observing_changes_nothing() -> None:
    """The same look, the same plan, and no change."""
    world = World(mode=Mode.OBSERVE)
    ending = world.end()
    assert (ending.outcome, ending.before, ending.after, ending.hold_seconds) == (
        Outcome.WOULD_FIX,
        "public-read",
        "private",
        60.0,
    )
    assert world.buckets.calls == ["info"]


def test_a_bucket_that_does_not_exist_is_not_created() -> None:
    """A late event for a deleted bucket ends as gone, without a request that could make one."""
    world = World(acl=None)
    assert world.end().outcome is Outcome.GONE
    assert world.buckets.calls == ["info"]
    assert world.acl_now is None


def test_a_bucket_of_another_owner_is_refused() -> None:
    """The live owner has to be the account of the event, whatever the event says."""
    world = World(owner_id="100200300400")
    ending = world.end()
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "not_owner")
    assert world.buckets.calls == ["info"]


def test_a_lease_lost_before_the_change_changes_nothing() -> None:
    """Somebody else has the message by now and may be repairing: we stop before the change."""
    world = World(ours=False)
    assert world.end().outcome is Outcome.LEASE_LOST
    assert world.buckets.calls == ["info"]
    assert world.acl_now == "public-read"


def test_requests_are_tried_again_only_while_the_delivery_is_ours() -> None:
    """What a bucket may still try follows the lease: renewed, it goes on to the budget's end; lost, it is over."""
    world = World()
    ends: list[float] = []
    found = world.triaged(event_body())
    world.before("info", lambda: ends.append(world.until()))
    world.before("put_acl", lambda: found.lease.renewed("h", 2_000.0))
    world.after("put_acl", lambda: ends.append(world.until()))
    world.pipeline.repair(found)
    found.lease.lose()
    assert ends == [1_030.0, 1_045.0]
    assert world.until() < 0


def test_a_lease_that_ends_while_the_journal_is_written_keeps_the_change_from_being_made() -> None:
    """A slow disk may take longer than the lease: what is still ours is looked at right before the request."""
    world = World()
    found = world.triaged(event_body())

    class SlowDisk:
        """Follows each step, and takes its time for the line before a change."""

        def received(self, _messages: object) -> None:
            """Not of interest here."""

        def report(self, _report: object) -> None:
            """Not of interest here."""

        def step(self, _step: object) -> None:
            """The lease ends meanwhile."""
            world.clock.advance(31.0)

    world.pipeline = world.made(Hooks((), (SlowDisk(),)))  # type: ignore[arg-type]
    assert world.pipeline.repair(found).outcome is Outcome.LEASE_LOST
    assert world.acl_now == "public-read"


def test_a_change_that_never_shows_is_made_once_and_overdue_in_the_end() -> None:
    """The service said yes, and the bucket reads as it was: looked at ever less often, nothing written anew, failed."""
    world = World()
    world.buckets.ignores_acl = True
    endings = [ending := world.end()]
    while ending.outcome is Outcome.HELD:
        world.clock.advance(ending.hold_seconds or 0)
        endings.append(ending := world.end())
    assert [ending.hold_seconds for ending in endings] == [2.0, 4.0, 8.0, 16.0, None]
    assert (ending.outcome, ending.reason, ending.after) == (Outcome.FAILED, "reads_back_old", "public-read")
    assert world.pauses == list(READ_BACK_PAUSES_SECONDS)
    assert world.buckets.calls.count("put_acl") == 1
    world.buckets.ignores_acl = False
    assert world.end().outcome is Outcome.FIXED, "what was overdue is made anew by the next attempt"


def shows_late(world: World, seconds: float) -> None:
    """The bucket shows its old ACL for so long after the change."""
    old = world.buckets.info[NAME]
    info = FakeBucket.info
    changed_at: list[float] = []
    world.after("put_acl", lambda: changed_at.append(world.clock()))

    def stale(bucket: FakeBucket) -> BucketInfo:
        now = info(bucket)
        return old if changed_at and world.clock() < changed_at[0] + seconds else now

    world.patch.setattr(FakeBucket, "info", stale)


@pytest.fixture
def late_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose reads may be made stale."""
    world = World()
    world.patch = monkeypatch
    return world


def test_a_change_that_shows_within_a_second_is_a_fix_at_once(late_world: World) -> None:
    """The worker waits so long and no longer."""
    shows_late(late_world, 0.9)
    assert late_world.end().outcome is Outcome.FIXED
    assert sum(late_world.pauses) <= 1.0


def test_a_change_that_shows_after_some_seconds_is_the_fix_of_a_later_delivery(late_world: World) -> None:
    """Settings may read back old for seconds after a 200: the worker is free meanwhile, and nothing is written anew."""
    shows_late(late_world, 5.0)
    held = late_world.end()
    assert (held.outcome, held.reason, held.hold_seconds) == (Outcome.HELD, "reads_back_old", 2.0)
    late_world.clock.advance(2.0)
    held = late_world.end()
    assert (held.outcome, held.reason, held.hold_seconds) == (Outcome.HELD, "reads_back_old", 4.0)
    late_world.clock.advance(4.0)
    ending = late_world.end()
    assert (ending.outcome, ending.before, ending.after) == (Outcome.FIXED, "public-read", "private")
    assert late_world.end().outcome is Outcome.ALREADY_COMPLIANT, "one change is one fix"
    assert late_world.buckets.calls.count("put_acl") == 1
    assert sum(late_world.pauses) <= 1.0


def test_no_worker_waits_while_another_change_does_not_show(late_world: World) -> None:
    """The second of two buckets is looked at once after its change."""
    late_world.buckets.ignores_acl = True
    late_world.buckets.add("another-bucket", "public-read", ACCOUNT)
    assert late_world.end().reason == "reads_back_old"
    waited = list(late_world.pauses)
    found = late_world.triaged(event_body(resourceId="another-bucket"))
    assert late_world.pipeline.repair(found).reason == "reads_back_old"
    assert late_world.pauses == waited


def test_a_late_fix_counts_towards_a_contest(late_world: World) -> None:
    """Somebody who breaks it after each fix is found out, however late the fixes show."""
    late_world.guards = Guards(contest=LocalContest(ContestPolicy(max_fixes=1, window_seconds=600)))
    late_world.pipeline = late_world.made(Hooks())
    shows_late(late_world, 5.0)
    assert late_world.end().outcome is Outcome.HELD
    late_world.clock.advance(6.0)
    assert late_world.end().outcome is Outcome.FIXED
    FakeBucket(late_world.buckets, NAME).put_acl("public-read")
    late_world.clock.advance(6.0)
    assert late_world.end().reason == "contested"


def test_a_late_fix_closes_the_breaker_whose_probe_it_was(late_world: World) -> None:
    """While each probe reads old nothing is known of the rule; the read-back later tells."""
    policy = BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0, cool_down_seconds=10)
    late_world.guards = Guards(breakers=LocalBreakers(policy), monotonic=late_world.clock)
    late_world.pipeline = late_world.made(Hooks())
    late_world.before("put_acl", service_error(Unavailable))
    assert late_world.end().outcome is Outcome.FAILED
    assert late_world.end().reason == "breaker_open"
    late_world.clock.advance(10.0)
    shows_late(late_world, 5.0)
    assert late_world.end().reason == "reads_back_old"
    assert late_world.guards.breakers.open_rules() == {"acl"}
    late_world.clock.advance(5.0)
    assert late_world.end().outcome is Outcome.FIXED
    assert late_world.guards.breakers.open_rules() == frozenset()


def test_a_bucket_that_was_made_anew_meanwhile_is_looked_at_for_its_own_sake(late_world: World) -> None:
    """The change that did not show was another bucket's: this one is repaired like any other."""
    late_world.buckets.ignores_acl = True
    assert late_world.end().reason == "reads_back_old"
    late_world.buckets.ignores_acl = False
    late_world.vanish()
    late_world.buckets.add(NAME, "public-read", ACCOUNT)
    assert late_world.end().outcome is Outcome.FIXED
    assert late_world.buckets.calls.count("put_acl") == 2


def test_what_somebody_else_has_written_meanwhile_is_repaired(late_world: World) -> None:
    """Neither the old state nor the wanted one: not ours to wait for."""
    late_world.buckets.ignores_acl = True
    assert late_world.end().reason == "reads_back_old"
    late_world.buckets.ignores_acl = False
    late_world.buckets.info[NAME] = replace(late_world.buckets.info[NAME], acl="public-read-write")
    ending = late_world.end()
    assert (ending.outcome, ending.before) == (Outcome.FIXED, "public-read-write")


def test_a_read_back_of_long_ago_is_forgotten(late_world: World) -> None:
    """A look an hour later is a first look: that the resource complies may be anybody's work."""
    late_world.buckets.ignores_acl = True
    assert late_world.end().reason == "reads_back_old"
    late_world.buckets.info[NAME] = replace(late_world.buckets.info[NAME], acl="private")
    late_world.clock.advance(3_600.0)
    assert late_world.end().outcome is Outcome.ALREADY_COMPLIANT


def test_reading_again_ends_with_the_work_budget(late_world: World) -> None:
    """No pause begins that would outlast it."""
    late_world.budget_seconds = 0.5
    late_world.__post_init__()
    shows_late(late_world, 60.0)
    assert late_world.end().reason == "reads_back_old"
    assert late_world.pauses == [0.3]


def test_a_stop_ends_reading_again(late_world: World) -> None:
    """The message is looked at in a moment by whoever gets it."""
    late_world.stops_after = 0
    shows_late(late_world, 60.0)
    assert late_world.end().reason == "reads_back_old"
    assert late_world.pauses == [0.3]


def test_stale_reads_do_not_open_the_breaker() -> None:
    """Twenty accepted changes that still read old say nothing about whether changing works; the next one is made."""
    world = World(guards=Guards(breakers=LocalBreakers(BreakerPolicy(attempts=20, min_attempts=5))))
    world.buckets.ignores_acl = True
    for number in range(20):
        world.buckets.add(f"bucket-{number}", "public-read", ACCOUNT)
        found = world.triaged(event_body(resourceId=f"bucket-{number}"))
        assert world.pipeline.repair(found).reason == "reads_back_old"
    world.buckets.ignores_acl = False
    assert world.end().outcome is Outcome.FIXED


def test_a_bucket_made_public_again_before_the_read_back_is_no_success() -> None:
    """What counts is the live state at the end, not the request."""
    world = World()
    public = world.buckets.info[NAME]
    world.after("put_acl", lambda: world.buckets.info.update({NAME: public}))
    assert world.end().outcome is Outcome.HELD


def test_a_bucket_that_reads_back_as_something_else_is_not_verified() -> None:
    """Neither the old state nor a compliant one: somebody else writes too, and waiting would not help."""
    world = World()
    other = replace(world.buckets.info[NAME], acl="public-read-write")
    world.after("put_acl", lambda: world.buckets.info.update({NAME: other}))
    ending = world.end()
    assert (ending.outcome, ending.reason) == (Outcome.FAILED, "not_verified")
    assert world.pauses == []


def test_a_repair_that_creates_no_bucket_takes_none_away() -> None:
    """Its owner deleted the bucket and made it anew while we changed a setting: that is no accident of ours."""
    world = World()
    world.rule.remediation.recover = lambda _bucket, _before: None  # type: ignore[method-assign]
    world.before("put_acl", lambda: world.buckets.add(NAME, "public-read"))
    assert world.end().outcome is Outcome.FIXED
    assert "delete" not in world.buckets.calls
    assert world.acl_now == "private"


def test_after_an_unanswered_change_a_bucket_of_somebody_else_stays() -> None:
    """The name is another account's by now: not created by us, and never ours to take away."""
    world = World()
    other = BucketInfo("100200300400", "cn-beijing", "2031-01-01T00:00:00.000Z", "public-read")
    world.before("put_acl", lambda: world.buckets.info.update({NAME: other}))
    world.after("put_acl", service_error(Unanswered))
    assert world.end().outcome is Outcome.FAILED
    assert "delete" not in world.buckets.calls


def exempting(region: str) -> Guards:
    """Guards that leave everything in one region alone."""
    return Guards(exemptions=[Exemption("sandbox", "owner", "reason", float("inf"), regions=frozenset({region}))])


def test_guards_are_asked_about_the_region_where_the_bucket_is() -> None:
    """The event names Beijing and the bucket lives in Hangzhou: what is said about Hangzhou counts."""
    world = World(guards=exempting("cn-hangzhou"))
    world.buckets.info[NAME] = replace(world.buckets.info[NAME], region="cn-hangzhou")
    assert world.end().outcome is Outcome.EXEMPT


def test_without_a_region_of_its_own_the_bucket_is_where_we_address_it() -> None:
    """Neither the event nor the service says where it is: guards are asked about the configured region."""
    world = World(guards=exempting("cn-shanghai"))
    world.buckets.info[NAME] = replace(world.buckets.info[NAME], region="")
    found = world.triaged(text_of(VARIANTS["oldest"]))
    assert world.pipeline.repair(found).outcome is Outcome.EXEMPT


def test_a_bucket_created_by_the_change_is_taken_back() -> None:
    """Deleted between the look and the change, PutBucketAcl creates it: the accident is undone."""
    world = World()
    world.before("put_acl", world.vanish)
    ending = world.end()
    assert (ending.outcome, ending.reason) == (Outcome.GONE, "taken_back")
    assert world.acl_now is None
    assert world.buckets.calls == ["info", "put_acl", "info", "info", "delete"], "looked at once more before it goes"


@pytest.mark.parametrize("error", [Unanswered, DamagedReply, Unavailable])
def test_a_bucket_created_by_a_change_without_an_answer_is_taken_back(error: type[ServiceError]) -> None:
    """Unanswered is not undone: the look after it finds the accident, and a later delivery finds the bucket gone."""
    world = World()
    world.before("put_acl", world.vanish)
    world.after("put_acl", service_error(error))
    assert world.end().outcome is Outcome.FAILED
    assert world.acl_now is None
    assert world.end().outcome is Outcome.GONE


def test_a_change_without_an_answer_to_the_same_bucket_takes_nothing_away() -> None:
    """The bucket was there all the time: it stays, and the next delivery finds it compliant."""
    world = World()
    world.after("put_acl", service_error(Unanswered))
    assert world.end().outcome is Outcome.FAILED
    assert "delete" not in world.buckets.calls
    assert world.end().outcome is Outcome.ALREADY_COMPLIANT


def test_a_new_bucket_that_is_in_use_stays() -> None:
    """Its owner has made it anew and put something in: DeleteBucket is refused, and the new bucket is judged."""
    world = World()
    world.before("put_acl", world.vanish)
    world.buckets.not_empty.add(NAME)
    assert world.end().outcome is Outcome.FIXED
    assert world.acl_now == "private"


def test_an_accident_that_may_not_be_undone_is_named() -> None:
    """Without the permission to delete, the empty bucket stays, and the ending says so."""
    world = World()
    world.before("put_acl", world.vanish)
    world.before("delete", service_error(PermissionMissing, "AccessDenied"))
    ending = world.end()
    assert (ending.outcome, ending.reason) == (Outcome.GONE, "created_by_accident")


def test_an_accident_that_was_already_undone_is_gone() -> None:
    """Somebody was faster to delete what we had created."""
    world = World()
    world.before("put_acl", world.vanish)
    world.before("delete", world.vanish)
    assert world.end().outcome is Outcome.GONE


def test_a_bucket_that_somebody_else_owns_by_now_is_never_deleted() -> None:
    """The name was freed and taken by another account: what we look at at the end is not ours to take away."""
    world = World()
    other = BucketInfo("100200300400", "cn-beijing", "2031-01-01T00:00:00.000Z", "public-read")
    world.after("put_acl", lambda: world.buckets.info.update({NAME: other}))
    ending = world.end()
    assert ending.outcome is Outcome.GONE
    assert "delete" not in world.buckets.calls
    assert world.buckets.info[NAME] is other


def test_a_bucket_deleted_right_after_the_change_is_gone() -> None:
    """Nothing to read back is not a failure."""
    world = World()
    world.after("put_acl", world.vanish)
    assert world.end().outcome is Outcome.GONE


PASSING = [Throttled, Unavailable, Unanswered, DamagedReply, NotAuthenticated, AccountSuspended]


@pytest.mark.parametrize("operation", ["info", "put_acl"])
@pytest.mark.parametrize("kind", PASSING)
def test_what_may_pass_is_a_failure_worth_another_try(kind: type[ServiceError], operation: str) -> None:
    """Throttling, outages, damaged replies, credentials and suspended accounts are tried on a later delivery."""
    world = World()
    world.before(operation, service_error(kind, "TheCode"))
    ending = world.end()
    assert (ending.outcome, ending.reason, ending.error_class) == (Outcome.FAILED, "TheCode", kind.__name__)


@pytest.mark.parametrize("operation", ["info", "put_acl"])
@pytest.mark.parametrize("kind", [DeniedByResource, PublicAccessBlocked])
def test_what_the_service_will_always_refuse_is_rejected(kind: type[ServiceError], operation: str) -> None:
    """Asked again, it would say no again."""
    world = World()
    world.before(operation, service_error(kind, "AccessDenied"))
    ending = world.end()
    assert (ending.outcome, ending.reason, ending.error_class) == (Outcome.REJECTED, "AccessDenied", kind.__name__)
    assert ending.resource_alone
    assert world.acl_now == "public-read"


@pytest.mark.parametrize("operation", ["info", "put_acl"])
def test_a_missing_permission_is_not_the_messages_fault(operation: str) -> None:
    """It is kept until somebody has granted the action that the ending names, and tried again within minutes."""
    world = World()
    world.before(operation, PermissionMissing("oss", "TheOperation", "AccessDenied", "no"))
    ending = world.end()
    assert (ending.outcome, ending.reason, ending.missing_action) == (
        Outcome.HELD,
        "permission_missing",
        "oss:TheOperation",
    )
    assert ending.hold_seconds is not None
    assert ending.hold_seconds <= 300
    assert world.acl_now == "public-read"


def test_a_refusal_that_is_the_buckets_own_is_given_up_once_that_is_certain() -> None:
    """The action works on another bucket, and goes on being refused here: granting more would not help."""
    clock = Clock()
    world = World(guards=Guards(monotonic=clock))
    refused = PermissionMissing("oss", "PutBucketAcl", "AccessDenied", "no")

    def look() -> Outcome:
        world.before("put_acl", refused)
        return world.end().outcome

    def works_elsewhere() -> None:
        world.guards.refusals.worked(BUCKETS.resource(ACCOUNT, "cn-beijing", "another"), ["oss:PutBucketAcl"], clock())

    assert look() is Outcome.HELD
    clock.advance(300)
    works_elsewhere()
    assert look() is Outcome.HELD
    clock.advance(CERTAIN_SECONDS)
    works_elsewhere()
    assert look() is Outcome.REJECTED


def test_what_a_look_was_granted_counts_as_working() -> None:
    """So that a refusal on another bucket can be told from a permission that is missing."""
    clock = Clock()
    world = World(guards=Guards(monotonic=clock))
    refusals = world.guards.refusals
    assert not refusals.resource_alone(BUCKETS.resource(ACCOUNT, "cn-beijing", "theirs"), "oss:PutBucketAcl", clock())
    clock.advance(1)
    world.end()
    assert not refusals.resource_alone(BUCKETS.resource(ACCOUNT, "cn-beijing", "theirs"), "oss:PutBucketAcl", clock())
    clock.advance(CERTAIN_SECONDS)
    refusals.worked(BUCKETS.resource(ACCOUNT, "cn-beijing", "another"), ["oss:PutBucketAcl"], clock())
    assert refusals.resource_alone(BUCKETS.resource(ACCOUNT, "cn-beijing", "theirs"), "oss:PutBucketAcl", clock())


def test_a_wrong_endpoint_is_worth_another_try() -> None:
    """It shares 403 AccessDenied with a missing permission and must not be treated as one."""
    world = World()
    world.before("info", WrongEndpoint("oss", "GetBucketInfo", "elsewhere", endpoint="oss-cn-hangzhou.aliyuncs.com"))
    assert world.end().outcome is Outcome.FAILED


@pytest.mark.parametrize("operation", ["info", "put_acl"])
@pytest.mark.parametrize("fault", [ZeroDivisionError("x"), RecursionError(), KeyError("k"), ValueError()])
def test_a_fault_inside_a_remediation_is_an_ending(fault: Exception, operation: str) -> None:
    """A bug in one repair is that message's failure and nobody else's."""
    world = World()
    world.before(operation, fault)
    ending = world.end()
    assert (ending.outcome, ending.reason, ending.error_class) == (
        Outcome.FAILED,
        "internal_error",
        type(fault).__name__,
    )


def test_a_read_back_that_fails_is_no_success() -> None:
    """Changed but not verified: the next delivery will find it compliant."""
    world = World()
    info = FakeBucket.info
    seen: list[BucketInfo] = []

    def second_fails(bucket: FakeBucket) -> BucketInfo:
        if seen:
            raise service_error(Unanswered)
        seen.append(info(bucket))
        return seen[0]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FakeBucket, "info", second_fails)
        assert world.end().outcome is Outcome.FAILED
    assert world.acl_now == "private"


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        ("", Outcome.INVALID, "empty"),
        ("{}", Outcome.INVALID, "missing_field"),
        (text_of({"eventType": "SnapshotDelivery"}), Outcome.NOT_OURS, "other_message"),
        (event_body(resourceType="ACS::RDS::DBInstance"), Outcome.NOT_OURS, "no_rule"),
        (event_body(resourceType="ACS::ECS::Instance"), Outcome.REJECTED, "wrong_resource_type"),
        (event_body(resourceOwnerId="100200300400"), Outcome.REJECTED, "account_not_allowed"),
        *[
            (event_body(resourceId=name), Outcome.REJECTED, "invalid_bucket_name")
            for name in ("evil.example/x#", "..", "a@b", "A-Bucket", "b", "-ab", "ab-", "a_b", "x" * 64, "a.b.c",
                         "b\u00fccket", "\uff41bc", "\u0430bc", "bucket?acl", "bucket/../other", "a b c")
        ],
    ],
)  # fmt: skip
def test_what_needs_no_look_at_a_resource_is_dismissed(body: str, outcome: Outcome, reason: str) -> None:
    """Undecodable, not ours, or never to be acted on: no bucket is opened."""
    ending = dismissed(World(), body)
    assert (ending.outcome, ending.reason) == (outcome, reason)


def test_an_event_without_a_region_is_looked_up_in_the_configured_one() -> None:
    """The oldest events name no region."""
    resource = World().triaged(text_of(VARIANTS["oldest"])).resource
    assert resource is not None
    assert resource.region == "cn-shanghai"
