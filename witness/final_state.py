"""What has to hold when a run had the time to end everything: promises 2 and 3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from witness.buckets import BucketHistory
from witness.claim import EventClaim
from witness.expectations import Expectations
from witness.queue_log import Life
from witness.rules import Watched
from witness.verdict import Ending, Violation


def final_violations(
    expectations: Expectations, lives: Iterable[Life], endings: dict[str, Ending], buckets: dict[str, BucketHistory]
) -> Iterator[Violation]:
    """What is wrong at the end."""
    lives = list(lives)
    given_up = _given_up(lives, endings)
    for name, history in buckets.items():
        yield from _bucket(expectations, name, history, given_up)
    for life in lives:
        if life.removal is None and not _may_be_kept(expectations, life, buckets):
            yield Violation(3, 0, life.message_id, f"still in the queue after {len(life.receipts)} receipts")


def _given_up(lives: Iterable[Life], endings: dict[str, Ending]) -> set[tuple[str, str]]:
    """Buckets and rules that a person knows of: their event is in the dead-letter queue."""
    return {
        (life.claim.bucket, mark)
        for life in lives
        if isinstance(life.claim, EventClaim) and endings[life.message_id] is Ending.DEAD_LETTERED
        for mark in life.claim.marks
    }


def _bucket(
    expectations: Expectations, name: str, history: BucketHistory, given_up: set[tuple[str, str]]
) -> Iterator[Violation]:
    now = history.last.configuration
    if now is None:
        return
    if expectations.is_worker(history.last.created_by):
        yield Violation(2, history.last.sequence, name, "deleted by somebody, and there again because of the worker")
    if now.owner_id not in (expectations.account_id, *expectations.member_accounts):
        return
    for watched in expectations.rules:
        broken = not watched.satisfied_by(now) and not expectations.may_stay_broken(name)
        if broken and not any((name, mark) in given_up for mark in watched.marks):
            yield Violation(3, history.last.sequence, name, f"still breaks {watched.identifier}")


def _may_be_kept(expectations: Expectations, life: Life, buckets: dict[str, BucketHistory]) -> bool:
    claim = life.claim
    if not isinstance(claim, EventClaim) or not claim.sound:
        return expectations.dead_letter_queue is None
    if claim.bucket in expectations.held:
        return True
    return _watched(expectations.observed, claim) is not None and claim.bucket in buckets


def _watched(rules: Iterable[Watched], claim: EventClaim) -> Watched | None:
    return next((watched for watched in rules if watched.marks & claim.marks), None)
