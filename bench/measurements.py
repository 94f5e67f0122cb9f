"""What was measured, as records; they are what the JSON holds and what verdicts are made from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds until a message was settled."""

    enqueued_p50_ms: float
    enqueued_p99_ms: float
    """From being enqueued."""
    received_p50_ms: float
    received_p99_ms: float
    """From its receipt; of a Redis peer from its first OSS request, which is later than its receipt."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One window of one contender in one round."""

    row: str
    contender: str
    round: int
    seconds: float
    messages: int
    cpu_ms_per_message: float
    mns_requests_per_message: float
    oss_requests_per_message: float
    rss_mb: float
    server_utilisation: float
    """CPU seconds of the canned server per second of the window."""
    client_utilisation: float
    latency: Latency | None = None
    others_share: float = 0.0
    """CPU seconds per second that everything else took of the measured cores."""

    @property
    def messages_per_second(self) -> float:
        """Settled in the window."""
        return self.messages / self.seconds


@dataclass(frozen=True, slots=True)
class KillResult:
    """What kill -9 in the middle of a backlog came to."""

    contender: str
    messages: int
    settled_at_kill: int
    in_flight_at_kill: int
    """Handed out and not settled when the process died; of a Redis peer what it had begun at OSS."""
    lost: int
    """Neither settled nor held anywhere when the wait ended."""
    not_back: int
    """Not settled when the wait ended, but still held by the queue."""
    repeated: int
    """Buckets that were changed more than once."""
    done_after_seconds: float | None
    """From the kill to the last one settled; None if that did not happen within the wait."""
    waited_seconds: float
    visibility_seconds: float


@dataclass(frozen=True, slots=True)
class IdleResult:
    """What a replica costs that has nothing to do."""

    contender: str
    seconds: float
    requests: int
    seconds_per_request: float
    core_share: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class StartResult:
    """How long one start took, from the process's creation to the first receive at the server."""

    contender: str
    seconds: float
    others_share: float = 0.0
    """CPU seconds per second that everything else took of the measured cores meanwhile."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody who could not be measured, and why."""

    row: str
    contender: str
    reason: str


@dataclass(slots=True)
class Results:
    """Everything of one run of the benchmark; grows as rows are measured."""

    measurements: list[Measurement]
    kills: list[KillResult]
    idles: list[IdleResult]
    starts: list[StartResult]
    absences: list[Absence]

    @classmethod
    def empty(cls) -> Results:
        """Nothing measured yet."""
        return cls([], [], [], [], [])

    def of(self, row: str, contender: str) -> list[Measurement]:
        """One contender's rounds in one row, in order."""
        found = [each for each in self.measurements if each.row == row and each.contender == contender]
        return sorted(found, key=lambda each: each.round)
