"""Outcomes: the table that says what deletes a message."""

from __future__ import annotations

from consumer.core.outcome import SETTLED_BY, Outcome, Settlement


def test_every_outcome_has_exactly_one_settlement() -> None:
    """A new outcome without a settlement would be a message without an end."""
    assert set(SETTLED_BY) == set(Outcome)


def test_only_successful_endings_delete() -> None:
    """The first promise, written out once more: nothing but these deletes."""
    assert {outcome for outcome, by in SETTLED_BY.items() if by is Settlement.DELETE} == {
        Outcome.FIXED,
        Outcome.ALREADY_COMPLIANT,
        Outcome.GONE,
        Outcome.EXEMPT,
        Outcome.SUPERSEDED,
        Outcome.NOT_OURS,
    }


def test_only_what_can_never_succeed_is_dead_lettered() -> None:
    """Held, observed and failed messages stay in the queue."""
    assert {outcome for outcome, by in SETTLED_BY.items() if by is Settlement.DEAD_LETTER} == {
        Outcome.REJECTED,
        Outcome.INVALID,
        Outcome.EXHAUSTED,
    }


def test_a_lost_lease_is_settled_by_nothing() -> None:
    """What is not ours is not touched."""
    assert SETTLED_BY[Outcome.LEASE_LOST] is Settlement.NOTHING
