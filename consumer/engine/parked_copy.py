"""The copy by which a message is parked: its delay, and the properties that travel beside its body. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from consumer.core.message import NORMAL_PRIORITY, Received
from consumer.core.outcome import Ending
from consumer.core.parked import MOST_COUNTED, MOST_PROPERTIES, History, UserProperty, reason, written

_WAITING_PRIORITY = NORMAL_PRIORITY + 1


@dataclass(frozen=True, slots=True)
class ParkedCopy:
    """One request that parks, without the body, which is the original's."""

    delay_seconds: int
    properties: tuple[UserProperty, ...]
    priority: int
    trial: int = 0
    """How often parking had been interrupted when it was planned; after one more interruption it is not sent."""


def properties(message: Received, ending: Ending, attempts: int, max_bytes: int) -> tuple[UserProperty, ...] | None:
    """What travels beside the body of the next copy; None where the queue would not even take the body.

    What has no room stays behind: the properties of others, which nothing here reads, and then our own. The copy of an
    event that fills its 64 KB is a new message to every process but this one, which is better than none.
    """
    own = written(history(message, ending, attempts))
    foreign = message.carried.foreign if message.carried.whole else ()
    room_bytes = max_bytes - len(message.body.encode("utf-8", "surrogatepass"))
    for chosen in ((*own, *foreign), own, ()):
        if len(chosen) <= MOST_PROPERTIES and sum(found.size_bytes for found in chosen) <= room_bytes:
            return chosen
    return None


def history(message: Received, ending: Ending, attempts: int) -> History:
    """The history of the next copy of a message."""
    known = message.carried.history
    first_enqueued = max(message.first_enqueued_ms, 1)
    attempts = min(attempts, MOST_COUNTED)
    return History(
        origin_id=message.origin_id,
        first_enqueued_ms=first_enqueued,
        first_received_ms=max(message.first_received_ms, first_enqueued),
        receipts=min(max(message.receipts, attempts, 1), MOST_COUNTED),
        attempts=attempts,
        reason=reason(ending.outcome.value, ending.reason),
        dead_letter_ms=known.dead_letter_ms if known else 0,
    )


def priority(message: Received) -> int:
    """After whatever is new: what waits, however much it is, never keeps a fresh event waiting.

    The service delivers the higher priority first: https://www.alibabacloud.com/help/en/mns/developer-reference/sendmessage
    """
    return max(message.priority or NORMAL_PRIORITY, _WAITING_PRIORITY)
