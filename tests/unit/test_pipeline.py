"""The pipeline: what an event leads to, by what it says and what the live bucket is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.core.observers import Hooks
from consumer.core.outcome import Ending, Outcome
from consumer.guards.chain import Guards
from consumer.guards.exemptions import Exemption
from consumer.guards.rule import Mode
from tests.unit.bodies import VARIANTS, event_body, text_of
from tests.unit.fakes import delivery, received
from tests.unit.pipeline_world import NAME, World


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
    assert world.buckets.calls == ["info", "put_acl", "info", "policy"]
    assert world.opened == [(NAME, 1_030.0)]  # the lease, which is shorter than the budget


def test_a_private_bucket_is_left_alone() -> None:
    """The event is a hint: what is compliant by now is not touched."""
    world = World(acl="private")
    assert world.end().outcome is Outcome.ALREADY_COMPLIANT
    assert world.buckets.calls == ["info", "policy"]


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

        def sync(self) -> None:
            """Not of interest here."""

        def step(self, _step: object) -> None:
            """The lease ends meanwhile."""
            world.clock.advance(31.0)

    world.pipeline = world.made(Hooks((), (SlowDisk(),)))  # type: ignore[arg-type]
    assert world.pipeline.repair(found).outcome is Outcome.LEASE_LOST
    assert world.acl_now == "public-read"


def exempting(region: str) -> Guards:
    """Guards that leave everything in one region alone."""
    return Guards(exemptions=[Exemption("sandbox", "owner", "reason", float("inf"), regions=frozenset({region}))])


def test_guards_go_by_the_region_where_the_bucket_is() -> None:
    """The event names Beijing and the bucket lives in Hangzhou: what is said about Hangzhou counts."""
    world = World(guards=exempting("cn-hangzhou"))
    world.buckets.info[NAME] = replace(world.buckets.info[NAME], region="cn-hangzhou")
    assert world.end().outcome is Outcome.EXEMPT


def test_what_is_reported_names_the_region_where_the_bucket_is() -> None:
    """The same for the event that log, journal and metrics get: it goes on with the region of the live bucket."""
    world = World()
    world.buckets.info[NAME] = replace(world.buckets.info[NAME], region="cn-hangzhou")
    found = world.triaged(event_body(regionId="cn-beijing"))
    assert world.pipeline.repair(found).outcome is Outcome.FIXED
    assert found.event is not None
    assert found.event.region == "cn-hangzhou"


def test_without_a_region_of_its_own_the_bucket_is_where_we_address_it() -> None:
    """Neither the event nor the service says where it is: guards are asked about the configured region."""
    world = World(guards=exempting("cn-shanghai"))
    world.buckets.info[NAME] = replace(world.buckets.info[NAME], region="")
    found = world.triaged(text_of(VARIANTS["oldest"]))
    assert world.pipeline.repair(found).outcome is Outcome.EXEMPT


def invalid(reason: str, detail: str) -> Ending:
    """A body that is no event and never will be."""
    return Ending(Outcome.INVALID, reason, detail, error_class="InvalidMessage")


def refused(reason: str, detail: str) -> Ending:
    """An event on which nobody ever acts, for what it is about."""
    return Ending(Outcome.REJECTED, reason, detail, error_class="Refused", resource_alone=True)


@pytest.mark.parametrize(
    ("body", "ending"),
    [
        ("", invalid("empty", "the body is empty")),
        ("{}", invalid("missing_field", "evaluationResultIdentifier is missing")),
        (
            text_of({"eventType": "SnapshotDelivery"}),
            Ending(Outcome.NOT_OURS, "other_message", "SnapshotDelivery"),
        ),
        (
            event_body(resourceType="ACS::RDS::DBInstance"),
            Ending(Outcome.NOT_OURS, "no_rule", "no rule takes this event"),
        ),
        (
            event_body(resourceType="ACS::ECS::Instance"),
            refused("wrong_resource_type", "rule acl repairs ACS::OSS::Bucket only"),
        ),
        (
            event_body(resourceOwnerId="100200300400"),
            refused("account_not_allowed", "the resource belongs to account 100200300400"),
        ),
    ],
)
def test_what_needs_no_look_at_a_resource_is_dismissed(body: str, ending: Ending) -> None:
    """Undecodable, not ours, or never to be acted on: no bucket is opened, and a person reads why."""
    assert dismissed(World(), body) == ending


def test_a_damaged_body_is_dismissed_with_what_is_known_of_the_damage() -> None:
    """However much it reads like an event: the reply could not carry it as it is."""
    world = World()
    found = delivery(world.clock, replace(received(body=event_body()), damage="not well-formed"))
    world.pipeline.triage(found)
    assert found.ending == invalid("damaged_body", "not well-formed")
    assert found.event is None


@pytest.mark.parametrize(
    "name",
    ["evil.example/x#", "..", "a@b", "A-Bucket", "b", "-ab", "ab-", "a_b", "x" * 64, "a.b.c",
     "b\u00fccket", "\uff41bc", "\u0430bc", "bucket?acl", "bucket/../other", "a b c"],
)  # fmt: skip
def test_what_can_be_no_bucket_is_never_looked_for(name: str) -> None:
    """What arrives in a message is hostile until it is validated."""
    ending = dismissed(World(), event_body(resourceId=name))
    assert (ending.outcome, ending.reason) == (Outcome.REJECTED, "invalid_bucket_name")


def test_an_event_without_a_region_is_looked_up_in_the_configured_one() -> None:
    """The oldest events name no region."""
    resource = World().triaged(text_of(VARIANTS["oldest"])).resource
    assert resource is not None
    assert resource.region == "cn-shanghai"
