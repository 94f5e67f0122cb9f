"""What a redriven message carries: where it comes from and since when, so that its age is not forgotten. Pure.

Its attempts begin anew, for a person has decided that it is worth another try. What a letter claims is believed as far
as a parked copy's history is: what does not fit the service's own times is no history at all.
"""

from __future__ import annotations

from dataclasses import replace

from consumer.core.parked import Carried, History, UserProperty, carried, reason, written
from consumer.operator.dlq.letters import Letter, Scalar

_REDRIVEN = "redriven"


def properties(letter: Letter, beside: Carried) -> tuple[UserProperty, ...]:
    """What to send beside the original body of a letter that carries this itself."""
    known = beside.history if letter.foreign else _claimed_history(letter)
    if known is None:
        return beside.foreign if letter.foreign else ()
    history = replace(
        known,
        attempts=0,
        reason=reason(_REDRIVEN, letter.reason),
        dead_letter_ms=min(known.dead_letter_ms or letter.queued_ms, letter.queued_ms),
    )
    own = written(history)
    if carried(own, letter.queued_ms).history is None:
        own = ()
    return (*own, *beside.foreign) if letter.foreign else own


def _claimed_history(letter: Letter) -> History | None:
    """The history in a letter of ours; None where a part of it is missing."""
    claimed = letter.document
    origin_id = claimed.get("origin_id") or claimed.get("message_id")
    enqueued, received = _number(claimed.get("enqueued_at_ms")), _number(claimed.get("first_seen_ms"))
    if not isinstance(origin_id, str) or not enqueued or not received:
        return None
    return History(
        origin_id=origin_id,
        first_enqueued_ms=enqueued,
        first_received_ms=received,
        receipts=_number(claimed.get("receipts")) or _number(claimed.get("dequeue_count")) or 1,
        attempts=0,
        reason="",
        dead_letter_ms=_number(claimed.get("first_dead_lettered_at_ms")) or letter.at_ms,
    )


def _number(value: Scalar) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
