"""Whether the worker changed only what an event called for: promises 2 and 4."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from witness.buckets import BucketHistory
from witness.claim import EventClaim
from witness.entry import JournalEntry
from witness.expectations import Expectations
from witness.leases import Leases
from witness.queue_log import Life
from witness.rules import Watched
from witness.security_groups import GroupRule, is_open
from witness.verdict import Violation

_ON_QUEUE = frozenset(
    {
        "ReceiveMessage",
        "BatchReceiveMessage",
        "DeleteMessage",
        "BatchDeleteMessage",
        "ChangeMessageVisibility",
        "SendMessage",
    }
)
"""What is sent there has to be a true copy, which `Copies` judges."""
_ON_DEAD_LETTERS = frozenset({"SendMessage"})


class Changes:
    """Judges every change that the worker's keys made."""

    def __init__(
        self, expectations: Expectations, lives: Iterable[Life], buckets: dict[str, BucketHistory], leases: Leases
    ) -> None:
        self._expectations = expectations
        self._buckets = buckets
        self._leases = leases
        self._asked: dict[str, list[tuple[Life, Watched]]] = defaultdict(list)
        for life in lives:
            self._note(life)

    def judge(self, entries: Iterable[JournalEntry]) -> Iterator[Violation]:
        """What was wrong, in order."""
        for entry in entries:
            if entry.changed and self._expectations.is_worker(entry.access_key_id):
                problem = self._on_bucket(entry) if entry.service in ("oss", "ecs") else self._on_mns(entry)
                if problem is not None:
                    yield problem

    def _note(self, life: Life) -> None:
        """Remember what a message asks for, from the moment of its first receipt."""
        claim = life.claim
        if not isinstance(claim, EventClaim) or not claim.sound or not life.receipts:
            return
        for watched in self._expectations.rules:
            if watched.marks & claim.marks:
                self._asked[claim.bucket].append((life, watched))

    def _on_mns(self, entry: JournalEntry) -> Violation | None:
        known = self._expectations
        if entry.resource == f"queues/{known.queue}" and entry.operation in _ON_QUEUE:
            return None
        dead_letters = f"queues/{known.dead_letter_queue}" if known.dead_letter_queue else ""
        if entry.resource == dead_letters and entry.operation in _ON_DEAD_LETTERS:
            return None
        return Violation(4, entry.sequence, entry.resource, f"the worker has no business with {entry.operation} there")

    def _on_bucket(self, entry: JournalEntry) -> Violation | None:
        name, known = entry.resource, self._expectations
        if not name:
            return Violation(4, entry.sequence, "account", f"{entry.operation} changed the account itself")
        before = self._buckets[name].at(entry.sequence - 1)
        if entry.operation == "DeleteBucket":
            if before.created_by and known.is_worker(before.created_by):
                return None
            return Violation(2, entry.sequence, name, "the worker deleted a bucket that it had not created by accident")
        if name in known.exempt:
            return Violation(4, entry.sequence, name, f"{entry.operation} changed an exempt bucket")
        after = self._buckets[name].at(entry.sequence).configuration
        if after is not None and after.owner_id not in (known.account_id, *known.member_accounts):
            return Violation(4, entry.sequence, name, f"{entry.operation} changed a bucket of another account")
        return self._unasked(entry)

    def _unasked(self, entry: JournalEntry) -> Violation | None:
        name = entry.resource
        fitting = [
            (life, watched)
            for life, watched in self._asked[name]
            if life.received_by(entry.sequence) and entry.operation in watched.operations
        ]
        if not fitting:
            return Violation(4, entry.sequence, name, f"no event received by then called for {entry.operation}")
        if problem := self._is_wrong(entry, [watched for _, watched in fitting]):
            return Violation(4, entry.sequence, name, f"{entry.operation} {problem}")
        if not any(self._leases.held(life.message_id, entry, self._grace_ms) for life, _ in fitting):
            return Violation(4, entry.sequence, name, f"{entry.operation} outside the lease of every event about it")
        return None

    def _is_wrong(self, entry: JournalEntry, watching: list[Watched]) -> str:
        """What a change did that none of these called for.

        A setting of a bucket is written whole, so it fits at once. Rules are taken from a group one by one while others
        may add some: each one taken has to be open, and the rest has to hold for the group in the end.
        """
        if entry.service == "ecs":
            kept = [each["id"] for each in entry.detail["removed"] if not _any_wants_gone(watching, each)]
            return f"took rules that are not open: {', '.join(kept)}" if kept else ""
        after = self._buckets[entry.resource].at(entry.sequence).configuration
        fits = after is not None and any(watched.satisfied_by(after) for watched in watching)
        return "" if fits else "left it breaking the rule"

    @property
    def _grace_ms(self) -> int:
        return round(self._expectations.lease_grace_seconds * 1000)


def _any_wants_gone(watching: Iterable[Watched], rule: GroupRule) -> bool:
    return any(is_open(rule, watched.parameters) for watched in watching)
