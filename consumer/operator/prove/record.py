"""What was seen of one proof: plain values for people and scripts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from consumer.operator.check.findings import CheckResult, Status

PROOF = "proof"


class ProofResult(StrEnum):
    """What a proof came to."""

    REPAIRED = "repaired"
    """A worker repaired the canary, by its own account."""
    REPAIRED_UNWITNESSED = "repaired_unwitnessed"
    """The canary was repaired, and who did it cannot be seen from here."""
    OBSERVED = "observed"
    """The event reached a worker, whose rule only observes."""
    KEPT = "kept"
    """The event reached a worker, which did not repair the canary and says why."""
    NOT_TAKEN = "not_taken"
    """The event is in the queue, and nobody took it."""
    NOT_SEEN = "not_seen"
    """Neither a repair was seen, nor the event."""
    STOPPED = "stopped"
    """It could not be gone through to the end, or somebody stopped it."""
    NOT_BEGUN = "not_begun"
    """Nothing was broken."""


@dataclass(slots=True)
class ProofTimes:
    """How long each leg took, in seconds; None for one that was not seen."""

    broken: float | None = None
    """To break the canary and read that back."""
    published: float | None = None
    """Until the topic confirmed the event."""
    received: float | None = None
    """From when it was sent to the topic until a worker received it, by the clocks of both machines."""
    repaired: float | None = None
    """From there until the worker had read its repair back."""
    settled: float | None = None
    """From there until the message was off the queue."""
    whole_way: float | None = None
    """From when it was sent to the topic until the repair was seen from here."""
    restored: float | None = None
    """To leave the canary as it was found."""

    def document(self) -> dict[str, float | None]:
        """For scripts, in the order of the way."""
        return {
            "broken": self.broken,
            "published": self.published,
            "received": self.received,
            "repaired": self.repaired,
            "settled": self.settled,
            "whole_way": self.whole_way,
            "restored": self.restored,
        }

    def text(self) -> str:
        """Those that were seen, in their order."""
        seen = {name: value for name, value in self.document().items() if value is not None}
        return ", ".join(f"{_WORDS[name]} {value:.2f} s" for name, value in seen.items())


_WORDS = {
    "broken": "break",
    "published": "publish",
    "received": "topic to worker",
    "repaired": "repair",
    "settled": "settle",
    "whole_way": "whole way",
    "restored": "put back",
}


@dataclass(slots=True)
class ProofRecord:
    """One proof; filled as it goes on."""

    rule: str
    remediation: str
    mode: str
    bucket: str
    region: str
    result: ProofResult = ProofResult.NOT_BEGUN
    event: str = ""
    """The request id that the event carries."""
    published_at_ms: int = 0
    """When it was sent to the topic, by this machine's clock."""
    published_as: str = ""
    """The id that the topic gave the message."""
    message_id: str = ""
    """The id by which the worker journaled it."""
    found: str = ""
    """The canary's state before."""
    broken_as: str = ""
    by: str = ""
    """Who repaired it: host and process, or the address whose metrics counted it."""
    seen_in: str = ""
    """`journal` or `metrics`."""
    restored: bool | None = None
    """Whether the canary is as it was found; None where it was never touched."""
    seconds: ProofTimes = field(default_factory=ProofTimes)

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "rule": self.rule,
            "remediation": self.remediation,
            "mode": self.mode,
            "bucket": self.bucket,
            "region": self.region,
            "result": self.result.value,
            "event": self.event,
            "published_at_ms": self.published_at_ms,
            "published_as": self.published_as,
            "message_id": self.message_id,
            "found": self.found,
            "broken_as": self.broken_as,
            "by": self.by,
            "seen_in": self.seen_in,
            "restored": self.restored,
            "seconds": self.seconds.document(),
        }


@dataclass(frozen=True, slots=True)
class ProofFinding(CheckResult):
    """What a check says, with the proof behind it."""

    proof: ProofRecord | None = None

    def document(self) -> dict[str, Any]:
        """For scripts: as of any check, with the proof."""
        base = CheckResult(self.check, self.status, self.message, self.remedy).document()
        return {**base, "proof": self.proof.document() if self.proof else None}

    def as_failed(self) -> ProofFinding:
        """The same, where leaving it out is not good enough."""
        return replace(self, status=Status.FAILED)


def finding(record: ProofRecord, status: Status, message: str, remedy: str = "") -> ProofFinding:
    """A finding about a rule."""
    return ProofFinding(PROOF, status, f"{record.rule}: {message}", remedy, record)
