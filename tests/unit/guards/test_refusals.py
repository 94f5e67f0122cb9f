"""A missing permission waits for a person; a refusal that is one resource's own does not hold up anybody."""

from __future__ import annotations

from consumer.guards.refusals import CERTAIN_SECONDS, Refusals

MINE, OTHERS = "1698272328540001", "9876543210987654"
PUT = "PutBucketAcl"


def refused(refusals: Refusals, resource: str, now: float, account: str = MINE) -> bool:
    """One more refusal."""
    return refusals.resource_alone(account, resource, PUT, now)


def test_a_first_refusal_is_never_the_resources_own() -> None:
    """The permission may have been taken away a moment ago, however often it has worked before."""
    refusals = Refusals()
    refusals.worked(MINE, "good", [PUT], 10.0)
    assert not refused(refusals, "bad", 11.0)


def test_it_is_not_while_nothing_else_works_either() -> None:
    """As long as the action is granted nowhere, every resource waits for it."""
    refusals = Refusals()
    refusals.worked(MINE, "good", [PUT], 10.0)
    for now in range(11, 5_000, 300):
        assert not refused(refusals, "bad", now)
        assert not refused(refusals, "worse", now)


def test_it_is_once_the_action_works_on_others() -> None:
    """Refused before and after something else was allowed: granting more would not help."""
    refusals = Refusals()
    assert not refused(refusals, "bad", 11.0)
    refusals.worked(MINE, "good", [PUT], 12.0)
    assert not refused(refusals, "bad", 311.0), "what was granted a moment ago may not hold for it yet"
    refusals.worked(MINE, "good", [PUT], 1_000.0)
    assert refused(refusals, "bad", 311.0 + CERTAIN_SECONDS)


def test_it_is_not_if_the_action_has_stopped_working_since() -> None:
    """Granted for a moment and taken away again: everybody waits."""
    refusals = Refusals()
    assert not refused(refusals, "bad", 11.0)
    refusals.worked(MINE, "good", [PUT], 12.0)
    assert not refused(refusals, "bad", 311.0)
    assert not refused(refusals, "bad", 311.0 + CERTAIN_SECONDS)


def test_what_works_elsewhere_says_nothing() -> None:
    """Another operation, and another account with a role of its own."""
    refusals = Refusals()
    assert not refused(refusals, "bad", 11.0)
    refusals.worked(MINE, "good", ["GetBucketInfo"], 12.0)
    refusals.worked(OTHERS, "good", [PUT], 12.0)
    assert not refused(refusals, "bad", 311.0)


def test_a_resource_that_worked_meanwhile_begins_anew() -> None:
    """Its earlier refusal is over."""
    refusals = Refusals()
    assert not refused(refusals, "bad", 11.0)
    refusals.worked(MINE, "bad", [PUT], 12.0)
    assert not refused(refusals, "bad", 13.0)


def test_memory_is_bounded() -> None:
    """The longest unseen is forgotten and waits once more."""
    refusals = Refusals(remembered=2)
    for resource in ("a", "b", "c"):
        refused(refusals, resource, 1.0)
    refusals.worked(MINE, "good", [PUT], 2.0)
    assert not refused(refusals, "c", 3.0)
    assert not refused(refusals, "a", 3.0)
    refusals.worked(MINE, "good", [PUT], 4.0)
    assert refused(refusals, "c", 3.0 + CERTAIN_SECONDS)
    assert not refused(refusals, "a", 3.0 + CERTAIN_SECONDS)
