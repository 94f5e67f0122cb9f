"""Until when the queue had promised each message to whoever received it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from witness.entry import JournalEntry

_CLOCK_MOVED_MS = 300_000
"""Between two entries of a busy journal; more means that somebody has moved the services' clock."""


@dataclass(frozen=True, slots=True)
class _Grant:
    sequence: int
    access_key_id: str
    until_ms: int


class Leases:
    """Every receipt and every renewal of one queue."""

    def __init__(self, queue: str, lasting_keys: frozenset[str], entries: Iterable[JournalEntry]) -> None:
        self._lasting_keys = lasting_keys
        self._grants: dict[str, list[_Grant]] = defaultdict(list)
        self._clock_moved_at: list[int] = []
        before_ms: int | None = None
        for entry in entries:
            if before_ms is not None and abs(entry.time_ms - before_ms) > _CLOCK_MOVED_MS:
                self._clock_moved_at.append(entry.sequence)
            before_ms = entry.time_ms
            if entry.service == "mns" and entry.changed and entry.resource == f"queues/{queue}":
                self._read(entry)

    def held(self, message_id: str, entry: JournalEntry, grace_ms: int) -> bool:
        """Whether whoever made a request had the message at that time, by its last receipt or renewal of it.

        Another key's later receipt does not end a lease: the queue hands a message to two only by a fault of its own.
        """
        last = next(
            (
                grant
                for grant in reversed(self._grants[message_id])
                if grant.sequence < entry.sequence and self._is_one_holder(grant.access_key_id, entry.access_key_id)
            ),
            None,
        )
        if last is None:
            return False
        return entry.time_ms <= last.until_ms + grace_ms or self._clock_moved(last.sequence, entry.sequence)

    def _is_one_holder(self, first: str, second: str) -> bool:
        return first == second or not {first, second} & self._lasting_keys

    def _clock_moved(self, first: int, last: int) -> bool:
        """Whether the clock by which a lease is measured was put forward or back meanwhile; then nothing is known."""
        return any(first < moved <= last for moved in self._clock_moved_at)

    def _read(self, entry: JournalEntry) -> None:
        if entry.operation in ("ReceiveMessage", "BatchReceiveMessage"):
            for message in entry.detail["messages"]:
                self._grant(entry, str(message["message_id"]), int(message["next_visible_ms"]))
        elif entry.operation == "ChangeMessageVisibility":
            self._grant(entry, str(entry.detail["message_id"]), int(entry.detail["next_visible_ms"]))

    def _grant(self, entry: JournalEntry, message_id: str, until_ms: int) -> None:
        self._grants[message_id].append(_Grant(entry.sequence, entry.access_key_id, until_ms))
