"""What somebody who may publish to the topic can bring about: the table of docs/guarantees.md, row by row."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.errors import PermissionMissing, Unanswered
from consumer.core.evaluation import Subject
from consumer.core.outcome import Outcome
from consumer.core.parked import MOST_COUNTED, History, carried, written
from consumer.guards.chain import Guards
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.exemptions import Exemption
from consumer.guards.limits import Limit, LocalLimits
from consumer.guards.memory import GuardMemory
from consumer.guards.rule import Mode
from consumer.reevaluation.confirmation import Confirmation
from consumer.resources.oss.bucket import BucketInfo
from tests.unit.bodies import ACCOUNT, CURRENT, changed, text_of
from tests.unit.fakes import Clock, FakeBucket, received
from tests.unit.guards.publishing import (
    FORGED,
    LIVE,
    NAME,
    NOW,
    OTHER,
    RULE_ID,
    Evaluator,
    Scene,
    by_region,
    rule,
)

PAGE = Path(__file__).parents[3] / "docs" / "guarantees.md"


# regionId


def test_a_forged_region_does_not_choose_the_rule() -> None:
    """The bucket's own region only observes: nothing is changed, and the ending is that rule's."""
    scene = by_region(Mode.OBSERVE, Mode.ENFORCE)
    name, ending = scene.publish(regionId=FORGED)
    assert (name, ending.outcome, scene.changed) == ("live", Outcome.WOULD_FIX, False)


def test_a_wrong_region_does_not_keep_the_right_rule_from_acting() -> None:
    """The other way round: the region named only observes, the bucket's own enforces."""
    scene = by_region(Mode.ENFORCE, Mode.OBSERVE)
    name, ending = scene.publish(regionId=FORGED)
    assert (name, ending.outcome) == ("live", Outcome.FIXED)


def test_a_region_that_no_rule_is_for_is_not_ours_whatever_the_event_says() -> None:
    """No rule takes buckets of the live region."""
    scene = Scene((rule("forged", regions=frozenset({FORGED})),))
    _, ending = scene.publish(regionId=FORGED)
    assert (ending.outcome, ending.reason, scene.changed) == (Outcome.NOT_OURS, "no_rule", False)


@pytest.mark.parametrize("empty", ["", None])
def test_an_event_without_a_region_is_that_of_the_bucket(empty: str | None) -> None:
    """Rules by region take the oldest form too, and only for their own buckets: it was deleted without a look."""
    name, ending = by_region(Mode.ENFORCE, Mode.ENFORCE).publish(regionId=empty)
    assert (name, ending.outcome) == ("live", Outcome.FIXED)
    scene = Scene((rule("forged", regions=frozenset({FORGED})),))
    assert (scene.publish(regionId=empty)[1].reason, scene.changed) == ("no_rule", False)
    assert len(scene.opened) == 1


def test_a_rule_that_is_the_same_in_both_regions_acts_at_once() -> None:
    """One look: nothing is matched anew where it makes no difference."""
    scene = Scene((rule("any"),))
    assert scene.publish(regionId=FORGED)[1].outcome is Outcome.FIXED
    assert len(scene.opened) == 1


@pytest.mark.parametrize(("exempt", "outcome"), [(FORGED, Outcome.FIXED), (LIVE, Outcome.EXEMPT)])
def test_an_exemption_by_region_goes_by_where_the_bucket_is(exempt: str, outcome: Outcome) -> None:
    """An event that names an exempt region is not exempt; a bucket in one is, whatever its event names."""
    exemption = Exemption("e", "o", "r", float("inf"), regions=frozenset({exempt}))
    scene = Scene((rule("any"),), Guards(exemptions=[exemption]))
    assert scene.publish(regionId=FORGED)[1].outcome is outcome


def test_a_fight_is_counted_by_where_the_bucket_is() -> None:
    """Another region in each event does not start the count anew."""
    guards = Guards(GuardMemory(contest=LocalContest(ContestPolicy(max_fixes=2, window_seconds=60))), monotonic=Clock())
    scene = Scene((rule("any"),), guards)
    reasons = []
    for region in (LIVE, FORGED, "cn-hangzhou"):
        reasons.append(scene.publish(regionId=region)[1].reason)
        FakeBucket(scene.buckets, NAME).put_acl("public-read")
    assert reasons == ["", "", "contested"]


# configRuleId, configRuleName, sourceIdentifier


@pytest.mark.parametrize(
    "selector",
    [
        {"config_rule_ids": frozenset({"cr-any"})},
        {"rule_names": ("any*",)},
        {"source_identifiers": frozenset({"any"})},
    ],
)
def test_whoever_names_a_rule_can_have_what_is_broken_repaired(selector: dict[str, object]) -> None:
    """Marks route: an invented event runs the repair that it fits, on a bucket that really breaks the rule."""
    fields = {"configRuleId": "cr-any", "configRuleName": "any name", "sourceIdentifier": "any"}
    assert Scene((rule("any", **selector),)).publish(**fields)[1].outcome is Outcome.FIXED
    compliant = Scene((rule("any", **selector),), acl="private")
    assert compliant.publish(**fields)[1].outcome is Outcome.ALREADY_COMPLIANT
    assert not compliant.changed


CONFIRMED = {"config_rule_ids": frozenset({RULE_ID})}
DOUBTS: dict[str, tuple[dict[str, object], Evaluator | None, str]] = {
    "nobody to ask": (CONFIRMED, None, "no evaluator"),
    "no answer": (CONFIRMED, Evaluator(failure=Unanswered("config", "List", "timeout", "no answer")), "not answer"),
    "no permission": (
        CONFIRMED,
        Evaluator(failure=PermissionMissing("config", "List", "NoPermission", "no")),
        "answer",
    ),
    "no result": (CONFIRMED, Evaluator(rule_id="cr-other"), "no result"),
    "compliant": (CONFIRMED, Evaluator("COMPLIANT"), "COMPLIANT"),
    "insufficient data": (CONFIRMED, Evaluator("INSUFFICIENT_DATA"), "INSUFFICIENT_DATA"),
    "another rule's result": ({"rule_names": ("*",)}, Evaluator(managed="ecs-in-vpc"), "is ecs-in-vpc"),
    "a rule of somebody's own": ({"rule_names": ("*",)}, Evaluator(managed=""), "one of your own"),
    "no identifier at all": ({"source_identifiers": frozenset({""})}, Evaluator(managed=""), "one of your own"),
    "nobody knows which rule": ({"rule_names": ("*",)}, Evaluator(silent=True), "does not say which rule"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_what_cannot_be_taken_back_is_not_done_on_an_events_word(doubt: str) -> None:
    """Held as unconfirmed with the reason, and nothing is changed."""
    selector, evaluator, text = DOUBTS[doubt]
    guards = Guards(confirm=Confirmation(evaluator, ACCOUNT)) if evaluator else Guards()
    scene = Scene((rule("way", one_way=True, **selector),), guards)
    _, ending = scene.publish()
    assert (ending.outcome, ending.reason, scene.changed) == (Outcome.HELD, "unconfirmed", False)
    assert text in ending.detail


@pytest.mark.parametrize(
    ("selector", "managed"),
    [
        (CONFIRMED, ""),
        ({"rule_names": ("*",)}, "oss-bucket-public-read-prohibited"),
        ({}, "oss-bucket-public-write-prohibited"),
        ({"source_identifiers": frozenset({"", "my-own"})}, "my-own"),
    ],
)
def test_what_cannot_be_taken_back_is_done_when_the_evaluator_says_so(
    selector: dict[str, object], managed: str
) -> None:
    """Of the very rule, in the bucket's own region, by an id of the configuration or what the service says it is."""
    evaluator = Evaluator(managed=managed)
    scene = Scene((rule("way", one_way=True, **selector),), Guards(confirm=Confirmation(evaluator, ACCOUNT)))
    assert scene.publish(regionId=FORGED)[1].outcome is Outcome.FIXED
    assert evaluator.asked == [Subject("ACS::OSS::Bucket", NAME, LIVE)]


def test_a_members_resource_is_not_confirmed_by_our_own_evaluator() -> None:
    """Its own Cloud Config judges it."""
    evaluator = Evaluator()
    scene = Scene((rule("way", one_way=True, **CONFIRMED),), Guards(confirm=Confirmation(evaluator, ACCOUNT)))
    scene.buckets.info[NAME] = replace(scene.buckets.info[NAME], owner_id=OTHER)
    assert scene.publish(resourceOwnerId=int(OTHER))[1].reason == "unconfirmed"
    assert not evaluator.asked


# resourceId


def test_another_bucket_is_repaired_only_where_a_rule_is_for_it() -> None:
    """Any bucket of ours that breaks the rule can be named; `resources` and live tags keep the others out."""
    scene = Scene((rule("logs", resources=("logs-*",)), rule("tagged", tags=(("env", "prod*"),))))
    for name in ("logs-one", "of-production", "of-nobody"):
        scene.buckets.add(name)
    scene.buckets.settings["of-production", "tags"] = {"env": "production"}
    endings = {name: scene.publish(resourceId=name)[1].outcome for name in ("logs-one", "of-production", "of-nobody")}
    assert endings == {"logs-one": Outcome.FIXED, "of-production": Outcome.FIXED, "of-nobody": Outcome.NOT_OURS}


def test_tags_choose_among_rules_by_what_the_bucket_carries() -> None:
    """The first rule whose tags the bucket has; before the look the first one stands for all."""
    scene = Scene((rule("prod", Mode.OBSERVE, tags=(("env", "prod"),)), rule("rest")))
    assert scene.publish()[0] == "rest"
    other = Scene((rule("prod", Mode.OBSERVE, tags=(("env", "prod"),)), rule("rest")))
    other.buckets.settings[NAME, "tags"] = {"env": "prod"}
    name, ending = other.publish()
    assert (name, ending.outcome, other.changed) == ("prod", Outcome.WOULD_FIX, False)


def test_tags_that_cannot_be_read_hold_what_they_decide() -> None:
    """If in doubt it is left alone, and looked at again later."""
    scene = Scene((rule("prod", tags=(("env", "prod"),)), rule("rest")))
    scene.buckets.before["tags"] = deque([PermissionMissing("oss", "GetBucketTags", "AccessDenied", "no")])
    _, ending = scene.publish()
    assert (ending.outcome, ending.reason, scene.changed) == (Outcome.HELD, "tags_unreadable", False)


# resourceOwnerId, resourceType, riskLevel, times, the rest


@pytest.mark.parametrize("owner", [OTHER, "1111111111"])
def test_another_owner_is_refused(owner: str) -> None:
    """Whether the account is allowed or not: the bucket is not its."""
    scene = Scene((rule("any"),))
    _, ending = scene.publish(resourceOwnerId=int(owner))
    assert (ending.outcome, scene.changed) == (Outcome.REJECTED, False)
    assert ending.reason in ("not_owner", "account_not_allowed")


def test_another_type_of_resource_is_refused() -> None:
    """A repair of buckets never acts on anything else."""
    scene = Scene((rule("any"),))
    assert scene.publish(resourceType="ACS::ECS::Instance")[1].reason == "wrong_resource_type"
    assert not scene.opened


def test_a_risk_level_chooses_the_rule() -> None:
    """It is a mark like the others: it routes, and the live bucket decides."""
    rules = (rule("high", Mode.OBSERVE, risk_levels=frozenset({"critical"})), rule("low"))
    assert Scene(rules).publish(riskLevel="Critical")[0] == "high"
    assert Scene(rules).publish(riskLevel="Info")[1].outcome is Outcome.FIXED
    assert Scene(rules, acl="private").publish(riskLevel="Info")[1].outcome is Outcome.ALREADY_COMPLIANT


@pytest.mark.parametrize("moment", [1_262_304_000_001, 7_258_118_399_999])
def test_a_time_changes_nothing_about_a_repair(moment: int) -> None:
    """Neither 2010 nor 2199 keeps a bucket from being repaired."""
    body = text_of(changed(CURRENT, "evaluationResultIdentifier.orderingTimestamp", moment))
    assert Scene((rule("any"),)).end(body)[1].outcome is Outcome.FIXED


def test_more_events_make_no_more_changes_than_the_limits_let() -> None:
    """A flood is held."""
    scene = Scene((rule("any"),), Guards(GuardMemory(limits=LocalLimits(Limit(3, 3600))), monotonic=Clock()))
    for number in range(10):
        scene.buckets.add(f"bucket-{number}")
    outcomes = [scene.publish(resourceId=f"bucket-{number}")[1].outcome for number in range(10)]
    assert outcomes.count(Outcome.FIXED) == 3
    assert outcomes.count(Outcome.HELD) == 7


def test_a_body_that_is_no_event_is_set_aside() -> None:
    """It goes to the dead-letter queue."""
    assert Scene((rule("any"),)).end("poison")[1].outcome is Outcome.INVALID


_claims = st.builds(
    History,
    st.just("somebody-else-s"),
    st.integers(1, NOW),
    st.integers(1, NOW),
    st.integers(1, MOST_COUNTED),
    st.integers(0, MOST_COUNTED),
    st.just("fixed:forged"),
    st.integers(0, NOW),
)


@given(_claims)
def test_what_a_message_claims_of_its_past_changes_nothing_about_a_repair(claim: History) -> None:
    """Neither the repair, nor what holds it back, nor which rule it is."""
    forged = replace(received(body=text_of(CURRENT)), carried=carried(written(claim), NOW))
    assert Scene((rule("any"),)).receive(forged)[1].outcome is Outcome.FIXED
    paused = Guards(held_by=lambda: "a person", monotonic=Clock())
    assert Scene((rule("any"),), paused).receive(forged)[1].outcome is Outcome.HELD
    assert Scene((rule("any", regions=frozenset({FORGED})),)).receive(forged)[1].outcome is Outcome.NOT_OURS


TESTED = {
    "`configRuleId`, `configRuleName`, `sourceIdentifier`": test_whoever_names_a_rule_can_have_what_is_broken_repaired,
    "`resourceId`": test_another_bucket_is_repaired_only_where_a_rule_is_for_it,
    "`resourceType`": test_another_type_of_resource_is_refused,
    "`regionId`": test_a_forged_region_does_not_choose_the_rule,
    "`resourceOwnerId`, `accountId`": test_another_owner_is_refused,
    "`riskLevel`": test_a_risk_level_chooses_the_rule,
    "`orderingTimestamp`, `notificationCreationTime`": test_a_time_changes_nothing_about_a_repair,
    "user properties `remediator-…`": test_what_a_message_claims_of_its_past_changes_nothing_about_a_repair,
    "how many events": test_more_events_make_no_more_changes_than_the_limits_let,
    "anything else": test_a_body_that_is_no_event_is_set_aside,
}
"""A test of each row, which the others of its section complete."""


def test_every_row_of_the_page_is_tested() -> None:
    """The table and this module name the same fields."""
    section = PAGE.read_text(encoding="utf-8").partition("## What somebody who may publish")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+?) \|", section, re.MULTILINE)
    assert rows[0] == "field"
    assert rows[1:] == list(TESTED)


def test_the_live_bucket_is_in_the_region_of_these_tests() -> None:
    """So that the regions above are what their names say."""
    assert isinstance(Scene((rule("any"),)).buckets.info[NAME], BucketInfo)
    assert Scene((rule("any"),)).buckets.info[NAME].region == LIVE
