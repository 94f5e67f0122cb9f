"""Long states for people: what differs is seen, how much is left out is said, and short ones stay as they are."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from consumer.operator.states import MOST_SHOWN, change, cut

TEXTS = st.text(alphabet='ab,{"}', max_size=600)
MARKS = 200
"""Characters that lengths, arrow and the way to the rest may take."""


def grant(number: int) -> dict[str, object]:
    """A statement of a policy."""
    return {"Effect": "Allow", "Principal": [f"partner-{number}"], "Action": ["oss:GetObject"]}


def test_the_part_that_differs_is_shown() -> None:
    """However deep in a policy it stands, on both sides, from the beginning of its member on."""
    kept = [grant(number) for number in range(40)]
    policies = [json.dumps({"Statement": [*kept, *more]}) for more in ([{"Principal": ["*"]}], [])]
    shown = change(*policies)
    assert '{"Principal": ["*"]}' in shown
    assert "partner-20" not in shown
    assert f"({len(policies[0]):,} and {len(policies[1]):,} characters; --output json has all)" in shown


@given(TEXTS, TEXTS)
def test_whatever_the_states_are_the_text_is_bounded_and_the_difference_in_it(before: str, after: str) -> None:
    """What is short is whole; what is long never hides that the states differ, nor how long they are."""
    shown = change(before, after)
    assert len(shown) <= 2 * MOST_SHOWN + MARKS
    if before == after:
        assert shown == cut(before)
    elif max(len(before), len(after)) <= MOST_SHOWN:
        assert shown == f"{before} → {after}"
    else:
        one, _, other = shown.rpartition(" (")[0].partition(" → ")
        assert one != other
        assert f"{len(before):,} and {len(after):,} characters" in shown


@given(st.text(max_size=600), st.integers(1, 300))
def test_a_text_is_cut_at_its_end(text: str, most: int) -> None:
    """And whole where it has room."""
    shown = cut(text, most)
    assert shown == text if len(text) <= most else shown.startswith(text[:most] + "… (")
