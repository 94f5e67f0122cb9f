"""Which exposures are still open, as far as one replica can know."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.reevaluation.agreement import AgreementPolicy, Fix
from consumer.telemetry.exposure import GRACE_SECONDS, OpenExposures, upstream_seconds
from tests.unit.telemetry.records import EVALUATED_AT_MS, SETTLED_AT_MS, event, report

_RULE = "no-public-read"
_EVALUATED_AT = EVALUATED_AT_MS / 1000


class Wall:
    """A wall clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = SETTLED_AT_MS / 1000

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def exposures(wall: Wall) -> OpenExposures:
    return OpenExposures(wall=wall)


@pytest.mark.parametrize("outcome", [Outcome.HELD, Outcome.WOULD_FIX, Outcome.FAILED, Outcome.REJECTED])
def test_a_kept_message_is_an_open_exposure(exposures: OpenExposures, outcome: Outcome) -> None:
    """As long as the message waits in the queue, its resource counts as exposed since the evaluation."""
    exposures.observe(report(outcome))
    assert exposures.oldest() == {_RULE: _EVALUATED_AT}


@pytest.mark.parametrize(
    "outcome", [Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.GONE, Outcome.EXEMPT, Outcome.NOT_OURS]
)
def test_a_safe_resource_closes_its_exposure(exposures: OpenExposures, outcome: Outcome) -> None:
    """Whatever shows that nothing is exposed, or not for us to change, ends it."""
    exposures.observe(report(Outcome.FAILED))
    exposures.observe(report(outcome))
    assert exposures.oldest() == {}


def test_a_fix_closes_it_even_if_the_lease_was_lost(exposures: OpenExposures) -> None:
    """The resource is safe, although the message is not deleted yet."""
    exposures.observe(report(Outcome.FAILED))
    lost = report(Outcome.LEASE_LOST, ending=Ending(Outcome.FIXED), disposition=Disposition.LEASE_LOST)
    exposures.observe(lost)
    assert exposures.oldest() == {}


def test_a_lost_lease_without_a_fix_stays_open(exposures: OpenExposures) -> None:
    """Nobody knows who has it now, so for a while it is still ours to tell."""
    lost = report(Outcome.LEASE_LOST, ending=Ending(Outcome.LEASE_LOST), disposition=Disposition.LEASE_LOST)
    exposures.observe(lost)
    assert exposures.oldest() == {_RULE: _EVALUATED_AT}


def test_the_oldest_of_each_rule_is_reported(exposures: OpenExposures) -> None:
    """Rules do not hide each other's exposures, and a younger one does not hide an older."""
    exposures.observe(report(Outcome.HELD, event=event(resource_id="a", evaluated_at_ms=EVALUATED_AT_MS - 60_000)))
    exposures.observe(report(Outcome.HELD, event=event(resource_id="b")))
    exposures.observe(report(Outcome.HELD, rule="no-public-write"))
    assert exposures.oldest() == {_RULE: _EVALUATED_AT - 60, "no-public-write": _EVALUATED_AT}


def test_a_later_event_does_not_make_an_exposure_younger(exposures: OpenExposures) -> None:
    """Found again an hour later, the resource has been exposed since the first evaluation."""
    exposures.observe(report(Outcome.HELD))
    exposures.observe(report(Outcome.HELD, event=event(evaluated_at_ms=EVALUATED_AT_MS + 3_600_000)))
    assert exposures.oldest() == {_RULE: _EVALUATED_AT}


def test_a_superseded_event_neither_opens_nor_closes(exposures: OpenExposures) -> None:
    """The newer event decides; an open exposure only learns that it began earlier."""
    older = report(Outcome.SUPERSEDED, event=event(evaluated_at_ms=EVALUATED_AT_MS - 5_000))
    exposures.observe(older)
    assert exposures.oldest() == {}
    exposures.observe(report(Outcome.HELD))
    exposures.observe(older)
    assert exposures.oldest() == {_RULE: _EVALUATED_AT - 5}


def test_a_parked_message_keeps_its_exposure_open_until_its_copy_is_due(exposures: OpenExposures, wall: Wall) -> None:
    """And some minutes more, in which another replica may have received it; then it is theirs to tell."""
    parked: dict[str, Any] = {"disposition": Disposition.PARKED, "hidden_seconds": 0.0, "parked_seconds": 900.0}
    exposures.observe(report(Outcome.HELD, parked_as="copy", **parked))
    wall.now += 900 + GRACE_SECONDS - 1
    assert exposures.oldest() == {_RULE: _EVALUATED_AT}
    wall.now += 60
    assert exposures.oldest() == {}


def test_what_was_given_up_stays_open(exposures: OpenExposures, wall: Wall) -> None:
    """Nobody works on it any more, and the resource is as open as before, however long that lasts."""
    exposures.observe(report(Outcome.FAILED, hidden_seconds=60.0))
    exposures.observe(report(Outcome.EXHAUSTED, disposition=Disposition.DEAD_LETTERED))
    wall.now += 30 * 86_400
    assert exposures.oldest() == {_RULE: _EVALUATED_AT}
    assert exposures.given_up() == {(_RULE, "exhausted"): 1}


def test_what_was_given_up_closes_when_the_resource_is_seen_safe(exposures: OpenExposures) -> None:
    """A later event about it, or a redrive, brings the look that closes it."""
    exposures.observe(report(Outcome.REJECTED, disposition=Disposition.DEAD_LETTERED))
    exposures.observe(report(Outcome.ALREADY_COMPLIANT))
    assert exposures.oldest() == {}
    assert exposures.given_up() == {}


def test_without_a_dead_letter_queue_it_is_given_up_and_kept(exposures: OpenExposures) -> None:
    """The reason is the ending's."""
    exposures.observe(report(Outcome.REJECTED, ending=Ending(Outcome.REJECTED, "not_owner"), hidden_seconds=3_600.0))
    assert exposures.given_up() == {(_RULE, "not_owner"): 1}


def test_what_waits_for_a_permission_names_it(exposures: OpenExposures) -> None:
    """By action and account, until a try ends otherwise."""
    held = Ending(Outcome.HELD, "permission_missing", missing_action="oss:PutBucketAcl")
    exposures.observe(report(Outcome.HELD, ending=held))
    exposures.observe(report(Outcome.HELD, ending=held, event=event(resource_id="another")))
    assert exposures.missing_actions() == {("oss:PutBucketAcl", event().account_id): 2}
    exposures.observe(report(Outcome.FAILED))
    exposures.observe(report(Outcome.FIXED, event=event(resource_id="another")))
    assert exposures.missing_actions() == {}
    assert exposures.oldest() == {_RULE: _EVALUATED_AT}


@pytest.mark.parametrize(("since", "open_still"), [(None, True), (899.0, True), (599.0, False), (0.0, False)])
def test_nothing_expires_while_this_replica_does_not_keep_up(wall: Wall, since: float | None, open_still: bool) -> None:
    """The message may lie on the queue with nobody to receive it: the grace begins when polls catch up."""
    began = None if since is None else wall.now + since
    exposures = OpenExposures(wall=wall, keeping_up_since=lambda: began)
    exposures.observe(report(Outcome.HELD, hidden_seconds=60.0))
    wall.now += 600 + GRACE_SECONDS
    assert bool(exposures.oldest()) is open_still


def test_what_does_not_come_back_is_another_replicas(exposures: OpenExposures, wall: Wall) -> None:
    """Once a hidden message is visible again and a grace has passed, another replica has it and tells of it."""
    exposures.observe(report(Outcome.HELD, hidden_seconds=900.0))
    wall.now += 900 + GRACE_SECONDS
    assert exposures.oldest() == {_RULE: _EVALUATED_AT}
    wall.now += 1
    assert exposures.oldest() == {}


def test_messages_that_name_no_resource_of_ours_are_left_out(exposures: OpenExposures) -> None:
    """Undecodable messages and events without a rule say nothing about an exposure."""
    exposures.observe(report(Outcome.INVALID, event=None, rule=""))
    exposures.observe(report(Outcome.NOT_OURS, rule=""))
    assert exposures.oldest() == {}


def test_memory_is_bounded(wall: Wall) -> None:
    """The longest unseen makes room; its message's next delivery brings it back."""
    exposures = OpenExposures(remembered=2, wall=wall)
    for number in range(3):
        found = event(resource_id=f"bucket-{number}", evaluated_at_ms=EVALUATED_AT_MS + number * 1_000)
        exposures.observe(report(Outcome.HELD, event=found))
    assert exposures.oldest() == {_RULE: _EVALUATED_AT + 1}


_POLICY = AgreementPolicy(event().account_id, 600.0)


@pytest.fixture
def awaiting(wall: Wall) -> OpenExposures:
    """Exposures that only the evaluator's agreement closes."""
    return OpenExposures(agreement=_POLICY, wall=wall)


def test_the_last_of_an_exposure_s_rules_closes_it(awaiting: OpenExposures) -> None:
    """One of ours can stand for several of the evaluator's; each has to agree to its own fix."""
    first, second = (report(Outcome.FIXED, event=event(config_rule_id=name)) for name in ("cr-first", "cr-second"))
    awaiting.observe(first)
    awaiting.observe(second)
    awaiting.agreed(Fix.of(second, event(config_rule_id="cr-second")))
    assert awaiting.oldest() == {_RULE: _EVALUATED_AT}
    awaiting.agreed(Fix.of(first, event(config_rule_id="cr-first")))
    assert awaiting.oldest() == {}


def test_finding_it_compliant_ourselves_is_no_agreement(awaiting: OpenExposures) -> None:
    """A second message about the bucket proves what the read-back has proved already."""
    awaiting.observe(report(Outcome.FIXED))
    awaiting.observe(report(Outcome.ALREADY_COMPLIANT))
    assert awaiting.oldest() == {_RULE: _EVALUATED_AT}


def test_where_nobody_can_be_asked_the_fix_closes_it(awaiting: OpenExposures) -> None:
    """A member's resources, and one that vanished after its fix."""
    awaiting.observe(report(Outcome.FIXED, event=event(account_id="9876543210987654")))
    assert awaiting.oldest() == {}
    awaiting.observe(report(Outcome.FIXED))
    awaiting.observe(report(Outcome.GONE))
    assert awaiting.oldest() == {}


def test_agreement_to_an_old_fix_does_not_close_what_is_held_now(awaiting: OpenExposures) -> None:
    """It was broken again meanwhile, and that message was kept."""
    fixed = report(Outcome.FIXED)
    awaiting.observe(fixed)
    awaiting.observe(report(Outcome.HELD, event=event(evaluated_at_ms=EVALUATED_AT_MS + 60_000)))
    awaiting.agreed(Fix.of(fixed, event()))
    assert awaiting.oldest() == {_RULE: _EVALUATED_AT}


def test_what_was_observed_and_deleted_is_open_until_catch_up_brings_it_back() -> None:
    """Its message is gone and the resource is as it was: nothing about it has become known to be well."""
    now = [SETTLED_AT_MS / 1000]
    exposures = OpenExposures(brought_back_seconds=3_600, wall=lambda: now[0])
    exposures.observe(report(Outcome.WOULD_FIX, disposition=Disposition.DELETED, hidden_seconds=0))
    now[0] += 3_600 + GRACE_SECONDS - 1
    assert exposures.oldest() == {"no-public-read": EVALUATED_AT_MS / 1000}
    now[0] += 2 * GRACE_SECONDS
    assert exposures.oldest() == {}


def test_what_catch_up_brought_was_never_notified() -> None:
    """The time between an evaluation and the run that found it says nothing about how fast notifications are."""
    assert upstream_seconds(report(event=event(caught_up=True))) == ()
