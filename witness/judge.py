"""Puts the parts together: a journal and expectations in, a verdict out. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from witness.buckets import histories
from witness.changes import Changes
from witness.dead_letters import DeadLetters
from witness.entry import JournalEntry, was_refused
from witness.expectations import Expectations
from witness.final_state import final_violations
from witness.leases import Leases
from witness.parked import Copies
from witness.queue_log import Life, QueueLog
from witness.removals import Removals
from witness.repairs import repairs
from witness.verdict import Ending, MessageStory, Verdict, Violation


def judge(entries: Sequence[JournalEntry], expectations: Expectations) -> Verdict:
    """Whether the promises held in a run, by a journal that goes back to the creation of its queue and buckets."""
    log = QueueLog(expectations.queue, expectations.dead_letter_queue)
    log.read(entries)
    lives = list(log.lives.values())
    buckets = histories(entries)
    repaired = list(repairs(expectations, lives, buckets))
    copies = Copies(expectations, lives)
    endings, violations = Removals(
        expectations, lives, copies, buckets, _reads(entries, expectations), repaired
    ).judge()
    violations += copies.judge()
    leases = Leases(expectations.queue, expectations.lasting_access_keys, entries)
    violations += Changes(expectations, lives, buckets, leases).judge(entries)
    violations += (Violation(1, wrong.sequence, wrong.message_id, wrong.problem) for wrong in log.wrong_copies)
    if expectations.reads_journaled:
        violations += DeadLetters(expectations, lives, copies, buckets, entries, repaired).judge()
    if expectations.converged:
        violations += final_violations(expectations, lives, endings, buckets)
    return Verdict(
        violations=tuple(violations),
        messages=tuple(_story(life, endings[life.message_id], copies) for life in lives),
        exposure_seconds=tuple(each.exposure_seconds for each in repaired if each.exposure_seconds is not None),
        receipts=sum(len(life.receipts) for life in lives),
        repairs=len(repaired),
        copies=sum(1 for life in lives if copies.is_copy(life)),
        accidents=sum(1 for entry in entries if _is_accident(entry, expectations)),
    )


def _reads(entries: Iterable[JournalEntry], expectations: Expectations) -> dict[str, list[int]]:
    """Where the worker read which bucket."""
    found: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        if (
            entry.service in ("oss", "ecs")
            and not entry.changed
            and not was_refused(entry)
            and expectations.is_worker(entry.access_key_id)
        ):
            found[entry.resource].append(entry.sequence)
    return found


def _is_accident(entry: JournalEntry, expectations: Expectations) -> bool:
    return entry.service == "oss" and bool(entry.detail.get("created")) and expectations.is_worker(entry.access_key_id)


def _story(life: Life, ending: Ending, copies: Copies) -> MessageStory:
    return MessageStory(
        message_id=life.message_id,
        claim=life.claim,
        pushed_sequence=life.pushed_sequence,
        pushed_ms=life.pushed_ms,
        receipts=tuple(life.receipts),
        letters=tuple(life.letters),
        origin_id=life.origin_id if copies.is_copy(life) else life.message_id,
        ending=ending,
    )
