"""JSON from outside: how deep it may be, whatever the Python."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.json_text import MOST_LEVELS, NestedTooDeep, is_deeper, parse

ROOT = Path(__file__).parents[2]

VALUES = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\a'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[{"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=30,
)


def depth(value: object) -> int:
    """How many arrays and objects stand in each other, of a value that was parsed."""
    match value:
        case list():
            return 1 + max(map(depth, value), default=0)
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
        case _:
            return 0


@given(VALUES)
def test_the_depth_is_that_of_the_value(value: object) -> None:
    """Brackets inside of texts and keys do not count, whatever is escaped before them."""
    text = json.dumps(value)

    assert not is_deeper(text, depth(value))
    assert depth(value) == 0 or is_deeper(text, depth(value) - 1)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_the_deepest_allowed_is_read_and_one_level_more_is_not(opening: str, closing: str) -> None:
    """On every Python, though some would read a thousand times as much."""
    text = opening * MOST_LEVELS + "1" + closing * MOST_LEVELS

    assert depth(parse(text)) == MOST_LEVELS
    with pytest.raises(NestedTooDeep, match="more than 64 levels"):
        parse(f"[{text}]")


@pytest.mark.parametrize(
    ("text", "refused_as"),
    [
        ("[" * 100_000, NestedTooDeep),
        ('{"x":' + "[" * 1_000 + "]" * 1_000 + "}", NestedTooDeep),
        ("[]," * 50_000 + "[" * 65, NestedTooDeep),
        ('["' + "\\" * 100_000 + '",' + "[" * 100, NestedTooDeep),
        ('["' + "\\" * 100_001 + '",' + "[" * 100, json.JSONDecodeError),
    ],
)
def test_hostile_texts_are_refused(text: str, refused_as: type[ValueError]) -> None:
    """Never closed, after many that are flat, or behind a text that ends, or that does not."""
    with pytest.raises(refused_as):
        parse(text)


def test_many_flat_arrays_are_not_deep() -> None:
    """Brackets are counted only as a first look."""
    assert parse("[" + "[]," * 1_000 + "[]]") == [[]] * 1_001


def test_nothing_else_in_the_worker_parses_json() -> None:
    """Or it would go as deep as the Python it runs on."""
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "consumer").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"load", "loads", "JSONDecoder"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "json"
    }

    assert found == {"consumer/core/json_text.py"}
