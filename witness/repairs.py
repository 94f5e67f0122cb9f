"""The worker's changes after which a bucket complied, and how long the bucket had been known to be broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from witness.buckets import BucketHistory
from witness.claim import EventClaim
from witness.expectations import Expectations
from witness.queue_log import Life
from witness.rules import Watched


@dataclass(frozen=True, slots=True)
class Repair:
    """One change that made a bucket comply with at least one rule that it broke before."""

    bucket: str
    sequence: int
    marks: frozenset[str]
    """Of the rules that it satisfied."""
    exposure_seconds: float | None
    """Since the first evaluation that found it broken; None when no event reported it."""


def repairs(expectations: Expectations, lives: Iterable[Life], buckets: dict[str, BucketHistory]) -> Iterator[Repair]:
    """Every repair, bucket by bucket."""
    claims: dict[str, list[EventClaim]] = defaultdict(list)
    for life in lives:
        if isinstance(life.claim, EventClaim):
            claims[life.claim.bucket].append(life.claim)
    for name, history in buckets.items():
        yield from _of_bucket(expectations, history, claims[name])


def _of_bucket(expectations: Expectations, history: BucketHistory, claims: list[EventClaim]) -> Iterator[Repair]:
    broken_since: dict[str, int] = {}
    for before, after in zip(history.moments, history.moments[1:], strict=False):
        now = after.configuration
        repaired: list[Watched] = []
        for watched in expectations.rules:
            breaks = now is not None and not watched.satisfied_by(now)
            if breaks:
                broken_since.setdefault(watched.rule_id, after.time_ms)
            elif now is not None and before.exists and watched.rule_id in broken_since:
                repaired.append(watched)
        if repaired and expectations.is_worker(after.access_key_id):
            marks = frozenset().union(*(watched.marks for watched in repaired))
            since = min(broken_since[watched.rule_id] for watched in repaired)
            reported = [
                claim.evaluated_ms
                for claim in claims
                if claim.marks & marks and since <= claim.evaluated_ms <= after.time_ms
            ]
            exposure = (after.time_ms - min(reported)) / 1000 if reported else None
            yield Repair(history.name, after.sequence, marks, exposure)
        for watched in expectations.rules:
            if now is None or watched.satisfied_by(now):
                broken_since.pop(watched.rule_id, None)
