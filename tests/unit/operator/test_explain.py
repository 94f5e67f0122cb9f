"""Why a rule takes an event, what each guard said, and which lines belong to a message, without any I/O."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event import Event
from consumer.core.outcome import Outcome
from consumer.guards import chain
from consumer.guards.rule import Mode, Rule, Selector
from consumer.journal.format import Entry, parsed
from consumer.operator.explain.guards import REASONS, GuardVerdict, guard_checks
from consumer.operator.explain.matching import matches
from consumer.operator.explain.newest import newest_of_each_rule
from consumer.operator.explain.story import Search, messages_about
from consumer.operator.repair.event import BY_HAND
from consumer.remediations.oss.acl import BucketAcl, BucketAclOptions
from tests.unit.operator.report.journals import ACCOUNT, NOON, PERSON, Book

NAMES = st.sampled_from(["cr-read", "cr-write", "photos", "site-1", "cn-hangzhou", "1234567890", "critical", ""])
SETS = st.frozensets(NAMES.filter(bool), max_size=2)
PATTERNS = st.lists(st.sampled_from(["*", "site-*", "photos", "cr-*", "公共*"]), max_size=2).map(tuple)
SELECTORS = st.builds(
    Selector,
    config_rule_ids=SETS,
    source_identifiers=SETS,
    rule_names=PATTERNS,
    resource_types=st.sampled_from([frozenset(), frozenset({"ACS::OSS::Bucket"}), frozenset({"ACS::ECS::Instance"})]),
    accounts=SETS,
    regions=SETS,
    risk_levels=SETS,
    resources=PATTERNS,
)
EVENTS = st.builds(
    Event,
    config_rule_id=NAMES,
    config_rule_name=st.sampled_from(["", "公共读", "photos"]),
    source_identifier=NAMES,
    resource_type=st.just("ACS::OSS::Bucket"),
    resource_id=NAMES,
    region=NAMES,
    account_id=NAMES,
    risk_level=NAMES,
    evaluated_at_ms=st.just(1),
    notified_at_ms=st.just(1),
    request_id=st.just(""),
)


EVENT = Event("cr-read", "", "", "ACS::OSS::Bucket", "photos", "", "12345", "", 1, 1, "")


def rule(selector: Selector, name: str = "the-rule") -> Rule:
    """A rule for buckets."""
    return Rule(name, selector, BucketAcl(BucketAclOptions()), Mode.ENFORCE, 900)


@given(SELECTORS, EVENTS)
def test_what_is_reported_of_a_rule_is_what_the_worker_does(selector: Selector, event: Event) -> None:
    """Names, identifiers and risk levels are not in a journal: unknown where these decide, else as it happened."""
    journaled = replace(event, config_rule_name="", source_identifier="", risk_level="")
    (found,) = matches(journaled, [rule(selector)])
    assert found.takes in (None, selector.takes(event))
    assert found.because
    if not (selector.source_identifiers or selector.rule_names or selector.risk_levels):
        assert found.takes is not None


def test_only_one_of_several_takes_it() -> None:
    """The other one would, and the first is named."""
    found = matches(EVENT, [rule(Selector(), "a"), rule(Selector(), "b")])
    assert [each.takes for each in found] == [True, False]
    assert found[0].because == "it is the first that takes it"
    assert "rule a, further up" in found[1].because


@pytest.mark.parametrize(
    "unsure", [Selector(tags=(("stage", "prod"),)), Selector(rule_names=("x*",)), Selector(risk_levels=frozenset("1"))]
)
def test_where_it_is_not_known_which_one_takes_it_none_is_called_the_first(unsure: Selector) -> None:
    """Tags of the live resource, or marks that a journal does not have, decide between these two; not the third."""
    found = matches(EVENT, [rule(unsure, "a"), rule(Selector(), "b"), rule(Selector(), "c"), rule(unsure, "d")])
    assert [each.takes for each in found] == [None, None, False, False]
    assert found[1].because == "it takes it unless a, further up, does"
    assert not any("first" in each.because for each in found)
    assert "b, further up" in found[2].because
    assert "b, further up" in found[3].because


def _reasons_in_the_chain() -> set[str]:
    """Every reason that a guard gives when it objects, from the code of the chain."""
    tree = ast.parse(Path(chain.__file__).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    first = [call.args[0] for call in calls if call.func.attr == "held" and call.args]  # type: ignore[attr-defined]
    named = {str(getattr(chain, argument.id)) for argument in first if isinstance(argument, ast.Name)}
    return named | {str(argument.value) for argument in first if isinstance(argument, ast.Constant)}


def test_every_objection_of_the_chain_has_its_guard() -> None:
    """A guard that is added to the chain has to be added to the explanation."""
    known = set().union(*(reasons for _, reasons in REASONS)) | {"shared_unreachable"}
    found = _reasons_in_the_chain()
    assert {"paused", "contested", "over_limit", "outside_window"} <= found
    assert found <= known


@pytest.mark.parametrize("name", [name for name, _ in REASONS])
def test_guards_before_the_one_that_objected_let_it_pass_and_later_ones_were_not_reached(name: str) -> None:
    """In the order of the chain."""
    reason = min(dict(REASONS)[name])
    answers = guard_checks(Outcome.HELD, reason, "because of that", began=False)
    assert [one.guard for one in answers] == [known for known, _ in REASONS]
    at = [one.guard for one in answers].index(name)
    assert {one.answer for one in answers[:at]} <= {GuardVerdict.PASSED}
    assert (answers[at].answer, answers[at].because) == (GuardVerdict.OBJECTED, "because of that")
    assert {one.answer for one in answers[at + 1 :]} <= {GuardVerdict.NOT_REACHED}


@pytest.mark.parametrize(
    ("outcome", "began", "answer"),
    [
        (Outcome.FIXED, True, GuardVerdict.PASSED),
        (Outcome.FAILED, True, GuardVerdict.PASSED),
        (Outcome.FAILED, False, GuardVerdict.NOT_REACHED),
        (Outcome.ALREADY_COMPLIANT, False, GuardVerdict.NOT_REACHED),
        (Outcome.INVALID, False, GuardVerdict.NOT_REACHED),
    ],
)
def test_where_no_guard_objected(outcome: Outcome, began: bool, answer: GuardVerdict) -> None:
    """All let it pass if the change was begun, and none was reached otherwise."""
    assert {one.answer for one in guard_checks(outcome, "", "", began=began)} == {answer}


def test_what_is_held_without_a_guard_had_not_been_looked_at() -> None:
    """As for want of a permission to read: nobody knows then that there is nothing to change."""
    answers = guard_checks(Outcome.HELD, "permission_missing", "oss:GetBucketInfo", began=False)
    assert {one.answer for one in answers} == {GuardVerdict.NOT_REACHED}
    assert {one.because for one in answers} == {"it was held before it was known what to change"}


def test_a_guard_that_could_not_be_reached_is_unknown() -> None:
    """The store that replicas share was not there: the guards before it passed, the others nobody knows."""
    answers = guard_checks(Outcome.HELD, "shared_unreachable", "no route", began=False)
    assert [one.answer for one in answers].count(GuardVerdict.UNKNOWN) == 5
    assert answers[0].answer is GuardVerdict.PASSED


def entries(book: Book) -> list[Entry]:
    """The lines of a journal."""
    return [parsed(line) for line in book.path.read_bytes().splitlines()]


def test_the_newest_messages_of_a_resource_are_found(tmp_path: Path) -> None:
    """So many, and it is said that there are more; with every line of each, receipts included."""
    book = Book(tmp_path / "journal.jsonl")
    for number in range(5):
        book.ended("held", "photos", NOON + number, reason="paused")
        book.ended("fixed", "other", NOON + number)
    search = Search("photos", 2)
    lines = entries(book)
    for entry in lines:
        search.add(entry)
    assert (len(search.found), search.more) == (2, True)
    found = messages_about([lines], search.found)
    assert [[each.step for each in message.deliveries[0].steps] for message in found] == [
        ["received", "decided", "settled"]
    ] * 2
    assert found[-1].event is not None
    assert found[-1].event.resource_id == "photos"


def test_a_message_is_found_by_the_end_of_its_id_and_not_by_less(tmp_path: Path) -> None:
    """Eight characters at least, as for dead letters."""
    book = Book(tmp_path / "journal.jsonl")
    book.ended("fixed", "photos")
    identity = entries(book)[0].text("message_id")
    for wanted, count in ((identity, 1), (identity[-8:], 1), (identity[-7:], 0), ("photos", 1), ("photo", 0)):
        search = Search(wanted, 3)
        for entry in entries(book):
            search.add(entry)
        assert len(search.found) == count, wanted


def test_what_people_did_without_a_message_is_found_too(tmp_path: Path) -> None:
    """An undo names the resource."""
    book = Book(tmp_path / "journal.jsonl")
    book.line("undone", NOON, PERSON, resource="photos", rule="public-read")
    search = Search("photos", 3)
    for entry in entries(book):
        search.add(entry)
    assert [each.step for each in search.by_people] == ["undone"]


def test_a_message_that_was_looked_at_for_weeks_is_bounded(tmp_path: Path) -> None:
    """Its newest lines are kept, and the number of those that are not is said."""
    book = Book(tmp_path / "journal.jsonl")
    message = {"message_id": "A" * 32}
    for number in range(500):
        book.line("decided", NOON + number, **message, dequeue_count=number, resource="photos", outcome="held")
    (found,) = messages_about([entries(book)], ["A" * 32])
    assert (sum(len(each.steps) for each in found.deliveries), found.dropped) == (400, 100)
    assert found.deliveries[-1].number == 499


def test_the_parked_copies_of_a_message_belong_to_it(tmp_path: Path) -> None:
    """A copy is another message of the queue, and the same story."""
    book = Book(tmp_path / "journal.jsonl")
    book.line("received", NOON, message_id="A" * 32, dequeue_count=1)
    book.line("received", NOON + 1, message_id="B" * 32, dequeue_count=1, copy_of="A" * 32)
    book.line("decided", NOON + 2, message_id="B" * 32, dequeue_count=1, resource="photos", outcome="held")
    search = Search("A" * 32, 3)
    for entry in entries(book):
        search.add(entry)
    found = messages_about([entries(book)], search.found)
    assert [each.message_id[0] for each in found] == ["A", "B"]
    assert found[1].value("copy_of") == "A" * 32


def searched(wanted: str, limit: int, *books: Book) -> Search:
    """What is found in several journals."""
    search = Search(wanted, limit)
    for book in books:
        search.next_file()
        for entry in entries(book):
            search.add(entry)
    return search


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_is_the_newest_in_whichever_order_journals_are_named(tmp_path: Path, *, turned: bool) -> None:
    """Of messages, of what people put back, and of the deliveries of one message that two replicas have received."""
    first, second = Book(tmp_path / "a.jsonl"), Book(tmp_path / "b.jsonl")
    one = {"message_id": "A" * 32, "resource": "photos"}
    first.line("decided", NOON, **one, dequeue_count=1, outcome="held")
    second.line("decided", NOON + 1, message_id="B" * 32, resource="photos", dequeue_count=1, outcome="held")
    second.line("decided", NOON + 2, **one, dequeue_count=2, outcome="held")
    first.line("verified", NOON + 3, **one, dequeue_count=3, outcome="fixed")
    first.line("undone", NOON + 5, PERSON, resource="photos", before="first")
    second.line("undone", NOON + 4, PERSON, resource="photos", before="second")
    books = (second, first) if turned else (first, second)
    search = searched("photos", 3, *books)
    assert [each[0] for each in search.found] == ["B", "A"]
    assert [each.text("before") for each in search.by_people] == ["second", "first"]
    (_, message) = messages_about([entries(book) for book in books], search.found)
    assert [each.number for each in message.deliveries] == [1, 2, 3]
    assert message.value("outcome") == "fixed"
    assert searched("photos", 1, *books).found == ("A" * 32,)
    assert [each.text("before") for each in searched("photos", 1, *books).by_people] == ["first"]


def test_within_a_journal_its_own_order_counts_whatever_the_clock_did(tmp_path: Path) -> None:
    """A clock that was set back does not turn a delivery around."""
    book = Book(tmp_path / "a.jsonl")
    for number, at_ms in enumerate((NOON + 1_000, NOON, NOON + 10, 10**400, NOON), start=1):
        book.line("decided", at_ms, message_id="A" * 32, resource="photos", dequeue_count=number)
    (message,) = messages_about([entries(book)], searched("photos", 3, book).found)
    assert [each.number for each in message.deliveries] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([("a", "cr-1"), ("b", "cr-2")], [0, 1]),
        ([("a", "cr-1"), ("b", "cr-2"), ("a", "cr-1")], [1, 2]),
        ([("a", "cr-1"), ("a", "cr-2")], [1]),
        ([("a", "cr-1"), ("renamed", "cr-1")], [1]),
        ([("a", ""), ("a", "cr-1")], [1]),
        ([("", "cr-1"), ("a", "cr-1")], [1]),
        ([("", "cr-1"), ("", "cr-2"), ("", "cr-1")], [1, 2]),
        ([("a", BY_HAND), ("b", BY_HAND), ("", BY_HAND)], [0, 1, 2]),
        ([("", ""), ("a", "")], [0, 1]),
        ([], []),
    ],
)
def test_of_each_rule_the_newest_event_is_explained(
    tmp_path: Path, events: list[tuple[str, str]], shown: list[int]
) -> None:
    """One for what would be explained alike, in the order of the messages; a message without an event is none."""
    book = Book(tmp_path / "journal.jsonl")
    book.line("received", message_id="none", dequeue_count=1)
    known = {"resource": "photos", "account": ACCOUNT, "region": "cn-hangzhou"}
    for number, (name, identity) in enumerate(events):
        book.line("decided", message_id=str(number), dequeue_count=1, rule=name, config_rule_id=identity, **known)
    entries = [parsed(line) for line in book.path.read_bytes().splitlines()]
    messages = messages_about([entries], ["none", *map(str, range(len(events)))])
    found = newest_of_each_rule(messages)
    assert ([int(each.message_id) for each in found.shown], found.left_out) == (shown, 0)
