"""Names of fixes and contests: what counts, until when, and what may be removed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.guards.contest import ContestPolicy
from consumer.guards.shared_contest import fix_records
from consumer.guards.shared_contest.fix_records import MOST_FIXES_IN_A_SHARD, SHARDS, Marks, Subject
from tests.unit.guards.cases import PHOTOS

POLICY = ContestPolicy(max_fixes=3, window_seconds=100.0)
WINDOW_MS = 100_000
NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
SUBJECT = Subject.of("public-read", PHOTOS)
CHANCE = "0123456789ab"


def fix(at_ms: int, chance: str = CHANCE) -> str:
    """A fix of the subject at that moment."""
    return SUBJECT.fix(at_ms, chance)


def test_names_hold_nothing_of_what_came_in_a_message() -> None:
    """Whatever a resource is called, its names are digits, and those of two never meet."""
    hostile = replace(PHOTOS, name="../../etc/passwd\n", region="cn-evil")
    subjects = [
        SUBJECT,
        Subject.of("public-read", hostile),
        Subject.of("public-write", PHOTOS),
        Subject.of("public-read", replace(PHOTOS, account_id="9876543210987654")),
        Subject.of("public-read", replace(PHOTOS, region="cn-beijing")),
    ]
    assert len({subject.digest for subject in subjects}) == len(subjects)
    for subject in subjects:
        assert set(subject.fix(NOW_MS, CHANCE) + subject.mark(NOW_MS)) <= set("0123456789abcdef-")
        assert subject.shard in SHARDS


@pytest.mark.parametrize(
    ("age_ms", "counts"),
    [
        (0, True),
        (WINDOW_MS - 1, True),
        (WINDOW_MS, False),
        (-60_000, True),
        (-DAY_MS, True),
        (-DAY_MS - 1, False),
    ],
)
def test_a_fix_counts_for_a_window(age_ms: int, counts: bool) -> None:
    """Also one by a replica whose clock is ahead of ours, unless that clock is plainly wrong."""
    from_ms = Marks().counts_from_ms(SUBJECT, POLICY, NOW_MS)
    assert fix_records.fixes([fix(NOW_MS - age_ms)], SUBJECT, from_ms, NOW_MS) == counts


def test_only_the_subject_s_own_fixes_count() -> None:
    """A shard holds those of others, and what is no record at all."""
    other = Subject(SUBJECT.rule, SUBJECT.digest[:2] + "f" * 30)
    names = [
        fix(NOW_MS),
        other.fix(NOW_MS, CHANCE),
        SUBJECT.digest,
        f"{fix(NOW_MS)}.nfs0001",
        fix(NOW_MS, "0123456789AB"),
        f"{SUBJECT.digest}-{NOW_MS // 10}٣-{CHANCE}",
        "",
    ]
    assert fix_records.fixes(names, SUBJECT, 0, NOW_MS) == 1


def test_a_contest_lasts_a_window_and_then_begins_anew() -> None:
    """While it lasts, it is told for how long; after its end no fix from before its end counts."""
    marks = Marks.read([SUBJECT.mark(NOW_MS)], NOW_MS)
    assert marks.left_ms(SUBJECT, POLICY, NOW_MS + 60_000) == 40_000
    assert marks.contested(POLICY, NOW_MS + 60_000) == {SUBJECT.rule: 1}
    end_ms = NOW_MS + WINDOW_MS
    assert marks.left_ms(SUBJECT, POLICY, end_ms) == 0
    assert marks.contested(POLICY, end_ms) == {}
    late = [fix(end_ms - 1), fix(end_ms), fix(end_ms + 1)]
    from_ms = marks.counts_from_ms(SUBJECT, POLICY, end_ms + 1)
    assert fix_records.fixes(late, SUBJECT, from_ms, end_ms + 1) == 2


def test_two_replicas_that_find_it_contested_at_once_make_one_contest() -> None:
    """It counts once, and the later beginning decides."""
    marks = Marks.read([SUBJECT.mark(NOW_MS), SUBJECT.mark(NOW_MS + 5)], NOW_MS + 5)
    assert marks.contested(POLICY, NOW_MS + 5) == {SUBJECT.rule: 1}
    assert marks.left_ms(SUBJECT, POLICY, NOW_MS + 5) == WINDOW_MS


def test_a_release_ends_contests_and_forgets_fixes_up_to_its_moment() -> None:
    """What comes after it counts from one again."""
    names = [SUBJECT.mark(NOW_MS), fix_records.release(NOW_MS + 10)]
    marks = Marks.read(names, NOW_MS + 20)
    assert marks.left_ms(SUBJECT, POLICY, NOW_MS + 20) == 0
    assert marks.counts_from_ms(SUBJECT, POLICY, NOW_MS + 20) == NOW_MS + 10


def test_a_release_by_a_clock_ahead_of_ours_waits_for_its_moment() -> None:
    """Else a wrong clock would let every fight go on until then."""
    marks = Marks.read([SUBJECT.mark(NOW_MS), fix_records.release(NOW_MS + 5)], NOW_MS)
    assert marks.left_ms(SUBJECT, POLICY, NOW_MS) == WINDOW_MS
    assert marks.released_ms == 0


def test_a_mark_of_a_far_future_holds_nothing() -> None:
    """One wrong clock must not leave a resource alone for years."""
    marks = Marks.read([SUBJECT.mark(NOW_MS + DAY_MS + 1)], NOW_MS)
    assert marks.left_ms(SUBJECT, POLICY, NOW_MS) == 0


def test_what_counts_no_more_may_be_removed_and_nothing_else() -> None:
    """Names of other forms are not ours to remove, whatever they are."""
    worn = [fix(NOW_MS - WINDOW_MS), fix(NOW_MS + DAY_MS + 1)]
    kept = [fix(NOW_MS - WINDOW_MS + 1), fix(NOW_MS), "README", ".nfs0001", "lost+found"]
    assert sorted(fix_records.worn_fixes([*worn, *kept], POLICY, NOW_MS)) == sorted(worn)


def test_marks_are_kept_for_as_long_as_they_say_something() -> None:
    """A contest says for a window after its end which fixes began anew."""
    long_ago = NOW_MS - 2 * WINDOW_MS
    worn = [SUBJECT.mark(long_ago), fix_records.release(long_ago)]
    kept = [SUBJECT.mark(long_ago + 1), fix_records.release(long_ago + 1), "released-soon", "probe-1"]
    assert sorted(fix_records.worn_marks([*worn, *kept], POLICY, NOW_MS)) == sorted(worn)


def test_a_shard_is_bounded() -> None:
    """The oldest of too many go."""
    names = [fix(NOW_MS - 50_000 + number) for number in range(MOST_FIXES_IN_A_SHARD + 2)]
    assert fix_records.worn_fixes(reversed(names), POLICY, NOW_MS) == names[:2]
