"""Whether each dead letter was deserved: promise 3 would be cheap if whatever is difficult could be put aside.

A letter is deserved by a message that nobody can act on, by a refusal that the service would repeat, by attempts that
are used up, or by a bucket that only a person can repair. Not by a passing failure, and not after a repair.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator

from witness.buckets import BucketHistory
from witness.claim import EventClaim
from witness.entry import JournalEntry, was_refused
from witness.expectations import Expectations
from witness.parked import Copies
from witness.queue_log import Life
from witness.repairs import Repair
from witness.verdict import Violation

_PASSING_STATUSES = frozenset({404, 408, 409, 412, 423, 425, 429})
_PASSING_CODES = frozenset(
    {
        "AccessKeyIdAndSecurityTokenNotMatch",
        "BucketBusy",
        "InvalidAccessKeyId",
        "InvalidAccessKeyId.NotFound",
        "InvalidSecurityGroupRule.RuleNotExist",
        "InvalidSecurityToken",
        "InvalidSecurityToken.Expired",
        "InvalidTimeStamp.Expired",
        "MetaOperationQpsLimitExceeded",
        "OperationConflict",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "SecurityTokenExpired",
        "SignatureDoesNotMatch",
        "Throttling",
        "Throttling.Api",
        "Throttling.User",
        "TooManyRequests",
        "UserDisable",
    }
)
"""Refusals that the documentation's error pages describe as passing, as overtaken, or as a fault of keys and clocks."""


class DeadLetters:
    """Judges the letters of one run; only where the journal holds refusals, which is where it holds reads."""

    def __init__(
        self,
        expectations: Expectations,
        lives: Iterable[Life],
        copies: Copies,
        buckets: dict[str, BucketHistory],
        entries: Iterable[JournalEntry],
        repairs: Iterable[Repair],
    ) -> None:
        self._expectations = expectations
        self._lives = list(lives)
        self._copies = copies
        self._buckets = buckets
        self._refusals: dict[str, list[int]] = defaultdict(list)
        for entry in entries:
            if entry.service in ("oss", "ecs") and was_refused(entry) and _is_final(entry):
                self._refusals[entry.resource].append(entry.sequence)
        self._repairs: dict[str, list[Repair]] = defaultdict(list)
        for repair in repairs:
            self._repairs[repair.bucket].append(repair)

    def judge(self) -> Iterator[Violation]:
        """What was wrong, one violation at most for each message."""
        for life in self._lives:
            moved = life.removal is not None and life.removal.operation == "MovedToDeadLetterQueue"
            if life.letters and not moved and (sentence := self._undeserved(life)):
                yield Violation(3, life.letters[0], life.message_id, sentence)

    def _undeserved(self, life: Life) -> str:
        claim, copied = life.claim, life.letters[0]
        if not isinstance(claim, EventClaim) or not self._may_act(claim):
            return ""
        received = max((each.sequence for each in life.receipts if each.sequence < copied), default=0)
        marks = [watched.marks for watched in self._expectations.every_rule if watched.marks & claim.marks]
        if any(
            received < repair.sequence < copied and repair.marks & claim.marks for repair in self._repairs[claim.bucket]
        ):
            return f"dead-lettered, though {claim.bucket} had just been repaired"
        if not marks:
            return "dead-lettered, though no rule takes it"
        if claim.bucket in self._expectations.unrepairable or self._refused(claim.bucket, received, copied):
            return ""
        tries = sum(each.sequence < copied for other in self._copies.family(life) for each in other.receipts)
        if self._expectations.max_attempts is not None and tries >= self._expectations.max_attempts:
            return ""
        return f"dead-lettered after {tries} receipts, though no refusal was final"

    def _may_act(self, claim: EventClaim) -> bool:
        """Whether the claim could have led to anything: it is sound, of its rule's type, and of a resource of ours."""
        known = self._expectations
        ours = claim.account_id == known.account_id or claim.account_id in known.member_accounts
        if not claim.sound or claim.resource_type not in known.types_of(claim.marks) or not ours:
            return False
        history = self._buckets.get(claim.bucket)
        state = history.last.configuration if history else None
        return state is None or state.owner_id == claim.account_id

    def _refused(self, bucket: str, first: int, last: int) -> bool:
        found = self._refusals[bucket]
        return bisect_left(found, first) < bisect_left(found, last)


def _is_final(entry: JournalEntry) -> bool:
    status, code = int(entry.detail["status"]), str(entry.detail["refused"])
    return 400 <= status < 500 and status not in _PASSING_STATUSES and code not in _PASSING_CODES
