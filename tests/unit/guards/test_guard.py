"""The guards together: their order, and what each says about a change it keeps back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from consumer.core.errors import PermissionMissing, ResourceGone, ServiceError, SharedUnreachable, Throttled
from consumer.core.event import Event
from consumer.core.outcome import SETTLED_BY, Ending, Outcome, Settlement
from consumer.guards.breaker import BreakerPolicy, LocalBreakers
from consumer.guards.chain import HOLDS, Guards, Intent, Permit
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.exemptions import Exemption
from consumer.guards.limits import Limit, LocalLimits
from consumer.guards.memory import GuardMemory
from consumer.guards.rule import Mode, Rule
from consumer.remediations.oss.acl import BucketAclOptions
from consumer.resources.base import Resource
from tests.unit.fakes import Clock
from tests.unit.guards.cases import PHOTOS, conclude, ended, intent, never_read, permitted, refused, rule
from tests.unit.guards.publishing import OneWay
from tests.unit.telemetry.records import event

TAGGED = Exemption("sites", "web", "public", 2_000.0, tags=(("public", "yes"),))
NAMED = Exemption("static", "web-team", "Serves the site", 2_000.0, resources=("photos",))


def guards(**given: object) -> Guards:
    """Guards at a moment before every exemption's end."""
    clock = Clock(1_000.0)
    memory = GuardMemory(**{name: given.pop(name) for name in ("limits", "breakers", "contest") if name in given})  # type: ignore[arg-type]
    return Guards(memory, **{"monotonic": clock, "wall": clock, **given})  # type: ignore[arg-type]


CONFIRMED = event()


def one_way(wanted_by: Event | None) -> Intent:
    """A change that can never be taken back."""
    return replace(intent(), rule=replace(rule(), remediation=OneWay(BucketAclOptions())), event=wanted_by)


def held(reason: str, detail: str, seconds: float) -> Ending:
    """The change of these tests, kept back."""
    return Ending(Outcome.HELD, reason, detail, "public-read", "private", hold_seconds=seconds)


def test_enforcing_has_no_objection() -> None:
    """A rule that enforces gets a permit, and nobody asks for tags that decide nothing."""
    assert isinstance(guards().permit(intent(), never_read), Permit)


def test_observing_ends_with_what_would_have_been_done() -> None:
    """A rule that observes tells both states, keeps the message, and hides it for the rule's own time."""
    ending = refused(guards(), intent(Mode.OBSERVE))

    assert ending == Ending(
        Outcome.WOULD_FIX, "observe_mode", "the rule only observes", "public-read", "private", hold_seconds=77.0
    )
    assert SETTLED_BY[ending.outcome] is Settlement.HOLD


def test_observing_tells_what_a_limit_would_have_done() -> None:
    """The rule's own limit is rehearsed: what is over it is still counted as would_fix, and says so."""
    limited = guards(limits=LocalLimits(None, {"public-read": Limit(1, 60)}))
    other = intent(Mode.OBSERVE, bucket=replace(PHOTOS, resource_id="videos"))

    assert refused(limited, intent(Mode.OBSERVE)).detail == "the rule only observes"
    assert refused(limited, intent(Mode.OBSERVE)).detail == "the rule only observes"  # the same resource again
    over = refused(limited, other)
    assert (over.outcome, over.reason) == (Outcome.WOULD_FIX, "observe_mode")
    assert over.detail == (
        "the rule only observes; enforcing, the rule's limit of 1 changes in 60 s would have held it back"
    )
    assert limited.changes_in_window() == {"public-read": 0}


def test_an_exemption_names_itself_its_reason_and_its_owner() -> None:
    """Whoever reads the log knows whom to ask."""
    ending = guards(exemptions=[NAMED]).before_look(rule(), PHOTOS, "cn-hangzhou")

    assert ending == Ending(Outcome.EXEMPT, "exemption", "exemption static: Serves the site (owner: web-team)")


@pytest.mark.parametrize(
    ("fits", "given"),
    [
        (True, {"rules": frozenset({"public-read"}), "regions": frozenset({"cn-hangzhou"}), "resources": ("photos",)}),
        (False, {"rules": frozenset({"other"})}),
        (False, {"regions": frozenset({"cn-beijing"})}),
        (False, {"resources": ("videos",)}),
    ],
)
def test_an_exemption_is_one_of_a_rule_a_resource_and_a_region(fits: bool, given: dict[str, Any]) -> None:
    """Before the look and after it."""
    exempt = guards(exemptions=[Exemption("static", "web", "public", 2_000.0, **given)])

    before = exempt.before_look(rule(), PHOTOS, "cn-hangzhou")
    after = exempt.permit(intent(), never_read)
    assert [isinstance(found, Ending) for found in (before, after)] == [fits, fits]


def test_an_exemption_by_tags_waits_for_the_look() -> None:
    """What the event says cannot decide about tags; the live tags can."""
    by_tags = guards(exemptions=[TAGGED])

    assert by_tags.before_look(rule(), PHOTOS, "cn-hangzhou") is None
    tagged = by_tags.permit(intent(Mode.OBSERVE), lambda: {"public": "yes"})
    assert isinstance(tagged, Ending)
    assert tagged.outcome is Outcome.EXEMPT
    permitted(by_tags)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(
    ("failure", "detail", "missing"),
    [
        (
            PermissionMissing("oss", "GetBucketTags", "AccessDenied", "no"),
            "oss GetBucketTags: AccessDenied: no",
            "oss:GetBucketTags",
        ),
        (Throttled("oss", "GetBucketTags", "QpsLimit", "too many"), "oss GetBucketTags: QpsLimit: too many", ""),
    ],
)
def test_unreadable_tags_hold_the_change(mode: Mode, failure: ServiceError, detail: str, missing: str) -> None:
    """If it cannot be told whether the bucket is exempt, it is left alone; a permission that is missing is named."""

    def unreadable() -> dict[str, str]:
        raise failure

    ending = guards(exemptions=[TAGGED]).permit(intent(mode), unreadable)

    assert isinstance(ending, Ending)
    assert ending == Ending(
        Outcome.HELD,
        "tags_unreadable",
        f"an exemption selects by tags, and they cannot be read: {detail}",
        "public-read",
        "private",
        hold_seconds=77.0,
        missing_action=missing,
    )
    assert SETTLED_BY[ending.outcome] is Settlement.HOLD


def test_a_bucket_that_vanished_before_its_tags_were_read_is_gone() -> None:
    """That is no failure to read tags."""

    def gone() -> dict[str, str]:
        raise ResourceGone("oss", "GetBucketTags", "NoSuchBucket", "gone")

    with pytest.raises(ResourceGone):
        guards(exemptions=[TAGGED]).permit(intent(), gone)


def test_a_pause_holds_what_would_be_changed_and_nothing_else() -> None:
    """A paused rule that observes goes on observing."""
    paused = guards(held_by=lambda: "a signal")

    assert refused(paused) == held("paused", "changes are paused by a signal", 77.0)
    assert refused(paused, intent(Mode.OBSERVE)).outcome is Outcome.WOULD_FIX


def test_what_is_held_before_the_limit_takes_no_place() -> None:
    """Pause, contest and breaker come first, so that a place is only taken for a change that is made."""
    open_at_once = BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0, cool_down_seconds=60.0)
    limited = guards(breakers=LocalBreakers(open_at_once), limits=LocalLimits(Limit(2, 60)))
    conclude(permitted(limited), ended(Outcome.FAILED, "timeout"))

    assert refused(limited) == held("breaker_open", "too many of the rule's changes failed", 60.0)
    assert limited.changes_in_window() == {"": 1}


def test_a_contest_is_reported_with_the_time_it_lasts() -> None:
    """After so many verified fixes the next change is held, for the rule's time at most."""
    contested = guards(contest=LocalContest(ContestPolicy(max_fixes=2, window_seconds=50)))
    for _ in range(2):
        conclude(permitted(contested), ended(Outcome.FIXED))

    assert refused(contested) == held(
        "contested", "somebody keeps breaking it after every fix; only a person can end that", 50
    )
    assert contested.contested() == {"public-read": 1}
    assert refused(contested, intent(Mode.OBSERVE)).outcome is Outcome.WOULD_FIX


class Unreadable(LocalContest):
    """What replicas share, while it does not answer."""

    def __init__(self) -> None:
        super().__init__(ContestPolicy())

    def found_broken(self, rule: str, resource: Resource, now: float) -> float:
        """It cannot be told."""
        raise SharedUnreachable(f"no answer: {rule}, {resource.resource_id}, {now}")


def test_a_contest_that_cannot_be_known_holds_the_change() -> None:
    """It might be contested: it is left alone and looked at again, and no place of a limit or breaker is taken."""
    doubtful = guards(contest=Unreadable(), limits=LocalLimits(Limit(1, 60)))

    found = refused(doubtful)
    assert found == held(
        "shared_unreachable",
        "the store that replicas share cannot be reached: no answer: public-read, photos, 1000.0",
        77.0,
    )
    assert SETTLED_BY[found.outcome] is Settlement.HOLD
    assert found.reason in HOLDS
    assert doubtful.changes_in_window() == {"": 0}


def test_what_cannot_be_taken_back_needs_a_confirmation() -> None:
    """Of the very rule and event; whoever cannot confirm says why."""
    asked: list[tuple[Rule, Event]] = []

    def confirm(which: Rule, found: Event) -> str:
        asked.append((which, found))
        return "" if found is CONFIRMED else "it is compliant"

    confirmed = one_way(CONFIRMED)
    permitted(guards(confirm=confirm), confirmed)
    assert asked == [(confirmed.rule, CONFIRMED)]
    doubted = one_way(replace(CONFIRMED, config_rule_id="cr-other"))
    assert refused(guards(confirm=confirm), doubted) == held(
        "unconfirmed", "the change cannot be taken back, and it is compliant", 77.0
    )
    permitted(guards(confirm=confirm), replace(doubted, rule=rule()))
    assert len(asked) == 2, "what can be taken back needs none"


def test_without_an_event_or_an_evaluator_nothing_is_confirmed() -> None:
    """What cannot be taken back is not done then."""
    assert refused(guards(confirm=lambda *_: ""), one_way(None)) == held(
        "unconfirmed", "the change cannot be taken back, and no event calls for it", 77.0
    )
    assert refused(guards(), one_way(CONFIRMED)) == held(
        "unconfirmed",
        "the change cannot be taken back, and no evaluator is configured; set reevaluate.enabled",
        77.0,
    )


def test_a_rule_has_a_limit_of_its_own() -> None:
    """Used up, it holds that rule and no other."""
    limited = guards(limits=LocalLimits(None, {"public-read": Limit(1, 60)}))
    conclude(permitted(limited), ended(Outcome.FIXED))

    assert refused(limited) == held("over_limit", "the rule's limit of 1 changes in 60 s is used up", 60)
    permitted(limited, intent(name="other"))


def test_the_shared_store_is_used_only_for_a_change_to_be_made() -> None:
    """Neither for a rule that observes, nor for an exempt bucket, nor while changes are paused."""
    assert refused(guards(contest=Unreadable()), intent(Mode.OBSERVE)).outcome is Outcome.WOULD_FIX
    assert refused(guards(contest=Unreadable(), held_by=lambda: "a signal")).reason == "paused"
    exempt = Exemption("here", "web", "public", 2_000.0, regions=frozenset({PHOTOS.region}))
    assert refused(guards(contest=Unreadable(), exemptions=[exempt])).outcome is Outcome.EXEMPT


def test_a_person_can_release_breakers_and_contests() -> None:
    """Whoever has removed the cause need not wait."""
    released = guards(
        breakers=LocalBreakers(BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0)),
        contest=LocalContest(ContestPolicy(max_fixes=1, window_seconds=50)),
    )
    conclude(permitted(released), ended(Outcome.FIXED))
    conclude(permitted(released, intent(name="other")), ended(Outcome.REJECTED))
    assert refused(released).reason == "contested"
    assert refused(released, intent(name="other")).reason == "breaker_open"

    released.release()

    permitted(released)
    permitted(released, intent(name="other"))


def test_a_probe_that_finds_no_place_leaves_the_breaker_ready_for_another() -> None:
    """The one probe of a breaker is not lost to a limit."""
    clock = Clock(1_000.0)
    policy = BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0, cool_down_seconds=10)
    probing = guards(breakers=LocalBreakers(policy), limits=LocalLimits(Limit(1, 60)), monotonic=clock)
    conclude(permitted(probing), ended(Outcome.FAILED, "timeout"))
    clock.advance(10)
    assert refused(probing).reason == "over_limit"
    clock.advance(50)

    conclude(permitted(probing), ended(Outcome.FIXED))
    assert "public-read" not in probing.breakers.open_rules()


@pytest.mark.parametrize(
    ("outcome", "reason", "opens"),
    [
        (Outcome.FIXED, "", False),
        (Outcome.HELD, "in_progress", False),
        (Outcome.GONE, "no_such_bucket", False),
        (Outcome.LEASE_LOST, "lost_before_change", False),
        (Outcome.FAILED, "changed_meanwhile", False),
        (Outcome.FAILED, "not_verified", True),
        (Outcome.FAILED, "internal_error", True),
        (Outcome.REJECTED, "AccessDenied", True),
    ],
)
def test_only_a_change_that_did_not_work_counts_as_a_failure(outcome: Outcome, reason: str, opens: bool) -> None:
    """A bucket that is gone, a lease that is lost and another writer say nothing about whether changes work."""
    judging = guards(breakers=LocalBreakers(BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0)))

    conclude(permitted(judging), ended(outcome, reason))

    assert ("public-read" in judging.breakers.open_rules()) is opens


def test_a_change_that_was_not_made_gives_its_place_back() -> None:
    """A refusal by the service costs nothing of the limit, and telling it twice gives nothing more."""
    limited = guards(limits=LocalLimits(Limit(1, 60)))
    permit = permitted(limited)
    permit.not_used()
    permit.not_used()
    conclude(permit, ended(Outcome.REJECTED))

    assert limited.changes_in_window() == {"": 0}
    conclude(permitted(limited), ended(Outcome.FIXED))
    assert refused(limited) == held("over_limit", "the limit of 1 changes in 60 s for all rules is used up", 60)


def test_a_permit_whose_block_is_left_by_an_error_counts_as_a_failed_change() -> None:
    """Nobody knows what was changed: the place stays taken, the breaker hears of a failure, and nothing stays open."""
    limited = guards(breakers=LocalBreakers(BreakerPolicy(1, 1, 1.0)), limits=LocalLimits(Limit(2, 60)))
    with pytest.raises(RuntimeError), permitted(limited):
        raise RuntimeError("a defect")
    assert limited.changes_in_window() == {"": 1}
    assert limited.breakers.open_rules() == {"public-read"}
