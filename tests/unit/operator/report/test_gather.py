"""What a report counts, and what it says that it cannot know."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.core.errors import ConfigurationError
from consumer.journal.format import ChainHead, parsed, recovery, sealed
from consumer.operator.report.findings import STANDING_BY_OUTCOME, Findings, Standing
from consumer.operator.report.gather import gathered
from consumer.operator.report.tally import OTHER_RULES, Tally
from tests.unit.operator.report.journals import DAY, NOON, PERSON, SINCE, UNTIL, Book


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A journal of a worker that began before the period."""
    found = Book(tmp_path / "journal.jsonl")
    found.line("opened", SINCE - 1)
    return found


def report(*books: Book, since_ms: int = SINCE, until_ms: int = UNTIL) -> Findings:
    """What these journals say."""
    return gathered([each.path for each in books], since_ms, until_ms)


def test_what_was_found_is_the_sum_of_where_it_stands(book: Book) -> None:
    """Each ending has its place, each resource counts once for each rule, and the last ending decides."""
    for number, outcome in enumerate(STANDING_BY_OUTCOME):
        book.ended(outcome.value, f"bucket-{number}")
    book.ended("held", "photos", NOON, reason="over_limit")
    book.ended("fixed", "photos", NOON + 1)
    book.ended("held", "photos", NOON + 2, rule="https-only", reason="paused")
    book.ended("superseded", "photos", NOON + 3)
    found = report(book)
    assert found.found == sum(sum(each.values()) for each in found.standings.values()) == len(STANDING_BY_OUTCOME) + 2
    assert found.standings["public-read"][Standing.FIXED] == 2
    assert found.standings["https-only"] == {Standing.HELD: 1}
    assert found.changes == 2
    assert found.unknown == ()


def test_only_the_period_counts(book: Book) -> None:
    """From its first millisecond to before its end."""
    for number, at_ms in enumerate((SINCE - 1, SINCE, UNTIL - 1, UNTIL)):
        book.ended("fixed", f"bucket-{number}", at_ms)
    found = report(book)
    assert (found.changes, found.found) == (2, 2)


def test_exposure_is_from_the_evaluation_to_the_verified_fix(book: Book) -> None:
    """By rule; a time that cannot be believed is corrected as in the metrics, and a fix before its evaluation is 0."""
    for number, seconds in enumerate((1, 2, 3, 100)):
        book.ended("fixed", f"bucket-{number}", exposed_ms=seconds * 1000)
    book.ended("fixed", "old", rule="https-only", exposed_ms=400 * DAY)
    book.ended("fixed", "ahead", rule="tags", exposed_ms=-5_000)
    found = {each.rule: each for each in report(book).exposures}
    acl = found["public-read"]
    assert (acl.fixes, acl.p50, acl.p95, acl.longest, acl.exact) == (4, 2.0, 100.0, 100.0, True)
    assert found["https-only"].longest == 16 * 86_400
    assert found["tags"].longest == 0.0


def test_the_slowest_ten_are_listed_with_what_undo_takes(book: Book) -> None:
    """The longest first."""
    ids = {number: book.ended("fixed", f"bucket-{number}", exposed_ms=number * 1000) for number in range(1, 31)}
    slowest = report(book).slowest
    assert [each.exposed_seconds for each in slowest] == [float(number) for number in range(30, 20, -1)]
    assert slowest[0].change == ids[30][:12]


def test_days_without_a_change_are_shown_too(book: Book) -> None:
    """In UTC; beyond six weeks by the week, and beyond a year by the month."""
    book.ended("fixed", at_ms=NOON)
    book.ended("fixed", at_ms=NOON + 1)
    assert report(book).days == (("2026-11-19", 0), ("2026-11-20", 2), ("2026-11-21", 0))
    weeks = report(book, since_ms=NOON - 100 * DAY)
    assert (weeks.day_step, sum(count or 0 for _, count in weeks.days), len(weeks.days)) == (7, 2, 15)
    assert report(book, since_ms=NOON - 900 * DAY).day_step == 30
    assert report(book, since_ms=NOON - 3 * DAY).days[:2] == (("2026-11-17", None), ("2026-11-18", None))
    endless = report(book, since_ms=0, until_ms=int(datetime(9999, 1, 1, tzinfo=UTC).timestamp() * 1000))
    assert [count for _, count in endless.days] == [2]


def test_why_a_resource_was_left_is_reported(book: Book) -> None:
    """A hold by its reason, an exemption by its own words, the most frequent first."""
    detail = "exemption public-site: serves the web site (owner: web-team@example.com)"
    book.ended("exempt", "site", reason="exemption", detail=detail)
    for number in range(3):
        book.ended("held", f"bucket-{number}", reason="over_limit")
    assert report(book).reasons == ((Standing.HELD, "over_limit", 3), (Standing.EXEMPT, detail, 1))


def test_what_rules_that_observe_would_change_is_listed_once(book: Book) -> None:
    """However often it was looked at."""
    for number in range(5):
        book.ended("would_fix", "photos", NOON + number, reason="observe_mode")
    found = report(book).would_fix
    assert (found.total, [(each.resource, each.before, each.after) for each in found.shown]) == (
        1,
        [("photos", "public-read", "private")],
    )


def test_what_somebody_keeps_breaking_is_listed(book: Book) -> None:
    """Contested at any time in the period, or fixed three times."""
    for number in range(3):
        book.ended("fixed", "often", NOON + number)
    book.ended("held", "contested", NOON, reason="contested")
    book.ended("fixed", "contested", NOON + 1)
    book.ended("fixed", "once")
    found = report(book).contested
    assert [(each.resource, each.fixes, each.contested) for each in found.shown] == [
        ("often", 3, False),
        ("contested", 1, True),
    ]


def test_an_undo_opens_the_resource_again_and_names_who(book: Book) -> None:
    """One that began and did not end is unfinished."""
    fields = {"resource": "photos", "account": "1234567890123456", "rule": "public-read"}
    digest = book.ended("fixed", "photos")
    book.line("undo_before", NOON + 1, PERSON, **fields, undoes=digest)
    assert report(book).standings == {"public-read": {Standing.UNFINISHED: 1}}
    book.line("undone", NOON + 2, PERSON, **fields, undoes=digest)
    found = report(book)
    assert found.standings == {"public-read": {Standing.UNDONE: 1}}
    assert [(each.who, each.resource) for each in found.undone] == [(PERSON, "photos")]


def test_a_change_by_a_person_is_no_exposure(book: Book) -> None:
    """Nobody waited for an event, so a moment between two lines would only make the figures better."""
    book.ended("fixed", "photos", who=PERSON)
    found = report(book)
    assert (found.changes, found.by_people, found.exposures) == (1, 1, ())


def test_several_journals_are_one_report(tmp_path: Path) -> None:
    """The newest line about a resource decides, in whichever file it stands."""
    first, second = Book(tmp_path / "a.jsonl"), Book(tmp_path / "b.jsonl")
    first.line("opened", SINCE - 1)
    second.line("opened", SINCE - 1, who="remediator-1:1129")
    first.ended("fixed", "photos", NOON + 5)
    second.ended("held", "photos", NOON, reason="paused")
    found = report(first, second)
    assert found.standings == {"public-read": {Standing.FIXED: 1}}
    assert (len(found.files), found.damaged) == (2, False)


def test_a_journal_that_goes_on_where_another_ends_needs_the_other(tmp_path: Path) -> None:
    """Without it a part of the period is unknown, and the report says from when on it knows; with it all is known."""
    old, new = Book(tmp_path / "old.jsonl"), Book(tmp_path / "new.jsonl")
    old.line("opened", SINCE - 1)
    old.ended("fixed", "photos", NOON - 1_000)
    new.line("continued", NOON, follows=old.head.digest, follows_seq=old.head.sequence)
    new.ended("fixed", "site", NOON + 1)
    alone = report(new)
    assert alone.damaged
    assert "new.jsonl begins 2026-11-20 12:00:00 UTC where another file ends" in alone.unknown[0]
    both = report(new, old)
    assert (both.damaged, both.unknown, both.changes) == (False, (), 2)
    assert not report(new, since_ms=NOON).damaged


def test_a_period_that_began_before_the_journal_is_reported(tmp_path: Path) -> None:
    """Nothing is damaged, and still nobody knows what happened before."""
    book = Book(tmp_path / "journal.jsonl")
    book.line("opened", NOON)
    book.ended("fixed", "photos", NOON + 1)
    found = report(book)
    assert found.unknown == (
        "Nothing was journaled before 2026-11-20 12:00:00 UTC; what happened until then is unknown.",
    )
    assert not found.damaged


def test_a_period_without_a_line_is_not_called_quiet(book: Book) -> None:
    """An empty journal, or one that ended before, shows nothing."""
    assert "No line was written in this period" in report(book).unknown[0]
    book.path.write_bytes(b"")
    assert "No line was written in this period" in report(book).unknown[0]


def test_gaps_are_reported_with_how_many_lines_are_missing(book: Book) -> None:
    """Where they reach into the period, and only there."""
    book.line("gap", SINCE - 1, lost_lines=5, since_ms=SINCE - 10, reason="No space left on device")
    book.line("gap", NOON, lost_lines=3, since_ms=SINCE - 10, reason="No space left on device")
    book.ended("fixed", at_ms=NOON)
    found = report(book)
    assert found.damaged
    assert found.unknown == ("journal.jsonl: 3 lines could not be written in 1 gap; their content is unknown.",)


@pytest.mark.parametrize("damage", ["altered", "removed", "garbage"])
def test_a_damaged_journal_is_reported_and_still_counted(book: Book, damage: str) -> None:
    """What can be read is counted, and nobody is left to believe that it is all."""
    for number in range(4):
        book.ended("fixed", f"bucket-{number}")
    lines = book.path.read_bytes().splitlines(keepends=True)
    match damage:
        case "altered":
            lines[4] = lines[4].replace(b"bucket-0", b"bucket-9")
        case "removed":
            del lines[4]
        case _:
            lines[4] = b"\xff\x00{" + b"[" * 10_000 + b"\n"
    book.path.write_bytes(b"".join(lines))
    found = report(book)
    assert found.damaged
    assert any("NOT whole" in sentence for sentence in found.unknown)
    assert found.changes == 3


def test_a_torn_end_that_the_next_worker_accounts_for_is_no_damage(book: Book) -> None:
    """As `journal verify` has it."""
    book.ended("fixed")
    torn = b'{"v":2,"seq":9'
    line, book.head = sealed(book.head, {"at_ms": NOON, **recovery(torn)})
    with book.path.open("ab") as file:
        file.write(torn + b"\n" + line)
    assert not report(book).damaged


def test_a_line_without_a_time_is_not_guessed_at(book: Book) -> None:
    """It is left out and said."""
    book.ended("fixed")
    book.line("decided", 0, rule="public-read", resource="x", outcome="held")
    assert report(book).unknown == ("1 lines do not say when they were written, and are not counted.",)


def test_lines_of_the_first_version_count(tmp_path: Path) -> None:
    """A journal that an earlier worker began is read as it is."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes((Path(__file__).parents[2] / "operator" / "report" / "first_version.jsonl").read_bytes())
    lines = path.read_bytes().splitlines()
    at_ms = parsed(lines[0]).at_ms
    found = gathered([path], at_ms, at_ms + DAY)
    assert found.changes == 1
    assert not found.damaged


def test_there_is_a_bound_to_what_is_remembered(book: Book) -> None:
    """Beyond it, lines about further resources are counted as not counted."""
    tally = Tally(SINCE, UNTIL, most_resources=10)
    for number in range(30):
        book.ended("held", f"bucket-{number}", reason="paused")
    for line in book.path.read_bytes().splitlines():
        tally.add(parsed(line))
    assert sum(sum(each.values()) for each in tally.standings().values()) == 10
    assert tally.forgotten == 20


def test_there_is_a_bound_to_rules_too(book: Book) -> None:
    """A journal with a rule a line cannot make a report without end."""
    tally = Tally(SINCE, UNTIL)
    for number in range(1_200):
        book.ended("fixed", f"bucket-{number}", rule=f"rule-{number}")
    for line in book.path.read_bytes().splitlines():
        tally.add(parsed(line))
    assert len(tally.exposures()) == len(tally.standings()) == 1_001
    assert tally.standings()[OTHER_RULES] == {Standing.FIXED: 200}


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.lists(st.text()))
FIELDS = (
    "rule",
    "resource",
    "account",
    "outcome",
    "reason",
    "detail",
    "before",
    "after",
    "evaluated_at_ms",
    "lost_lines",
)
STEPS = ("decided", "verified", "settled", "before", "undone", "gap", "continued", "opened", "unheard of")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(STEPS),
            st.one_of(st.integers(SINCE - 5, UNTIL + 5), SCALARS),
            st.dictionaries(st.sampled_from((*FIELDS, "since_ms", "follows", "who", "disposition")), SCALARS),
        ),
        max_size=8,
    )
)
def test_whatever_stands_in_a_line_there_is_a_report(
    tmp_path: Path, lines: list[tuple[str, object, dict[str, object]]]
) -> None:
    """Never an exception, and the books balance."""
    head, text = ChainHead(), b""
    for step, at_ms, fields in lines:
        line, head = sealed(head, {**fields, "step": step, "at_ms": at_ms})
        text += line
    path = tmp_path / "journal.jsonl"
    path.write_bytes(text)
    found = gathered([path], SINCE, UNTIL)
    assert found.found == sum(sum(each.values()) for each in found.standings.values())
    assert sum(count or 0 for _, count in found.days) == found.changes
    assert json.dumps(list(found.unknown))


def test_a_copy_of_a_journal_is_not_counted_twice(book: Book, tmp_path: Path) -> None:
    """Neither as it is nor from an earlier day."""
    copy = Book(tmp_path / "copy.jsonl")
    copy.path.write_bytes(book.path.read_bytes())
    book.ended("fixed")
    with pytest.raises(ConfigurationError, match=r"journal\.jsonl and .*copy\.jsonl are the same journal"):
        report(book, copy)


def test_a_gap_at_the_very_beginning_names_no_other_file(tmp_path: Path) -> None:
    """The first lines of a process could not be written; there is no file that was not given."""
    book = Book(tmp_path / "journal.jsonl")
    book.line("gap", SINCE - 1, lost_lines=1, since_ms=SINCE - 1, reason="No space left on device")
    book.ended("fixed")
    assert not report(book).damaged


def test_lines_from_after_now_are_reported(book: Book) -> None:
    """A clock that is ahead must not hide what it writes; a period in the past has lines after it, of course."""
    book.ended("fixed", at_ms=UNTIL + 1)
    book.ended("fixed")
    assert report(book).unknown == ()
    found = gathered([book.path], SINCE, UNTIL, now_ms=UNTIL)
    assert found.unknown == ("5 lines claim to be from after now, by a clock that is ahead, and are not counted.",)


def test_what_is_still_to_come_is_unknown(book: Book) -> None:
    """Not a day without changes; a clock that is behind the newest line is not believed."""
    book.ended("fixed", at_ms=NOON)
    found = gathered([book.path], SINCE, NOON + 2 * DAY, now_ms=NOON + 1)
    assert found.days == (("2026-11-19", 0), ("2026-11-20", 1), ("2026-11-21", None), ("2026-11-22", None))
    assert found.unknown == ("The period goes on until 2026-11-22 12:00:00 UTC; what is still to come is unknown.",)
    assert not found.damaged
    behind = gathered([book.path], SINCE, NOON + 1, now_ms=SINCE + 1)
    assert (behind.unknown, behind.days) == ((), (("2026-11-19", 0), ("2026-11-20", 1)))
