"""What happened to every bucket and message, and how many requests it took: the server's memory of one run.

Times are `time.monotonic()`, which all processes of one Linux machine share, so a client's own moments can be compared
with these. Nothing is judged here.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Track:
    """The way of one bucket and its message; 0.0 is "never"."""

    bucket: str
    enqueued_at: float = 0.0
    received_at: float = 0.0
    """The first receipt of its message."""
    deliveries: int = 0
    first_call_at: float = 0.0
    """When the first OSS request for it arrived."""
    puts: int = 0
    confirmed_at: float = 0.0
    """When the first read after the first PutBucketAcl was answered."""
    deleted_at: float = 0.0
    operations: list[str] = field(default_factory=list)
    """The OSS requests for it, in order."""

    @classmethod
    def from_row(cls, row: list[Any]) -> Track:
        """The track in one row of a control answer."""
        return cls(*row)

    def row(self) -> list[Any]:
        """As a row of a control answer: far smaller than a dict each."""
        return [getattr(self, each.name) for each in fields(self)]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every counter at one moment; two of them make a window."""

    at: float
    cpu_seconds: float
    """Of the server, since its start."""
    deleted: int
    confirmed: int
    """Buckets whose change has been read back."""
    received: int
    """Deliveries, repeated ones included."""
    visible: int
    hidden: int
    requests: dict[str, int]
    """By operation, `mns:` or `oss:` in front."""
    first_receive_at: float
    """When the first receive arrived; 0.0 before."""
    last_receive_at: float
    """When the latest receive arrived."""


class Ledger:
    """Counts and tracks for one run."""

    def __init__(self) -> None:
        self.tracks: dict[str, Track] = {}
        self.requests: Counter[str] = Counter()
        self.deleted = 0
        self.confirmed = 0
        self.received = 0
        self.first_receive_at = 0.0
        self.last_receive_at = 0.0

    def add(self, bucket: str, enqueued_at: float) -> None:
        """A bucket that is to be repaired exists from now on."""
        self.tracks[bucket] = Track(bucket, enqueued_at)

    def asked(self, operation: str, now: float) -> None:
        """A request of this operation arrived."""
        self.requests[operation] += 1
        if operation.endswith("ReceiveMessage"):
            self.first_receive_at = self.first_receive_at or now
            self.last_receive_at = now

    def delivered(self, bucket: str, now: float) -> None:
        """The bucket's message was handed out."""
        track = self.tracks[bucket]
        track.received_at = track.received_at or now
        track.deliveries += 1
        self.received += 1

    def called(self, track: Track, operation: str, now: float) -> None:
        """An OSS request for the bucket arrived."""
        track.first_call_at = track.first_call_at or now
        track.operations.append(operation)

    def read_back(self, track: Track, now: float) -> None:
        """A read of the bucket was answered."""
        if track.puts and not track.confirmed_at:
            track.confirmed_at = now
            self.confirmed += 1

    def removed(self, bucket: str, now: float) -> None:
        """The bucket's message was deleted."""
        self.tracks[bucket].deleted_at = now
        self.deleted += 1

    def snapshot(self, now: float, visible: int, hidden: int) -> dict[str, Any]:
        """All counters now, as JSON; read it with `Snapshot(**answer)`."""
        return asdict(
            Snapshot(
                now,
                time.process_time(),
                self.deleted,
                self.confirmed,
                self.received,
                visible,
                hidden,
                dict(self.requests),
                self.first_receive_at,
                self.last_receive_at,
            )
        )
