"""How a person names a moment or a span, and how one is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.cli import times
from consumer.operator.times import ago, dated, span

CONTEXT = click.Context(click.Command("any"))
PARAMETER = click.Option(["--since"])
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T14:30", datetime(2026, 11, 20, 14, 30, tzinfo=UTC)),
        ("2026-11-20 14:30:15", datetime(2026, 11, 20, 14, 30, 15, tzinfo=UTC)),
        ("2026-11-20T14:30Z", datetime(2026, 11, 20, 14, 30, tzinfo=UTC)),
        ("2026-11-20T14:30:00+08:00", datetime(2026, 11, 20, 6, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 11, 29, 10, 0, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 22, 12, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_span_ago_or_a_date(typed: str, meant: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """In UTC unless it says otherwise."""
    monkeypatch.setattr(times.time, "time", NOW.timestamp)
    assert times.moment_ms(CONTEXT, PARAMETER, typed) == int(meant.timestamp() * 1000)


@pytest.mark.parametrize(
    "typed", ["", "yesterday", "2h30m", "-1h", "2026-13-01", "2026-02-30", "20261120", "\u0661h", "7 d"]
)
def test_what_is_no_moment_is_refused(typed: str) -> None:
    """With the forms that there are, or with what is wrong with the date."""
    with pytest.raises(click.BadParameter, match=r"2026-11-20T14:30|day|month"):
        times.moment_ms(CONTEXT, PARAMETER, typed)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.04, "0.04 s"),
        (3.24, "3.2 s"),
        (9, "9 s"),
        (9.96, "10 s"),
        (90, "90 s"),
        (119, "119 s"),
        (600, "10 min"),
        (7_200, "2 h"),
        (3 * 86_400, "3 days"),
    ],
)
def test_a_span_is_shown_in_its_largest_unit(seconds: float, shown: str) -> None:
    """The largest of which there are two."""
    assert span(seconds) == shown


def test_a_span_that_no_clock_measures_is_a_question_mark() -> None:
    """A journal may have any number."""
    assert span(10**400) == "?"


def test_a_moment_is_shown_with_its_distance() -> None:
    """Before and after now, and nothing that is none."""
    assert dated(NOW_MS - 3 * 3_600_000, NOW_MS) == "2026-11-29 09:00:00 UTC, 3 h ago"
    assert ago(NOW_MS + 300_000, NOW_MS) == "in 5 min"
    assert ago(NOW_MS + 100, NOW_MS) == "now"
    assert dated("soon", NOW_MS) == "?"


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none()))
def test_whatever_a_letter_has_for_a_time_is_shown(value: object) -> None:
    """A question mark at worst."""
    assert dated(value, NOW_MS)
