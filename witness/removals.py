"""Whether each message that left the queue had the right to: promise 1, and how it ended."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from witness.buckets import BucketHistory, Moment
from witness.claim import EventClaim, NoClaim, OtherClaim
from witness.expectations import Expectations
from witness.parked import Copies
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
        copies: Copies,
        buckets: dict[str, BucketHistory],
        reads: dict[str, list[int]],
        repairs: Iterable[Repair],
    ) -> None:
        self._expectations = expectations
        self._lives = list(lives)
        self._copies = copies
        self._buckets = buckets
        self._reads = reads
        self._repairs = defaultdict(list)
        for repair in repairs:
            self._repairs[repair.bucket].append(repair)
        self._cases: dict[tuple[str, str], list[Case]] = defaultdict(list)
        self._endings: dict[str, Ending] = {}
        self._rests_on: dict[str, str] = {}
        """By message, the other one whose fate its own ending depends on."""
        self._problems: dict[str, Violation] = {}

    def judge(self) -> tuple[dict[str, Ending], list[Violation]]:
        """The ending of every message, and what was wrong."""
        unexplained: list[tuple[Life, str]] = []
        for life in self._lives:
            if (case := self._case(life)) is not None:
                self._cases[case.key].append(case)
            found = self._first_look(life)
            if isinstance(found, Ending):
                self._endings[life.message_id] = found
            else:
                unexplained.append((life, found))
        self._explain_by_others(unexplained)
        self._share_repairs()
        return self._endings, sorted(self._problems.values(), key=lambda problem: problem.sequence)

    def _case(self, life: Life) -> Case | None:
        claim = life.claim
        if not isinstance(claim, EventClaim):
            return None
        watched = next((each for each in self._expectations.every_rule if each.marks & claim.marks), None)
        return None if watched is None else Case(life, claim, watched)

    def _first_look(self, life: Life) -> Ending | str:
        """The ending as far as this message alone tells; else what is wrong unless another message explains it."""
        removal = life.removal
        if removal is None:
            return Ending.KEPT
        if removal.operation == "MessageExpired":
            return self._lost(life, 3, "the queue's retention dropped it before it had an ending")
        if any(letter <= removal.sequence for letter in life.letters):
            return Ending.DEAD_LETTERED
        if not self._expectations.is_worker(removal.access_key_id):
            return Ending.TAKEN
        standing = next((copy for copy in self._copies.standing_for(life) if _stood(copy, removal)), None)
        if standing is not None:
            self._rests_on[life.message_id] = standing.message_id
            return Ending.PARKED
        match life.claim:
            case NoClaim(reason):
                return f"deleted without a dead letter, though it says nothing ({reason})"
            case OtherClaim():
                return Ending.NOT_OURS
            case EventClaim():
                return self._event_ending(life, removal)

    def _event_ending(self, life: Life, removal: Removal) -> Ending | str:
        case = self._case(life)
        if case is None:
            return Ending.NOT_OURS
        claim = case.claim
        if not self._may_act(claim):
            return "deleted without a dead letter, though nobody may act on what it says"
        if claim.bucket in self._expectations.exempt:
            return Ending.EXEMPT
        history = self._buckets.get(claim.bucket)
        if history is None:
            return Ending.GONE
        received = life.receipts[-1].sequence if life.receipts else life.pushed_sequence
        return self._seen_well(case, history, received, removal.sequence) or (
            f"deleted, but {claim.bucket} complied at no moment that the worker could have seen"
        )

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

    def _may_act(self, claim: EventClaim) -> bool:
        """Whether anybody may act on what it says: it is sound, of its rule's type, and about a resource of ours."""
        known = self._expectations
        ours = claim.account_id == known.account_id or claim.account_id in known.member_accounts
        return claim.sound and claim.resource_type in known.types_of(claim.marks) and ours

    def _explain_by_others(self, unexplained: list[tuple[Life, str]]) -> None:
        """A deletion is right when another message stands for this one that is itself ended well or still kept.

        Explained in rounds, because the other one may be explained by one more.
        """
        waiting = unexplained
        while waiting:
            left = [(life, sentence) for life, sentence in waiting if not self._stood_for(life)]
            if len(left) == len(waiting):
                break
            waiting = left
        for life, sentence in waiting:
            self._endings[life.message_id] = self._lost(life, 1, sentence)

    def _stood_for(self, life: Life) -> bool:
        """Whether a copy of it, or a newer event in flight, stands for it; its ending and on what that rests."""
        removal = life.removal
        if removal is None:
            return False
        for copy in self._copies.standing_for(life):
            if self._ended_well(copy):
                return self._rest(life, Ending.PARKED, copy)
        case = self._case(life)
        if case is None or not self._may_act(case.claim):
            return False
        for newer in self._newer(case):
            if newer.life.received_by(removal.sequence) and (
                newer.life.in_queue_after(removal.sequence) or self._ended_well(newer.life)
            ):
                return self._rest(life, Ending.SUPERSEDED, newer.life)
        return False

    def _rest(self, life: Life, ending: Ending, other: Life) -> bool:
        self._endings[life.message_id] = ending
        self._rests_on[life.message_id] = other.message_id
        return True

    def _ended_well(self, other: Life) -> bool:
        """Whether another message has a good ending, and everything that this rests on has: what is not explained yet,
        such as the message in question, has none."""
        rest: str | None = other.message_id
        while rest is not None:
            if self._endings.get(rest, Ending.LOST) is Ending.LOST:
                return False
            rest = self._rests_on.get(rest)
        return True

    def _newer(self, case: Case) -> Iterator[Case]:
        for other in self._cases[case.key]:
            if other.life is not case.life and other.claim.order >= case.claim.order:
                yield other

    def _share_repairs(self) -> None:
        """Each repair is one message's work; the others that were in flight meanwhile followed it."""
        for cases in self._cases.values():
            for repair in self._repairs.get(cases[0].claim.bucket, []):
                following = [case for case in cases if self._was_in_flight(case, repair)]
                newest = max(
                    following, key=lambda case: (case.claim.order, case.life.receipts[-1].sequence), default=None
                )
                for case in following:
                    self._endings[case.life.message_id] = Ending.FIXED if case is newest else Ending.SUPERSEDED

    def _was_in_flight(self, case: Case, repair: Repair) -> bool:
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


def _stood(copy: Life, removal: Removal) -> bool:
    """Whether a copy was in the queue at the moment at which its message left it."""
    return copy.in_queue_after(removal.sequence)
