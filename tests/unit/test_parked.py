"""What travels with a parked copy: read back as it was written, and worth nothing when somebody else has written it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.message import body_md5
from consumer.core.parked import (
    MOST_COUNTED,
    MOST_PROPERTIES,
    NOTHING,
    OLDEST_MS,
    History,
    PropertyName,
    UserProperty,
    carried,
    reason,
    written,
)
from tests.unit.fakes import received

NOW = 1_700_000_000_000
HISTORY = History("ORIGIN-1", NOW - 9_000_000, NOW - 8_999_000, 7, 3, "failed:throttled", NOW - 100)

_moments = st.integers(NOW - OLDEST_MS, NOW)
histories = st.builds(
    lambda origin, moments, counts, why, letter: History(
        origin, moments[0], moments[1], max(1, counts[1]), counts[0], reason(*why), moments[2] if letter else 0
    ),
    st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True),
    st.lists(_moments, min_size=3, max_size=3).map(sorted),
    st.lists(st.integers(0, MOST_COUNTED), min_size=2, max_size=2).map(sorted),
    st.tuples(st.sampled_from(["held", "would_fix", "failed"]), st.text(max_size=80)),
    st.booleans(),
)


@given(histories)
def test_a_history_is_read_back_as_it_was_written(history: History) -> None:
    """Nothing gets lost on the way, and every property of it can be sent."""
    properties = written(history)
    assert carried(properties, NOW).history == history
    assert all(found.sendable for found in properties)
    assert len(properties) < MOST_PROPERTIES


_OTHERS = [
    "",
    "0",
    "-1",
    "1e3",
    "٣",
    "9" * 16,
    "1.5",
    " 1",
    "x",
    "a" * 129,
    "a b",
    "\u202e",
    "held:ok",
    "held:" + "x" * 65,
]


@pytest.mark.parametrize("value", _OTHERS)
@pytest.mark.parametrize("name", list(PropertyName))
def test_one_forged_value_makes_it_no_history(name: PropertyName, value: str) -> None:
    """What is of another form than we write is nothing, not half a history."""
    good = {found.name: found for found in written(HISTORY)}
    forged = {**good, name: UserProperty(name, value)}
    found = carried(tuple(forged.values()), NOW).history
    known = (
        (name is PropertyName.ORIGIN_ID and value in ("0", "-1", "1e3", "x", "9" * 16))
        or (name is PropertyName.REASON and value == "held:ok")
        or (value == "0" and name in (PropertyName.ATTEMPTS, PropertyName.DEAD_LETTER))
    )
    assert (found is not None) == known


@pytest.mark.parametrize("name", [name for name in PropertyName if name is not PropertyName.DEAD_LETTER])
def test_a_history_with_a_part_missing_is_none(name: PropertyName) -> None:
    """Whoever loses one property has lost all."""
    assert carried([found for found in written(HISTORY) if found.name != name], NOW).history is None


@pytest.mark.parametrize(
    "impossible",
    [
        replace(HISTORY, attempts=8),
        replace(HISTORY, receipts=0, attempts=0),
        replace(HISTORY, receipts=MOST_COUNTED + 1),
    ],
)
def test_what_contradicts_itself_is_no_history(impossible: History) -> None:
    """Each attempt took a receipt, and there was one."""
    assert carried(written(HISTORY), NOW).history == HISTORY
    assert carried(written(impossible), NOW).history is None


@pytest.mark.parametrize(
    ("claimed", "corrected"),
    [
        (replace(HISTORY, first_received_ms=NOW + 1), replace(HISTORY, first_received_ms=NOW)),
        (replace(HISTORY, dead_letter_ms=NOW + 1), replace(HISTORY, dead_letter_ms=NOW)),
        (
            replace(HISTORY, first_received_ms=HISTORY.first_enqueued_ms - 1),
            replace(HISTORY, first_received_ms=HISTORY.first_enqueued_ms),
        ),
        (
            replace(HISTORY, dead_letter_ms=HISTORY.first_enqueued_ms - 1),
            replace(HISTORY, dead_letter_ms=HISTORY.first_enqueued_ms),
        ),
        (
            replace(HISTORY, first_enqueued_ms=NOW + 5, first_received_ms=NOW + 9),
            replace(HISTORY, first_enqueued_ms=NOW, first_received_ms=NOW, dead_letter_ms=NOW),
        ),
    ],
)
def test_clocks_that_differ_cost_no_attempt(claimed: History, corrected: History) -> None:
    """The service has many machines: a millisecond too much is corrected, and never makes the message younger."""
    assert carried(written(claimed), NOW).history == corrected


@given(st.integers(1, 10**15 - 1), st.integers(1, 10**15 - 1), st.integers(0, 10**15 - 1))
def test_whatever_times_are_claimed_the_message_is_never_younger_and_its_attempts_stay(
    enqueued: int, received_ms: int, letter: int
) -> None:
    """Nothing before ninety days, nothing after the copy was taken."""
    claimed = replace(HISTORY, first_enqueued_ms=enqueued, first_received_ms=received_ms, dead_letter_ms=letter)
    found = carried(written(claimed), NOW).history
    assert found is not None
    assert NOW - OLDEST_MS <= found.first_enqueued_ms <= found.first_received_ms <= NOW
    assert found.dead_letter_ms == 0 or found.first_enqueued_ms <= found.dead_letter_ms <= NOW
    assert (found.attempts, found.receipts) == (HISTORY.attempts, HISTORY.receipts)


@pytest.mark.parametrize("missing", [0, -1])
def test_a_copy_whose_own_time_is_not_known_has_no_history(missing: int) -> None:
    """There is nothing that what it claims could be held against."""
    assert carried(written(HISTORY), missing).history is None


def test_a_name_given_twice_is_no_history_and_cannot_be_sent_again() -> None:
    """Which of the two counts depends on who reads, so neither does."""
    found = carried((*written(HISTORY), UserProperty(PropertyName.ATTEMPTS, "0", "NUMBER")), NOW)
    assert (found.history, found.whole) == (None, False)


def test_an_absurd_past_is_cut_to_what_can_be_believed() -> None:
    """A forged history makes nothing years old; a true one that waited for so long shows at least so much."""
    found = carried(written(replace(HISTORY, first_enqueued_ms=1, first_received_ms=2, dead_letter_ms=3)), NOW).history
    assert found is not None
    assert {found.first_enqueued_ms, found.first_received_ms, found.dead_letter_ms} == {NOW - OLDEST_MS}


def test_a_copy_whose_own_time_is_unknown_has_no_history() -> None:
    """There is nothing to hold its times against."""
    assert carried(written(HISTORY), 0).history is None


_any_property = st.builds(
    UserProperty,
    st.sampled_from([*PropertyName, "traceparent", "remediator-later", ""]) | st.text(max_size=20),
    st.sampled_from([*_OTHERS, str(NOW), str(NOW - 5)]) | st.text(max_size=20) | st.integers(-5, 10**16).map(str),
    st.sampled_from(["STRING", "NUMBER", "BOOLEAN", "BINARY", "", "LIST"]),
)


@given(st.lists(_any_property, max_size=60), st.integers(0, 2 * NOW))
def test_nothing_that_anybody_writes_makes_a_message_younger_or_less_often_tried(
    properties: list[UserProperty], enqueued_at_ms: int
) -> None:
    """Whatever is carried, the message is at least as old and as often received as the service says, within bounds."""
    message = replace(received(), enqueued_at_ms=enqueued_at_ms, first_dequeued_at_ms=enqueued_at_ms + 5)
    forged = replace(message, carried=carried(properties, enqueued_at_ms))
    assert enqueued_at_ms - OLDEST_MS <= forged.first_enqueued_ms <= message.first_enqueued_ms
    assert forged.first_enqueued_ms <= forged.first_received_ms <= message.first_received_ms
    assert message.receipts <= forged.receipts <= message.receipts + MOST_COUNTED
    assert 0 <= forged.attempts < forged.receipts
    if forged.carried.whole:
        assert all(found.sendable for found in forged.carried.foreign)


@pytest.mark.parametrize(
    "foreign",
    [
        UserProperty("", "v"),
        UserProperty("n" * 257, "v"),
        UserProperty(".n", "v"),
        UserProperty("n..m", "v"),
        UserProperty("n\N{SNOWMAN}", "v"),
        UserProperty("n", ""),
        UserProperty("n", "v" * 4_097),
        UserProperty("n", "cut\rshort"),
        UserProperty("n", "bell\x07"),
        UserProperty("n", "half \ud800"),
        UserProperty("n", "v", "LIST"),
        UserProperty("n", "no number", "NUMBER"),
        UserProperty("n", "True", "BOOLEAN"),
        UserProperty("n", "not base64", "BINARY"),
        UserProperty("n", "QQ==\n", "BINARY"),
    ],
)
def test_a_property_that_would_arrive_changed_is_known_as_one(foreign: UserProperty) -> None:
    """It is not sent again; the history is."""
    found = carried((*written(HISTORY), foreign), NOW)
    assert (found.history, found.foreign, found.whole) == (HISTORY, (foreign,), False)


def test_what_is_not_ours_travels_along() -> None:
    """In its order, unknown names with our prefix included: a later version may know them."""
    foreign = (
        UserProperty("a", "1", "NUMBER"),
        UserProperty("remediator-later", "x"),
        UserProperty("b", "AA==", "BINARY"),
    )
    found = carried((foreign[0], *written(HISTORY), *foreign[1:]), NOW)
    assert (found.history, found.foreign, found.whole) == (HISTORY, foreign, True)


def test_more_than_the_service_allows_is_not_looked_at() -> None:
    """Such a message was not written by the service's rules, and has no history."""
    crowd = [*written(HISTORY), *(UserProperty(f"n{number}", "v") for number in range(MOST_PROPERTIES))]
    found = carried(crowd, NOW)
    assert (found.history, found.foreign, found.whole) == (None, (), False)


def test_nothing_is_nothing() -> None:
    """A message without properties costs nothing to read."""
    assert carried((), NOW) is NOTHING


@pytest.mark.parametrize(
    ("changes", "repeatable"),
    [
        ({}, True),
        ({"body_md5": body_md5("body").lower()}, False),
        ({"body_md5": ""}, False),
        ({"body": "other"}, False),
        ({"body": "", "body_md5": body_md5("")}, False),
        ({"body": "a\rb", "body_md5": body_md5("a\rb")}, False),
        ({"damage": "cut"}, False),
    ],
)
def test_a_message_is_sent_again_only_if_it_is_known_byte_for_byte(
    changes: dict[str, object], repeatable: bool
) -> None:
    """The service's own digest says whether the body came through XML as it is."""
    message = replace(received(), body="body", body_md5=body_md5("body"))
    assert replace(message, **changes).repeatable is repeatable  # type: ignore[arg-type]
