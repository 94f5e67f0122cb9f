"""The journal's chain: nothing can be altered, removed or reordered unseen, and a torn end is accounted for."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.journal.format import Head, Verdict, parsed, recovery, sealed, verify

MESSAGE = {"message_id": "m-1", "dequeue_count": 1}
REPAIR: tuple[dict[str, Any], ...] = (
    {"step": "received", **MESSAGE},
    {"step": "before", **MESSAGE, "before": "public-read", "after": "private"},
    {"step": "changed", **MESSAGE},
    {"step": "verified", **MESSAGE, "outcome": "fixed"},
    {"step": "settled", **MESSAGE, "disposition": "deleted"},
)


def lines(*entries: dict[str, Any]) -> list[bytes]:
    """Entries as lines of one chain."""
    head, written = Head(), []
    for entry in entries:
        line, head = sealed(head, entry)
        written.append(line)
    return written


def problems(verdict: Verdict) -> list[int]:
    """Lines with a problem."""
    return [problem.line for problem in verdict.problems]


def test_a_whole_journal_is_proved() -> None:
    """Every line follows the one before, and the deletion has its verified change."""
    verdict = verify(lines(*REPAIR))
    assert (verdict.entries, verdict.deletions, verdict.problems, verdict.torn) == (5, 1, [], [])
    assert verdict.head.sequence == 5


def test_an_empty_journal_is_whole() -> None:
    """Nothing written, nothing wrong."""
    assert verify([]).problems == []


@given(line=st.integers(0, 4), position=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_no_byte_can_be_altered(line: int, position: int, flip: int) -> None:
    """Whatever byte changes, a problem is found at that line or the next."""
    written = lines(*REPAIR)
    text = bytearray(written[line][:-1])
    text[position % len(text)] ^= flip
    if json_equal(bytes(text), written[line]):
        return  # the same document written otherwise, such as a capital in an escape
    written[line] = bytes(text) + b"\n"
    verdict = verify(b"".join(written).splitlines(keepends=True))
    assert verdict.problems


def json_equal(one: bytes, other: bytes) -> bool:
    """Whether two lines say the same."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


@pytest.mark.parametrize("removed", range(4))
def test_no_line_can_be_removed(removed: int) -> None:
    """A gap is seen at the line after it; only the end can be cut off unseen, for which there is the anchor."""
    written = lines(*REPAIR)
    del written[removed]
    assert removed + 1 in problems(verify(written))


@given(order=st.permutations(range(5)))
def test_no_lines_can_be_reordered(order: list[int]) -> None:
    """Any other order is seen."""
    written = lines(*REPAIR)
    found = verify([written[index] for index in order])
    assert bool(found.problems) == (order != sorted(order))


def test_a_line_cannot_be_written_anew_with_its_own_hash() -> None:
    """A forged line with a right hash breaks the chain at the next one."""
    written = lines(*REPAIR)
    head = parsed(written[0])
    written[1], _ = sealed(Head(head.sequence, head.digest), {**REPAIR[1], "before": "private"})
    assert problems(verify(written)) == [3]


def test_the_anchor_shows_that_the_end_was_not_cut_off() -> None:
    """The hash that was kept elsewhere is found in the whole file and missed in a shorter one."""
    written = lines(*REPAIR)
    kept = parsed(written[-1]).digest
    assert verify(written, kept).anchored
    assert not verify(written[:-1], kept).anchored


@pytest.mark.parametrize(
    "entries",
    [
        (REPAIR[0], REPAIR[4]),
        (REPAIR[0], {"step": "decided", **MESSAGE, "outcome": "failed"}, REPAIR[4]),
        (REPAIR[0], {"step": "decided", **MESSAGE, "outcome": "fixed"}, REPAIR[4]),
        (REPAIR[0], {**REPAIR[3], "dequeue_count": 2}, REPAIR[4]),
        (REPAIR[0], REPAIR[3], {**REPAIR[4], "disposition": "dead_lettered"}),
    ],
)
def test_a_deletion_without_an_ending_that_allows_it_is_a_problem(entries: tuple[dict[str, Any], ...]) -> None:
    """No ending, a failure, a fix without its read-back, another delivery's ending: each is told at the settlement."""
    assert problems(verify(lines(*entries))) == [len(entries)]


@pytest.mark.parametrize("outcome", ["gone", "exempt", "already_compliant", "superseded", "not_ours"])
def test_a_deletion_with_an_ending_that_allows_it_is_none(outcome: str) -> None:
    """Everything that deletes by the closed set of outcomes may delete."""
    decided = {"step": "decided", **MESSAGE, "outcome": outcome}
    assert verify(lines(REPAIR[0], decided, REPAIR[4])).problems == []


def test_a_torn_end_is_told_and_is_no_problem() -> None:
    """What a killed process left half written is named by its line."""
    written = lines(*REPAIR)
    verdict = verify([*written[:4], written[4][:20]])
    assert (verdict.torn, verdict.problems) == ([5], [])


def test_a_torn_line_counts_only_if_the_next_line_names_it() -> None:
    """Half a line in the middle is forgiven by the recovery that has its length and hash, and by nothing else."""
    written = lines(*REPAIR[:3])
    torn = lines(*REPAIR)[3][:30]
    last = parsed(written[-1])
    good, head = sealed(Head(last.sequence, last.digest), recovery(torn))
    assert verify([*written, torn + b"\n", good]).torn == [4]
    assert verify([*written, torn + b"\n", good]).problems == []
    bad, _ = sealed(Head(last.sequence, last.digest), recovery(torn + b"x"))
    assert problems(verify([*written, torn + b"\n", bad])) == [4]
    other, _ = sealed(Head(last.sequence, last.digest), REPAIR[3])
    assert problems(verify([*written, torn + b"\n", other])) == [4]
    assert head.sequence == 4


def test_a_garbled_last_line_with_its_newline_is_a_problem() -> None:
    """A process that is killed leaves no newline, so somebody altered that line."""
    assert problems(verify([*lines(*REPAIR[:2]), b"garbled\n"])) == [3]


def test_the_hash_is_sha256_of_the_rest() -> None:
    """Anybody can check a line with other tools: keys sorted, no spaces, ASCII."""
    line, head = sealed(Head(), {"step": "opened"})
    content = {name: value for name, value in json.loads(line).items() if name != "hash"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert head.digest == hashlib.sha256(text.encode()).hexdigest()
