"""What a look comes to: each finding has its ending, whole; and whose the resource is once it was seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.errors import PermissionMissing, Throttled
from consumer.core.observers import Hooks
from consumer.core.outcome import Ending, Outcome
from consumer.guards.chain import Guards
from consumer.guards.exemptions import Exemption
from consumer.guards.rule import Selector
from consumer.remediations.base import Compliant, Finding, Note, Pending, ReportOnly
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.kind import BUCKETS
from tests.unit.bodies import ACCOUNT, event_body
from tests.unit.fakes import service_error
from tests.unit.pipeline_world import NAME, World


class Judging(BucketAcl):
    """Judges every bucket as the test says."""

    def __init__(self, finding: Finding, remark: Note | None = None) -> None:
        super().__init__(BucketAclOptions())
        self._finding = finding
        self._remark = remark

    def inspect(self, bucket: Bucket, info: BucketInfo) -> str:
        """Whose it is, and what it is called."""
        return f"{bucket.name} of {info.owner_id}"

    def plan(self, state: str) -> Finding:
        """As the test says, with what was inspected."""
        return replace(self._finding, state=state)  # type: ignore[call-arg]

    def remark(self, bucket: Bucket, info: BucketInfo) -> Note | None:  # noqa: ARG002 - it has seen enough
        """As the test says."""
        return self._remark


def judged(finding: Finding, remark: Note | None = None) -> Ending:
    """The ending of an event about a bucket that is judged so."""
    world = World()
    world.rule = replace(world.rule, remediation=Judging(finding, remark))
    world.pipeline = world.made(Hooks())
    return world.end()


STATE = f"{NAME} of 1698272328540001"


@pytest.mark.parametrize(
    ("finding", "remark", "ending"),
    [
        (Compliant(""), None, Ending(Outcome.ALREADY_COMPLIANT, before=STATE, after=STATE)),
        (
            Compliant(""),
            Note("still_public", "its policy lets everyone in"),
            Ending(Outcome.ALREADY_COMPLIANT, "still_public", "its policy lets everyone in", before=STATE, after=STATE),
        ),
        (
            Pending("", "half of the objects are copied"),
            None,
            Ending(
                *(Outcome.HELD, "in_progress", "half of the objects are copied", STATE, STATE),
                hold_seconds=60.0,
            ),
        ),
        (
            ReportOnly("", "a person has to choose a key", Outcome.REJECTED, "no_key"),
            None,
            Ending(
                *(Outcome.REJECTED, "no_key", "a person has to choose a key", STATE, STATE),
                hold_seconds=60.0,
                resource_alone=True,
            ),
        ),
    ],
)
def test_what_calls_for_no_change_ends_with_what_was_found(
    finding: Finding, remark: Note | None, ending: Ending
) -> None:
    """State, reason and sentence are the remediation's own, and nothing is left out of them."""
    assert judged(finding, remark) == ending


def test_what_is_exempt_where_it_really_is_is_not_even_inspected() -> None:
    """The live region is known after the first request, and decides before a second one."""
    world = World(
        guards=Guards(exemptions=[Exemption("e", "o", "r", float("inf"), regions=frozenset({"cn-hangzhou"}))]),
        acl="private",
    )
    world.buckets.info[NAME] = replace(world.buckets.info[NAME], region="cn-hangzhou")
    assert world.end().outcome is Outcome.EXEMPT
    assert world.buckets.calls == ["info"]


def test_each_stage_is_measured_under_its_own_name() -> None:
    """Reading the tags that a guard needs is still a part of the look."""
    world = World(guards=Guards(exemptions=[Exemption("e", "o", "r", float("inf"), tags=(("public", "yes"),))]))
    world.before("info", lambda: world.clock.advance(1.0), lambda: world.clock.advance(8.0))
    world.before("tags", lambda: world.clock.advance(2.0))
    world.before("put_acl", lambda: world.clock.advance(4.0))
    found = world.triaged(event_body())
    assert world.pipeline.repair(found).outcome is Outcome.FIXED
    assert found.timings.as_tuple() == (("inspect", 3.0), ("apply", 4.0), ("verify", 8.0))


TAGGED = Selector(resource_types=frozenset({"ACS::OSS::Bucket"}), tags=(("team", "web"),))


def tagged_world() -> World:
    """The only rule selects by tags, and the bucket has none."""
    world = World()
    world.rule = replace(world.rule, selector=TAGGED)
    world.pipeline = world.made(Hooks())
    return world


def test_what_no_rule_takes_once_its_tags_are_known_is_not_ours() -> None:
    """By its event it might have been."""
    assert tagged_world().end() == Ending(
        Outcome.NOT_OURS, "no_rule", "no rule takes this event about the resource as it is"
    )


def test_what_is_another_rules_by_its_tags_is_that_rules_from_then_on() -> None:
    """And it is about the resource where it really is, in the terms of that rule's kind."""
    world = World()
    world.first_rules = (replace(world.rule, name="tagged", selector=TAGGED),)
    world.pipeline = world.made(Hooks())
    world.buckets.info[NAME] = replace(world.buckets.info[NAME], region="cn-hangzhou")
    found = world.triaged(event_body())
    assert found.rule is world.first_rules[0]
    assert world.pipeline.repair(found).outcome is Outcome.FIXED
    assert found.rule is world.rule
    assert found.resource == BUCKETS.resource(ACCOUNT, "cn-hangzhou", NAME)


def test_what_stays_its_rules_keeps_the_resource_that_its_event_named() -> None:
    """Deliveries are grouped by it, so it does not change while one is in work."""
    world = World()
    world.buckets.info[NAME] = replace(world.buckets.info[NAME], region="cn-hangzhou")
    found = world.triaged(event_body())
    assert world.pipeline.repair(found).outcome is Outcome.FIXED
    assert found.resource == BUCKETS.resource(ACCOUNT, "cn-beijing", NAME)


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        (PermissionMissing("oss", "GetBucketTagging", "AccessDenied", "not granted"), "oss:GetBucketTagging"),
        (service_error(Throttled, "QpsLimitExceeded"), ""),
    ],
)
def test_tags_that_decide_and_cannot_be_read_hold_it(error: Exception, missing: str) -> None:
    """For as long as the rule holds, with the reason why, and with the action to be granted if that is it."""
    world = tagged_world()
    world.before("tags", error)
    assert world.end() == Ending(
        Outcome.HELD,
        "tags_unreadable",
        f"a rule selects by tags, and they cannot be read: {error}",
        hold_seconds=60.0,
        missing_action=missing,
    )
    assert world.buckets.calls == ["info", "tags"]
