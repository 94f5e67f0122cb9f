"""What a proof shows, by what was seen: the repair, the worker's own record of it, its metrics, and the queue. Pure.

Not knowing is never success: a repair that nobody saw being made is a warning, and an event that is not seen is called
that, and not lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consumer.core.outcome import Outcome
from consumer.guards.chain import PERMISSION_MISSING, READS_BACK_OLD
from consumer.guards.rule import Mode, Rule
from consumer.operator.check.findings import Status
from consumer.operator.prove.journaled import EventRecord
from consumer.operator.prove.record import ProofFinding, ProofRecord, ProofResult, finding

_GOES_ON = frozenset({Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.SUPERSEDED, Outcome.FAILED, Outcome.LEASE_LOST})
"""Endings of one delivery after which the canary may be repaired yet."""
_LEFT = "Its event may come back: a worker then ends it as already_compliant"
_RIGHTS = "its write rights show only in mode enforce: put a rule for the canary alone (rules.resources) before it"


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was seen of one proof."""

    repaired: bool
    """Whether the canary was read as it was before the break."""
    journal: EventRecord
    journal_trouble: str
    """Why there is no journal to look at; empty if there is."""
    counts: Mapping[Outcome, int]
    """Outcomes of the rule that a worker counted since."""
    worker: str
    """Whose counts these are; empty for nobody's."""
    waited_seconds: int
    in_queue: int | None = None
    """How often the event was delivered so far, if it is visible in the queue; None if it was not seen there."""
    queue_trouble: str = ""
    """Why that may mean nothing."""


def concluded(rule: Rule, seen: Seen) -> bool:
    """Whether waiting for longer shows nothing more."""
    outcome = seen.journal.outcome
    if outcome is not None:
        return outcome not in _GOES_ON and not seen.journal.reason.startswith(READS_BACK_OLD)
    return rule.mode is Mode.OBSERVE and Outcome.WOULD_FIX in seen.counts


def witnessed(seen: Seen) -> bool:
    """Whether a worker itself says that it has repaired the canary."""
    return seen.journal.fixed_by is not None or Outcome.FIXED in seen.counts


def judged(rule: Rule, record: ProofRecord, seen: Seen, command: Callable[..., str]) -> ProofFinding:
    """The verdict; fills in who, how, and how long the worker took. `command` makes words one for a person to type."""
    _timed(record, seen.journal)
    if seen.repaired:
        return _repaired(record, seen)
    if outcome := seen.journal.outcome or _counted(rule, seen):
        return _not_repaired(rule, record, seen, outcome, command)
    if seen.in_queue is not None:
        return _in_queue(record, seen, seen.in_queue)
    record.result = ProofResult.NOT_SEEN
    text = f"not repaired within {seen.waited_seconds} s, and the event is not visible in the queue{_but(seen)}"
    remedy = (
        f"a worker may keep it (it observes, or guards hold): look for {record.bucket} in its log or journal, or say"
        f" where it is with --url; else see whether the subscription delivers. {_LEFT}"
    )
    return finding(record, Status.FAILED, text, remedy)


def _timed(record: ProofRecord, journal: EventRecord) -> None:
    """The legs that only the worker's journal shows, of our own event."""
    ending, seconds = journal.ending, record.seconds
    if journal.received is None or ending is None:
        return
    seconds.received = _between(record.published_at_ms, journal.received.at_ms)
    if journal.outcome is Outcome.FIXED:
        seconds.repaired = _between(journal.received.at_ms, ending.at_ms)
        if journal.settled is not None:
            seconds.settled = _between(ending.at_ms, journal.settled.at_ms)


def _between(earlier_ms: int, later_ms: int) -> float:
    """Seconds; none where two machines' clocks disagree by more than it took."""
    return max(0, later_ms - earlier_ms) / 1000


def _repaired(record: ProofRecord, seen: Seen) -> ProofFinding:
    journal = seen.journal
    if journal.fixed_by is not None:
        record.result, record.seen_in = ProofResult.REPAIRED, "journal"
        record.by, record.message_id = journal.fixed_by.text("who"), journal.fixed_by.text("message_id")
        ours = journal.outcome is Outcome.FIXED
        other = "" if ours else ", for another event about it; ours had nothing left to repair"
        return finding(record, Status.OK, f"repaired by {record.by}{other}")
    if Outcome.FIXED in seen.counts:
        record.result, record.seen_in, record.by = ProofResult.REPAIRED, "metrics", seen.worker
        text = f"repaired, and {seen.worker} counts one more repair of this rule"
        return finding(record, Status.OK, text)
    record.result = ProofResult.REPAIRED_UNWITNESSED
    text = f"repaired, but by whom cannot be seen from here: {_blind(seen)}"
    remedy = (
        "run it where the worker's journal is, or say where the worker is with --url; another proof at the same time"
    )
    return finding(record, Status.WARNING, text, f"{remedy} that is put back looks alike")


def _not_repaired(
    rule: Rule, record: ProofRecord, seen: Seen, outcome: Outcome, command: Callable[..., str]
) -> ProofFinding:
    by = seen.journal.ending.text("who") if seen.journal.ending else seen.worker
    record.by, record.seen_in = by, "journal" if seen.journal.ending else "metrics"
    record.message_id = seen.journal.ending.text("message_id") if seen.journal.ending else ""
    if outcome is Outcome.WOULD_FIX and rule.mode is Mode.OBSERVE:
        record.result = ProofResult.OBSERVED
        text = f"the event reached {by}, which only observes: it would have repaired"
        return finding(record, Status.WARNING, text, f"{_RIGHTS}. {_LEFT}")
    record.result = ProofResult.KEPT
    why = f": {seen.journal.reason}" if seen.journal.reason else ""
    return finding(
        record,
        Status.FAILED,
        f"the event reached {by}, and ended there as {outcome}{why}",
        _advice(outcome, seen.journal.reason, command),
    )


def _in_queue(record: ProofRecord, seen: Seen, deliveries: int) -> ProofFinding:
    record.result = ProofResult.NOT_TAKEN
    if deliveries:
        text = f"not repaired within {seen.waited_seconds} s: the event was received {deliveries} times and came back"
        return finding(record, Status.FAILED, text, f"look for {record.bucket} in the worker's log. {_LEFT}")
    text = f"the event is in the queue, but nobody took it within {seen.waited_seconds} s"
    remedy = f"start a worker on this queue, or see why it does not poll (/readyz says it). {_LEFT}"
    return finding(record, Status.FAILED, text, remedy)


def _counted(rule: Rule, seen: Seen) -> Outcome | None:
    """What a worker counted that can be this event; of a rule that observes that is would_fix."""
    expected = (Outcome.WOULD_FIX,) if rule.mode is Mode.OBSERVE else tuple(Outcome)
    return next((each for each in expected if each in seen.counts and each not in _GOES_ON), None)


def _advice(outcome: Outcome, reason: str, command: Callable[..., str]) -> str:
    match outcome:
        case Outcome.HELD if reason.startswith(PERMISSION_MISSING):
            return f"let the worker's role have what {command('ram-policy')} prints. {_LEFT}"
        case Outcome.WOULD_FIX:
            return f"the worker runs with another configuration, where this rule observes. {_LEFT}"
        case Outcome.HELD:
            return f"see what holds it, in the reason, in docs/guards.md and on the worker's page. {_LEFT}"
        case Outcome.REJECTED | Outcome.EXHAUSTED | Outcome.INVALID:
            letters = command("dlq", "list")
            return f"repair what the reason names; a letter is left in the dead-letter queue: {letters}"
        case _:
            return f"compare the worker's configuration with this one: {command('config', 'show', '--changed')}"


def _but(seen: Seen) -> str:
    return f" ({seen.queue_trouble})" if seen.queue_trouble else ""


def _blind(seen: Seen) -> str:
    journal = seen.journal_trouble or "it is not in the journal"
    metrics = f"{seen.worker} counts none" if seen.worker else "no worker's metrics were read"
    return f"{journal}, and {metrics}"
