"""Patterns: what fits, and what provably covers everything below a prefix."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.resources.oss.wildcards import covers_all_below, matches

_PATTERN = st.text("ab/*?[]", max_size=8)
_PREFIX = st.text("ab", min_size=1, max_size=3).map(lambda name: f"{name}/")
_NAME = st.text("ab/[]é*? ", min_size=1, max_size=6)


def _as_expression(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)


@given(pattern=_PATTERN, text=st.text("ab/[]", max_size=8))
def test_only_star_and_question_mark_are_special(pattern: str, text: str) -> None:
    """Character classes of file name patterns mean nothing in a policy."""
    assert matches(pattern, text) == bool(re.fullmatch(_as_expression(pattern), text, re.DOTALL))


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("a*b", "ab", True),
        ("a*b*c", "abc", True),
        ("*a", "ba", True),
        ("*ab", "aab", True),
        ("a*", "a", True),
        ("aX", "a", False),
        ("a*X", "ab", False),
        ("a?", "a", False),
        ("", "", True),
        ("*", "", True),
    ],
)
def test_a_star_stands_for_nothing_as_well(pattern: str, text: str, fits: bool) -> None:
    """And only for characters that are there to be taken; whatever else stands in the pattern has to be in the text."""
    assert matches(pattern, text) is fits


@given(pattern=_PATTERN, prefix=_PREFIX, names=st.lists(_NAME, max_size=20))
@example(pattern="a/?*", prefix="a/", names=["x"])
@example(pattern="a/*?*", prefix="a/", names=["x", "xy"])
@example(pattern="a*?", prefix="a/", names=["x"])
def test_what_is_found_to_cover_everything_covers_every_name(pattern: str, prefix: str, names: list[str]) -> None:
    """No name anybody can think of is left out."""
    if covers_all_below(pattern, prefix):
        assert all(matches(pattern, prefix + name) for name in names)


@given(pattern=_PATTERN, prefix=_PREFIX)
def test_what_leaves_nothing_out_is_found_to_cover(pattern: str, prefix: str) -> None:
    """The other way round: names of a character that no pattern has, in every length, tell every gap."""
    complete = all(matches(pattern, prefix + "z" * length) for length in range(1, len(pattern) + 3))

    assert covers_all_below(pattern, prefix) == complete


@pytest.mark.parametrize(
    "pattern", ["*", "**", "b*", "bucket*", "bucket/*", "bucket/?*", "bucket?*?", "*/*", "?ucket/*"]
)
def test_whole_buckets(pattern: str) -> None:
    """Every object's name has at least one character."""
    assert covers_all_below(pattern, "bucket/")


@pytest.mark.parametrize(
    "pattern",
    [
        "", "bucket", "bucket/", "bucket/?", "bucket/??*", "bucket/*/*", "bucket/s*", "bucket/some/*", "bucket/*object",
        "bucket/[a-z]*", "bucket/[!x]*", "other/*", "bucket?*??", "Bucket/*", "bucket//*", "bucket/*.", "bucket2/*",
    ],
)  # fmt: skip
def test_parts_of_buckets(pattern: str) -> None:
    """Each leaves some name out, though some sample name may fit it."""
    assert not covers_all_below(pattern, "bucket/")
