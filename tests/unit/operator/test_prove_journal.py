"""What a proof reads in the worker's journal, and what it concludes from that and from nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from consumer.core.outcome import Outcome
from consumer.guards.rule import Mode, Rule, Selector
from consumer.journal.file import JournalFile, encoded
from consumer.operator.check.findings import Status
from consumer.operator.prove.journaled import EventRecord, FollowedJournal, Marks
from consumer.operator.prove.record import ProofRecord, ProofResult
from consumer.operator.prove.verdict import Seen, concluded, judged
from tests.unit.remediations.findings import remediation

MARKS = Marks("the-canary", "encryption", 1_700_000_000_123)
ABOUT = {"resource": "the-canary", "rule": "encryption", "evaluated_at_ms": MARKS.evaluated_at_ms}


def write(path: Path, *lines: dict[str, Any], who: str = "worker:1") -> None:
    """What a worker journals."""
    file = JournalFile(path)
    stamp = {"at_ms": 1, "who": who}
    file.append([encoded({**stamp, "message_id": "m-1", "dequeue_count": 1, **line}) for line in lines], stamp)
    file.close()


def fixed(**more: Any) -> tuple[dict[str, Any], ...]:
    """A message from its receipt to its end."""
    return (
        {"step": "received", **{name: value for name, value in more.items() if name == "message_id"}},
        {"step": "before", **ABOUT, **more},
        {"step": "verified", **ABOUT, "outcome": "fixed", "reason": "", "detail": "", **more},
        {"step": "settled", **ABOUT, "outcome": "fixed", **more},
    )


def test_only_what_comes_from_now_on_counts(tmp_path: Path) -> None:
    """An earlier proof of the same rule is no proof of this one."""
    path = tmp_path / "journal.jsonl"
    write(path, *fixed())
    journal = FollowedJournal(path, MARKS)
    assert journal.look() == EventRecord()
    write(path, *fixed())
    seen = journal.look()
    assert (seen.outcome, seen.fixed_by is not None, seen.received is not None, seen.settled is not None) == (
        Outcome.FIXED,
        True,
        True,
        True,
    )


@pytest.mark.parametrize(
    "more", [{"resource": "another"}, {"rule": "another"}, {"message_id": "m-2", "evaluated_at_ms": 5}]
)
def test_other_events_are_not_taken_for_ours(more: dict[str, Any], tmp_path: Path) -> None:
    """A repair for another event about the canary is one, and not our event's ending."""
    path = tmp_path / "journal.jsonl"
    write(path, {"step": "opened"})
    journal = FollowedJournal(path, MARKS)
    write(path, *fixed(**more))
    seen = journal.look()
    assert (seen.outcome, seen.settled) == (None, None)
    assert (seen.fixed_by is not None) is ("evaluated_at_ms" in more)


def test_a_person_is_no_worker(tmp_path: Path) -> None:
    """Who repairs the canary by hand meanwhile has proved nothing."""
    path = tmp_path / "journal.jsonl"
    write(path, {"step": "opened"})
    journal = FollowedJournal(path, MARKS)
    write(path, *fixed(), who="alice@laptop:1")
    assert journal.look() == EventRecord()


def test_a_journal_may_appear_be_rotated_and_be_torn(tmp_path: Path) -> None:
    """What is not there yet is said, and read from its first line when it is; half a line is read once it is whole."""
    path = tmp_path / "journal.jsonl"
    journal = FollowedJournal(path, MARKS)
    assert "cannot be read here" in journal.trouble
    assert journal.look() == EventRecord()
    write(path, *fixed())
    assert journal.look().outcome is Outcome.FIXED
    assert journal.trouble == ""

    torn = FollowedJournal(path, MARKS)
    path.rename(tmp_path / "old.jsonl")
    write(path, *fixed())
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert torn.look().settled is None
    path.write_bytes(whole)
    assert torn.look().settled is not None


def test_without_a_journal_nothing_is_known() -> None:
    """And why is said."""
    journal = FollowedJournal(None, MARKS)
    assert (journal.look(), journal.trouble) == (EventRecord(), "no journal is configured")


def rule(mode: Mode = Mode.ENFORCE) -> Rule:
    """The rule that is proved."""
    return Rule("encryption", Selector(), remediation("oss.encryption"), mode, 900)


def seen(**more: Any) -> Seen:
    """Nothing at all, but for what is given."""
    nothing = Seen(
        repaired=False,
        journal=EventRecord(),
        journal_trouble="no journal is configured",
        counts={},
        worker="",
        waited_seconds=60,
    )
    return Seen(**{**{name: getattr(nothing, name) for name in Seen.__slots__}, **more})


@pytest.mark.parametrize(
    ("what", "mode", "status", "result"),
    [
        ({}, Mode.ENFORCE, Status.FAILED, ProofResult.NOT_SEEN),
        ({"in_queue": 0}, Mode.ENFORCE, Status.FAILED, ProofResult.NOT_TAKEN),
        ({"in_queue": 2}, Mode.ENFORCE, Status.FAILED, ProofResult.NOT_TAKEN),
        ({"repaired": True}, Mode.ENFORCE, Status.WARNING, ProofResult.REPAIRED_UNWITNESSED),
        (
            {"repaired": True, "counts": {Outcome.HELD: 1}},
            Mode.ENFORCE,
            Status.WARNING,
            ProofResult.REPAIRED_UNWITNESSED,
        ),
        ({"repaired": True, "counts": {Outcome.FIXED: 1}}, Mode.ENFORCE, Status.OK, ProofResult.REPAIRED),
        ({"counts": {Outcome.FIXED: 1}}, Mode.ENFORCE, Status.FAILED, ProofResult.NOT_SEEN),
        ({"counts": {Outcome.HELD: 1}}, Mode.ENFORCE, Status.FAILED, ProofResult.KEPT),
        ({"counts": {Outcome.WOULD_FIX: 1}}, Mode.OBSERVE, Status.WARNING, ProofResult.OBSERVED),
        ({"counts": {Outcome.WOULD_FIX: 1}}, Mode.ENFORCE, Status.FAILED, ProofResult.KEPT),
        ({"counts": {Outcome.HELD: 1}}, Mode.OBSERVE, Status.FAILED, ProofResult.NOT_SEEN),
    ],
)
def test_nothing_is_green_that_was_not_seen(
    what: dict[str, Any], mode: Mode, status: Status, result: ProofResult
) -> None:
    """Only a repair that a worker says it has made is ok; everything else warns or fails, and says what to do."""
    record = ProofRecord("encryption", "oss.encryption", mode.value, "the-canary", "cn-hangzhou")
    found = judged(rule(mode), record, seen(**what), lambda *words: " ".join(words))
    assert (found.status, record.result) == (status, result)
    assert bool(found.remedy) is (status is not Status.OK)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_waiting_ends_with_every_ending_that_repairs_nothing(outcome: Outcome, tmp_path: Path) -> None:
    """A failure is tried again by the worker, so it is waited for; what is held may take for ever."""
    path = tmp_path / "journal.jsonl"
    journal = FollowedJournal(path, MARKS)
    write(path, {"step": "decided", **ABOUT, "outcome": outcome.value, "reason": "because", "detail": "of it"})
    goes_on = {Outcome.FIXED, Outcome.ALREADY_COMPLIANT, Outcome.SUPERSEDED, Outcome.FAILED, Outcome.LEASE_LOST}
    assert concluded(rule(), seen(journal=journal.look())) is (outcome not in goes_on)


def test_a_change_that_does_not_show_yet_is_waited_for(tmp_path: Path) -> None:
    """It is held for some seconds, and then read back."""
    path = tmp_path / "journal.jsonl"
    journal = FollowedJournal(path, MARKS)
    write(path, {"step": "decided", **ABOUT, "outcome": "held", "reason": "reads_back_old", "detail": ""})
    assert not concluded(rule(), seen(journal=journal.look()))
