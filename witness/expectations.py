"""What the witness has to know about a run: queues, rules, keys, and which buckets are special. Pure values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from witness.rules import BucketState, Watched


@dataclass(frozen=True, slots=True)
class Expectations:
    """What holds for one run."""

    account_id: str
    queue: str
    dead_letter_queue: str | None = None
    rules: tuple[Watched, ...] = ()
    """Rules in mode enforce; events of any other rule are not the worker's business."""
    member_accounts: frozenset[str] = frozenset()
    """Further accounts whose buckets the worker may repair."""
    observed: tuple[Watched, ...] = ()
    """Rules in mode observe: their events are kept while the bucket breaks them, and nothing is changed."""
    worker_access_keys: frozenset[str] | None = None
    """Keys that the worker signs with; None means every key except `other_access_keys`."""
    other_access_keys: frozenset[str] = frozenset()
    lasting_access_keys: frozenset[str] = frozenset()
    """Keys that one replica keeps for the whole run; the others' are renewed, so that their holder is not known."""
    exempt: Collection[str] = field(default=frozenset())
    """Buckets that must not be changed, and whose events end well as they are."""
    held: Collection[str] = field(default=frozenset())
    """Buckets whose repair may be held back (limit, contest): they may stay broken and their messages in the queue."""
    converged: bool = True
    """Whether the run was given the time to end everything; without it nothing is expected of the final state."""
    reads_journaled: bool = False
    """Whether the journal holds reads and refusals: then every change has to have been read back before its message
    was deleted, and every dead letter has to have been deserved."""
    unrepairable: Collection[str] = field(default=frozenset())
    """Buckets that only a person can repair; their events may be dead-lettered at once."""
    max_attempts: int | None = None
    """After so many receipts a message may be dead-lettered without a final refusal; None means never."""
    lease_grace_seconds: float = 2.0
    """How long after a lease's end a change may still take effect that was sent within it."""

    @property
    def every_rule(self) -> tuple[Watched, ...]:
        """Enforced and observed rules."""
        return (*self.rules, *self.observed)

    def types_of(self, marks: frozenset[str]) -> frozenset[str]:
        """What the rules judge that an event names by these marks; buckets where no rule takes it."""
        found = frozenset(watched.resource_type for watched in self.every_rule if watched.marks & marks)
        return found or frozenset({BucketState.resource_type})

    def is_worker(self, access_key_id: str) -> bool:
        """Whether a request with this key came from the worker; what the emulator does by itself has no key."""
        if not access_key_id or access_key_id in self.other_access_keys:
            return False
        return self.worker_access_keys is None or access_key_id in self.worker_access_keys

    def may_stay_broken(self, bucket: str) -> bool:
        """Whether nothing is expected of this bucket."""
        return bucket in self.exempt or bucket in self.held
