"""What the witness found: the story of each message, what was broken, and the counts a table shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from witness.claim import Claim


class Ending(StrEnum):
    """How a message ended, as far as the services saw."""

    FIXED = "fixed"
    """The worker changed the bucket while it held the message, and the bucket complied."""
    ALREADY_COMPLIANT = "already_compliant"
    GONE = "gone"
    EXEMPT = "exempt"
    SUPERSEDED = "superseded"
    NOT_OURS = "not_ours"
    DEAD_LETTERED = "dead_lettered"
    PARKED = "parked"
    """Sent again by the worker, and then deleted; the copy is a message with an ending of its own."""
    KEPT = "kept"
    """Still in the queue."""
    TAKEN = "taken"
    """Somebody else took it out of the queue: another consumer, an administrator."""
    LOST = "lost"
    """It left the queue without any ending that allows that."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise that was broken, and where in the journal that shows."""

    promise: int
    """1 to 5, as in docs/guarantees.md."""
    sequence: int
    """Of the journal entry; 0 for what is wrong at the end."""
    subject: str
    """The message's id or the bucket's name."""
    sentence: str

    def __str__(self) -> str:
        return f"promise {self.promise}, entry {self.sequence}, {self.subject}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One time that the queue handed a message out."""

    sequence: int
    time_ms: int
    access_key_id: str
    dequeue_count: int


@dataclass(frozen=True, slots=True)
class MessageStory:
    """One message of the queue from its arrival to its ending."""

    message_id: str
    claim: Claim
    pushed_sequence: int
    pushed_ms: int
    receipts: tuple[Receipt, ...]
    letters: tuple[int, ...]
    """Sequences at which copies of it arrived in the dead-letter queue."""
    origin_id: str
    """The message that it is a parked copy of; its own id for any other."""
    ending: Ending


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a whole run."""

    violations: tuple[Violation, ...]
    messages: tuple[MessageStory, ...]
    exposure_seconds: tuple[float, ...]
    """One for each repair: from the first evaluation that found the bucket broken to the worker's change."""
    receipts: int
    """How often any message was handed out."""
    repairs: int
    """Changes by the worker after which a bucket complied."""
    copies: int
    """Messages that the worker sent to its own queue: parked copies, those whose confirmation was lost included."""
    accidents: int
    """Buckets that the worker created although somebody had deleted them; all were taken back unless violated."""

    @property
    def kept_promises(self) -> bool:
        """Whether nothing was broken."""
        return not self.violations

    @property
    def endings(self) -> Counter[Ending]:
        """How many messages ended how."""
        return Counter(story.ending for story in self.messages)

    def exposure(self, share: float) -> float:
        """The exposure in seconds that this share of the repairs did not exceed; 0 without any repair."""
        ordered = sorted(self.exposure_seconds)
        if not ordered:
            return 0.0
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
