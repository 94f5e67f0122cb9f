"""Whether each message that left the queue had the right to: promise 1, and how it ended."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from witness.buckets import BucketHistory, Moment
from witness.claim import EventClaim, NoClaim, OtherClaim
from witness.expectations import Expectations
from witness.queue_log import Life, Removal
from witness.repairs import Repair
from witness.rules import Watched
from witness.verdict import Ending, Violation


@dataclass(frozen=True, slots=True)
class Case:
    """One event about one watched bucket, and its message."""

    life: Life
    claim: EventClaim
    watched: Watched

    @property
    def key(self) -> tuple[str, str]:
        """Events with the same key supersede each other."""
        return self.watched.group, self.claim.bucket


class Removals:
    """Judges the removals of one run."""

    def __init__(
        self,
        expectations: Expectations,
        lives: Iterable[Life],
        buckets: dict[str, BucketHistory],
        reads: dict[str, list[int]],
        repairs: Iterable[Repair],
    ) -> None:
        self._expectations = expectations
        self._lives = list(lives)
        self._buckets = buckets
        self._reads = reads
        self._repairs = defaultdict(list)
        for repair in repairs:
            self._repairs[repair.bucket].append(repair)
        self._cases: dict[tuple[str, str], list[Case]] = defaultdict(list)
        self._endings: dict[str, Ending] = {}
        self._problems: dict[str, Violation] = {}

    def judge(self) -> tuple[dict[str, Ending], list[Violation]]:
        """The ending of every message, and what was wrong."""
        unexplained: list[Case] = []
        for life in self._lives:
            case, found = self._case(life), self._first_look(life)
            if case is not None:
                self._cases[case.key].append(case)
            if found is not None:
                self._endings[life.message_id] = found
            elif case is not None:
                unexplained.append(case)
        self._explain_superseded(unexplained)
        self._share_repairs()
        return self._endings, sorted(self._problems.values(), key=lambda problem: problem.sequence)

    def _case(self, life: Life) -> Case | None:
        claim = life.claim
        if not isinstance(claim, EventClaim):
            return None
        watched = next((each for each in self._expectations.every_rule if each.marks & claim.marks), None)
        return None if watched is None else Case(life, claim, watched)

    def _first_look(self, life: Life) -> Ending | None:
        """The ending as far as this message alone tells; None when only a newer event could explain it."""
        removal = life.removal
        if removal is None:
            return Ending.KEPT
        if removal.operation == "MessageExpired":
            return self._lost(life, 3, "the queue's retention dropped it before it had an ending")
        if any(copy <= removal.sequence for copy in life.copies):
            return Ending.DEAD_LETTERED
        if not self._expectations.is_worker(removal.access_key_id):
            return Ending.TAKEN
        match life.claim:
            case NoClaim(reason):
                return self._lost(life, 1, f"deleted without a dead letter, though it says nothing ({reason})")
            case OtherClaim():
                return Ending.NOT_OURS
            case EventClaim():
                return self._event_ending(life, removal)

    def _event_ending(self, life: Life, removal: Removal) -> Ending | None:
        case = self._case(life)
        if case is None:
            return Ending.NOT_OURS
        claim = case.claim
        if not claim.sound or claim.resource_type != "ACS::OSS::Bucket" or not self._is_ours(claim.account_id):
            return self._lost(life, 1, "deleted without a dead letter, though nobody may act on what it says")
        if claim.bucket in self._expectations.exempt:
            return Ending.EXEMPT
        history = self._buckets.get(claim.bucket)
        if history is None:
            return Ending.GONE
        received = life.receipts[-1].sequence if life.receipts else life.pushed_sequence
        return self._seen_well(case, history, received, removal.sequence)

    def _seen_well(self, case: Case, history: BucketHistory, received: int, removed: int) -> Ending | None:
        """Whether the bucket was as it should be at some moment between the receipt and the deletion."""
        moments = list(history.between(received, removed))
        well = [moment for moment in moments if self._complies(case, moment)]
        if well and (not self._expectations.reads_journaled or self._was_read(case, history, received, removed)):
            return Ending.ALREADY_COMPLIANT
        return Ending.GONE if any(self._is_gone(moment) for moment in moments) else None

    def _complies(self, case: Case, moment: Moment) -> bool:
        found = None if self._is_gone(moment) else moment.configuration
        return found is not None and found.owner_id == case.claim.account_id and case.watched.satisfied_by(found)

    def _is_gone(self, moment: Moment) -> bool:
        """Whether there is no such bucket, or only one that the worker itself created by accident."""
        return not moment.exists or self._expectations.is_worker(moment.created_by)

    def _was_read(self, case: Case, history: BucketHistory, received: int, removed: int) -> bool:
        """Whether the worker read the bucket in that time, in a state that complies."""
        reads = self._reads.get(history.name, [])
        within = reads[bisect_right(reads, received) : bisect_right(reads, removed)]
        return any(self._complies(case, history.at(sequence)) for sequence in within)

    def _is_ours(self, account_id: str) -> bool:
        return account_id == self._expectations.account_id or account_id in self._expectations.member_accounts

    def _explain_superseded(self, unexplained: list[Case]) -> None:
        """A deletion is right when a newer event was in hand that is itself ended well or still kept.

        Explained in rounds, because the newer one may be explained by one that is newer still.
        """
        waiting = unexplained
        while waiting:
            left = [case for case in waiting if not self._superseded(case)]
            if len(left) == len(waiting):
                break
            waiting = left
        for case in waiting:
            name = case.claim.bucket
            self._endings[case.life.message_id] = self._lost(
                case.life, 1, f"deleted, but {name} complied at no moment that the worker could have seen"
            )

    def _superseded(self, case: Case) -> bool:
        removal = case.life.removal
        if removal is None:
            return False
        for newer in self._newer(case):
            ended_well = self._endings.get(newer.life.message_id, Ending.LOST) is not Ending.LOST
            if newer.life.received_by(removal.sequence) and (ended_well or newer.life.in_queue_after(removal.sequence)):
                self._endings[case.life.message_id] = Ending.SUPERSEDED
                return True
        return False

    def _newer(self, case: Case) -> Iterator[Case]:
        for other in self._cases[case.key]:
            if other.life is not case.life and other.claim.order >= case.claim.order:
                yield other

    def _share_repairs(self) -> None:
        """Each repair is one message's work; the others that were in hand meanwhile followed it."""
        for cases in self._cases.values():
            for repair in self._repairs.get(cases[0].claim.bucket, []):
                following = [case for case in cases if self._had_in_hand(case, repair)]
                newest = max(
                    following, key=lambda case: (case.claim.order, case.life.receipts[-1].sequence), default=None
                )
                for case in following:
                    self._endings[case.life.message_id] = Ending.FIXED if case is newest else Ending.SUPERSEDED

    def _had_in_hand(self, case: Case, repair: Repair) -> bool:
        life = case.life
        return (
            self._endings.get(life.message_id) in (Ending.ALREADY_COMPLIANT, Ending.GONE)
            and life.removal is not None
            and bool(life.receipts)
            and life.receipts[-1].sequence < repair.sequence < life.removal.sequence
            and bool(case.watched.marks & repair.marks)
        )

    def _lost(self, life: Life, promise: int, sentence: str) -> Ending:
        sequence = life.removal.sequence if life.removal else 0
        self._problems[life.message_id] = Violation(promise, sequence, life.message_id, sentence)
        return Ending.LOST
