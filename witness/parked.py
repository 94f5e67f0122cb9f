"""What the worker sends to its own queue: true copies of messages that it had received, and nothing else.

A message that has to wait may be sent again with a delay, and the first one be deleted then. The copy is one more
message to the queue, so what holds for any message has to hold for it too. What ties it to the first one is
written beside its body, in properties whose names docs/guarantees.md lists.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from witness.expectations import Expectations
from witness.queue_log import ORIGIN, Life
from witness.verdict import Violation

_PREFIX = "remediator-"
_NO_ROOM_BYTES = 65_536 - 1_024
"""A larger body may leave no room for its history: a message has 64 KB, properties included, whose names alone take 150
bytes. https://www.alibabacloud.com/help/en/mns/product-overview/limits
"""


@dataclass(frozen=True, slots=True)
class History:
    """What a copy says of the messages before it; milliseconds by the service's clock."""

    first_enqueued_ms: int
    first_received_ms: int
    receipts: int
    attempts: int


class Copies:
    """Everything that the worker sent to its own queue in one run."""

    def __init__(self, expectations: Expectations, lives: Iterable[Life]) -> None:
        self._expectations = expectations
        self._with_body: dict[str, list[Life]] = defaultdict(list)
        for life in lives:
            self._with_body[life.body].append(life)

    def is_copy(self, life: Life) -> bool:
        """Whether the worker sent it; what anybody else sends is a message of its own."""
        return self._expectations.is_worker(life.sent_by)

    def standing_for(self, life: Life) -> Iterator[Life]:
        """The copies that were made of a message between its first receipt and its removal: each may stand for it.

        Not only after its last receipt: a deletion that was refused may be repeated when the message comes back.
        """
        if life.removal is None or not life.receipts:
            return
        received, removed = life.receipts[0].sequence, life.removal.sequence
        for other in self._with_body[life.body]:
            sent_between = other is not life and received < other.pushed_sequence < removed and self.is_copy(other)
            traced = _history(other.properties) is not None or self._bare(other)
            if sent_between and traced and self._same_origin(life, other):
                yield other

    def origins(self, life: Life) -> frozenset[str]:
        """The ids that may be the first message's: of a copy the one that it names.

        What others write into a message of their own may be believed or not; it cannot be checked.
        """
        if self.is_copy(life):
            return frozenset({life.origin_id})
        return frozenset({life.message_id, life.origin_id} - {""})

    def family(self, life: Life) -> list[Life]:
        """A message and everything that may have been sent in its place, before it and after it."""
        return [other for other in self._with_body[life.body] if self._same_origin(life, other)]

    def judge(self) -> Iterator[Violation]:
        """What was wrong with the copies themselves."""
        for lives in self._with_body.values():
            for life in lives:
                if self.is_copy(life) and (problem := self._problem(life)):
                    yield Violation(problem[0], life.pushed_sequence, life.message_id, problem[1])

    def _problem(self, copy: Life) -> tuple[int, str] | None:
        """The promise that a copy breaks, and how."""
        parents = self._parents(copy)
        if not parents:
            return 4, "sent to the queue, but no copy of a message that the worker had received"
        history = _history(copy.properties)
        if history is None and not self._bare(copy):
            return 3, "sent again without its history"
        if copy.expires_ms <= copy.next_visible_ms:
            return 3, "sent again with a delay that its retention does not outlast"
        if history is not None and (sentence := self._backwards(history, copy, parents)):
            return 3, sentence
        return None

    def _parents(self, copy: Life) -> list[Life]:
        """The messages that it may be a copy of: those still in the queue, where there are any."""
        received = [
            life
            for life in self._with_body[copy.body]
            if life is not copy and self._same_origin(life, copy) and self._received(life, copy.pushed_sequence)
        ]
        return [life for life in received if life.in_queue_after(copy.pushed_sequence)] or received

    def _same_origin(self, life: Life, other: Life) -> bool:
        """Whether both may be the same first message's; of one body, one may be any other's if it says nothing."""
        return bool(self.origins(life) & self.origins(other)) or self._bare(life) or self._bare(other)

    def _bare(self, life: Life) -> bool:
        """Whether it is a copy that says nothing of itself because its body leaves no room for that."""
        silent = not any(name.startswith(_PREFIX) for name in life.properties)
        return silent and self.is_copy(life) and len(life.body.encode("utf-8", "surrogatepass")) > _NO_ROOM_BYTES

    def _received(self, life: Life, sequence: int) -> bool:
        """Whether the worker had received it by then."""
        return any(
            receipt.sequence < sequence and self._expectations.is_worker(receipt.access_key_id)
            for receipt in life.receipts
        )

    def _backwards(self, history: History, copy: Life, parents: list[Life]) -> str:
        """What a copy has forgotten that every message it may be a copy of still knew."""
        before = [self._known(life, copy.pushed_sequence) for life in parents]
        if history.attempts < min(known.attempts for known in before):
            return f"its attempts went back to {history.attempts}"
        if history.receipts < min(known.receipts for known in before):
            return f"its receipts went back to {history.receipts}"
        if history.first_enqueued_ms > max(known.first_enqueued_ms for known in before):
            return "it says that it was enqueued later than its original was"
        # Not before it was enqueued either, which a clock that was put back may say.
        if history.first_received_ms > max(max(known.first_received_ms, known.first_enqueued_ms) for known in before):
            return "it says that it was received later than its original was"
        return ""

    def _known(self, life: Life, sequence: int) -> History:
        """The least that is known of a message after its receipt: of another replica's nobody need know."""
        history = _history(life.properties) if self.is_copy(life) else None
        if history is not None:
            return replace(history, receipts=history.receipts + 1)
        received_ms = next(each.time_ms for each in life.receipts if each.sequence < sequence)
        return History(life.pushed_ms, received_ms, receipts=1, attempts=0)


def _history(properties: Mapping[str, str]) -> History | None:
    """The history in a copy's properties; None when a part of it is missing or no number."""
    names = ("first-enqueued-ms", "first-received-ms", "receipts", "attempts")
    found = [properties.get(_PREFIX + name, "") for name in names]
    if not properties.get(ORIGIN) or not all(text.isascii() and text.isdecimal() and len(text) < 20 for text in found):
        return None
    return History(*(int(text) for text in found))
