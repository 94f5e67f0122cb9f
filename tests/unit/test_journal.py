"""The journal's chain: nothing can be altered, removed or reordered unseen, and a torn end is accounted for."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.outcome import SETTLED_BY, Outcome, Settlement
from consumer.journal.format import GENESIS, ChainHead, Verdict, parsed, recovery, sealed, verify

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
    head, written = ChainHead(), []
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
    written[line] = bytes(text) + b"\n"
    verdict = verify(b"".join(written).splitlines(keepends=True))
    assert verdict.problems


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
    head = parsed(written[0].removesuffix(b"\n"))
    written[1], _ = sealed(ChainHead(head.sequence, head.digest), {**REPAIR[1], "before": "private"})
    assert problems(verify(written)) == [3]


def test_the_anchor_shows_that_the_end_was_not_cut_off() -> None:
    """The hash that was kept elsewhere is found in the whole file and missed in a shorter one."""
    written = lines(*REPAIR)
    kept = parsed(written[-1].removesuffix(b"\n")).digest
    assert (verify(written, kept).anchored_at, verify(written, kept).whole) == (5, True)
    assert (verify(written[:-1], kept).anchored_at, verify(written[:-1], kept).whole) == (None, False)


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


OBSERVED = {"mode": "observe", "observed": "delete"}
"""What the ending's line says of a rule that settles what it observes."""


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_what_was_observed_is_deleted_because_its_rule_says_so(outcome: Outcome) -> None:
    """Nothing else that waits, fails or is given up leaves the queue for a line that names such a rule."""
    decided = {"step": "verified" if outcome is Outcome.FIXED else "decided", **MESSAGE, "outcome": outcome, **OBSERVED}
    deletes = SETTLED_BY[outcome] is Settlement.DELETE or outcome is Outcome.WOULD_FIX
    assert problems(verify(lines(REPAIR[0], decided, REPAIR[4]))) == ([] if deletes else [3])


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"mode": "observe"},
        {"observed": "delete"},
        {**OBSERVED, "observed": "keep"},
        {**OBSERVED, "mode": "enforce"},
    ],
)
def test_what_was_observed_is_kept_unless_its_rule_deletes_it(says: dict[str, str]) -> None:
    """The ending's line has to say both; what another delivery's or the settlement's own line says does not count."""
    decided = {"step": "decided", **MESSAGE, "outcome": "would_fix", **says}
    settled = {**REPAIR[4], **OBSERVED}
    assert problems(verify(lines(REPAIR[0], decided, settled))) == [3]
    earlier = {"step": "decided", **MESSAGE, "dequeue_count": 2, "outcome": "would_fix", **OBSERVED}
    assert problems(verify(lines(REPAIR[0], earlier, decided, settled))) == [4]


def test_what_was_observed_and_deleted_is_no_dead_letter() -> None:
    """The exception is for the deletion alone."""
    decided = {"step": "decided", **MESSAGE, "outcome": "would_fix", **OBSERVED}
    assert problems(verify(lines(REPAIR[0], decided, {**REPAIR[4], "disposition": "dead_lettered"}))) == [3]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_what_waits_may_be_parked(outcome: Outcome) -> None:
    """Held, observed, failed, or given up where nothing takes the letter; a repair that ended well is never parked."""
    decided = {"step": "decided", **MESSAGE, "outcome": outcome.value}
    found = verify(lines(REPAIR[0], decided, {**REPAIR[4], "disposition": "parked"}))
    waits = SETTLED_BY[outcome] in (Settlement.HOLD, Settlement.BACK_OFF, Settlement.DEAD_LETTER)
    assert (found.deletions, found.problems == []) == (1, waits)


def test_a_torn_end_is_reported_and_is_no_problem() -> None:
    """What a killed process left half written is named by its line."""
    written = lines(*REPAIR)
    verdict = verify([*written[:4], written[4][:20]])
    assert (verdict.torn, verdict.problems) == ([5], [])


def test_a_torn_line_counts_only_if_the_next_line_names_it() -> None:
    """Half a line in the middle is forgiven by the recovery that has its length and hash, and by nothing else."""
    written = lines(*REPAIR[:3])
    torn = lines(*REPAIR)[3][:30]
    last = parsed(written[-1].removesuffix(b"\n"))
    good, head = sealed(ChainHead(last.sequence, last.digest), recovery(torn))
    assert verify([*written, torn + b"\n", good]).torn == [4]
    assert verify([*written, torn + b"\n", good]).problems == []
    bad, _ = sealed(ChainHead(last.sequence, last.digest), recovery(torn + b"x"))
    assert problems(verify([*written, torn + b"\n", bad])) == [4]
    other, _ = sealed(ChainHead(last.sequence, last.digest), REPAIR[3])
    assert problems(verify([*written, torn + b"\n", other])) == [4]
    assert head.sequence == 4


def test_a_garbled_last_line_with_its_newline_is_a_problem() -> None:
    """A process that is killed leaves no newline, so somebody altered that line."""
    assert problems(verify([*lines(*REPAIR[:2]), b"garbled\n"])) == [3]


def test_the_hash_is_sha256_of_the_bytes_before_it() -> None:
    """Anybody can check a line with other tools: everything up to the last member."""
    line, head = sealed(ChainHead(), {"step": "opened"})
    covered, _, rest = line.partition(b',"hash":')
    assert head.digest == hashlib.sha256(covered).hexdigest()
    assert rest == f'"{head.digest}"}}\n'.encode()


def first_version(*entries: dict[str, Any]) -> list[bytes]:
    """Entries as lines of one chain, as the first version wrote them."""
    previous, written = GENESIS, []
    for number, entry in enumerate(entries, 1):
        content = {"seq": number, **entry, "prev": previous}
        covered = json.dumps(content, separators=(",", ":"), sort_keys=True)
        previous = hashlib.sha256(covered.encode()).hexdigest()
        written.append(json.dumps({**content, "hash": previous}, separators=(",", ":")).encode() + b"\n")
    return written


REWRITTEN = {
    "white space": lambda line: line.replace(b'","', b'", "', 1),
    "white space at the end": lambda line: line.replace(b"}\n", b"} \n"),
    "a key twice": lambda line: line.replace(b'"step":', b'"step":"decided","step":', 1),
    "an escape": lambda line: line.replace(b'"m-1"', b'"\\u006d-1"', 1),
    "a member behind the hash": lambda line: line.replace(b'"}\n', b'","more":1}\n'),
    "a capital in the hash": lambda line: line[:-70] + line[-70:].replace(b"a", b"A", 1).replace(b"e", b"E", 1),
    "a carriage return": lambda line: line.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("write", [lines, first_version], ids=["bytes", "first version"])
@pytest.mark.parametrize("how", REWRITTEN)
@pytest.mark.parametrize("place", [2, 4])
def test_a_line_that_says_the_same_in_other_bytes_is_not_whole(write: Any, how: str, place: int) -> None:
    """White space, keys, escapes: whoever rewrites a line leaves a trace, in the last one as well."""
    written = write(*REPAIR)
    assert verify(written).whole
    written[place] = REWRITTEN[how](written[place])
    assert not verify(written).whole


def test_a_journal_of_the_first_version_is_continued() -> None:
    """Its lines are verified as they were written then, and counted, because less is proved of them."""
    old = first_version(*REPAIR)
    head = parsed(old[-1].removesuffix(b"\n"))
    line, _ = sealed(ChainHead(head.sequence, head.digest), {"step": "opened"})
    verdict = verify([*old, line])
    assert (verdict.whole, verdict.entries, verdict.old_lines) == (True, 6, 5)


@pytest.mark.parametrize("version", ["3", "0", '"2"', "null", "[2]", "1"])
def test_a_line_of_an_unknown_version_is_no_line(version: str) -> None:
    """Nothing is known of what its hash covers."""
    (line,) = lines(REPAIR[0])
    with pytest.raises(ValueError, match=r"version|hash"):
        parsed(line.replace(b'"v":2', f'"v":{version}'.encode()).removesuffix(b"\n"))


def test_a_gap_excuses_what_was_received_before_it_and_nothing_later() -> None:
    """A deletion whose ending could not be written is counted as not proved; the next one needs its ending again."""
    gap = {"step": "gap", "lost_lines": 3}
    verdict = verify(lines(REPAIR[0], gap, REPAIR[4]))
    assert (verdict.problems, verdict.gaps, verdict.unproved) == ([], 1, 1)
    other = {**MESSAGE, "dequeue_count": 2}
    later = ({"step": "received", **other}, {**REPAIR[4], **other})
    assert problems(verify(lines(REPAIR[0], gap, *later))) == [4]


def test_reading_through_a_line_ends_there_and_misses_what_is_not_in_the_chain() -> None:
    """What comes after it does not matter, what comes before it does, and a line that was put there is no proof."""
    written = lines(*REPAIR)
    wanted = parsed(written[3].removesuffix(b"\n")).digest
    assert verify([*written[:4], b"garbled\n"], through=wanted).problems == []
    assert problems(verify([written[0], *written[2:]], through=wanted)) == [2]
    forged, _ = sealed(ChainHead(5, "f" * 64), REPAIR[3])
    digest = parsed(forged.removesuffix(b"\n")).digest
    assert problems(verify([*written, forged], through=digest)) == [6]
    assert verify(written, through=digest).problems


@pytest.mark.parametrize("number", ["1e999", "-1", "0", "1.5", "true", "9" * 400, "NaN"])
def test_a_number_that_is_none_is_no_line(number: str) -> None:
    """Whatever the size, it is a damaged line and no traceback."""
    with pytest.raises(ValueError, match=r"hash|number|line"):
        parsed(f'{{"v":2,"seq":{number},"step":"x","prev":"{GENESIS}","hash":"{GENESIS}"}}'.encode())


def test_a_file_of_garbage_is_read_in_bounded_memory_and_is_not_whole() -> None:
    """Whatever somebody puts there: megabytes of lines that are none are one problem, at the first of them."""
    garbage = [b"x" * (1 << 20) + b"\n"] * 20
    verdict = verify([*lines(REPAIR[0]), *garbage, b"torn"])
    assert problems(verdict) == [2]
