"""Reading a policy that somebody else wrote: nothing is guessed, nothing is lost, nothing is expensive."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.errors import Refused
from consumer.resources.oss.policy import admits_everyone, read
from consumer.resources.oss.policy_document import MOST_CHARACTERS, canonical, parsed
from tests import policies
from tests.ids import ascii_id


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"Version":"1","Version":"1","Statement":[]}', "'Version' appears twice"),
        (
            '{"Statement":[{"Effect":"Deny","Effect":"Allow","Principal":["*"]}],"Version":"1"}',
            "'Effect' appears twice",
        ),
        ('{"a":{"b":{"acs:SourceIp":1,"acs:SourceIp":2}}}', "appears twice"),
        ('{"a":"1","\\u0061":"2"}', "'a' appears twice"),
        ("\ufeff{}", "byte order mark"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('"*"', "not a JSON object"),
        ("", "not JSON"),
        ("{", "not JSON"),
        ("{'a':1}", "not JSON"),
        ('{"a":1}{"a":2}', "not JSON"),
        ('{"a":1,}', "not JSON"),
        ('{"a":NaN}', "number"),
        ('{"a":-Infinity}', "number"),
        ('{"a":1e999}', "number"),
        ('{"a":1.5}', "number"),
        (f'{{"a":{"9" * 400}}}', "number"),
        (f'{{"a":{"9" * 5000}}}', "number"),
        ('{"a":"\\ud800"}', "surrogate"),
        ('{"\\udfff":1}', "surrogate"),
        (f'{{"a":{"[" * 17}{"]" * 17}}}', "levels deep"),
        ("[" * 60_000, "levels deep"),
        ('{"a":' * 10_000, "levels deep"),
        (" " * (MOST_CHARACTERS + 1), "characters"),
    ],
    ids=ascii_id,
)
def test_what_cannot_be_read_is_refused_for_a_person(text: str, why: str) -> None:
    """Never a traceback, never a guess, and never called closed."""
    with pytest.raises(Refused, match=why) as refused:
        parsed(text)

    assert refused.value.reason == "policy_not_understood"
    assert len(str(refused.value)) < 300
    assert admits_everyone(text)


def _nested(levels: int) -> str:
    """Lists in lists in an object, so many levels of them in all."""
    return f'{{"a":{"[" * (levels - 1)}{"]" * (levels - 1)}}}'


@pytest.mark.parametrize(
    "text",
    [
        _nested(16),
        f'{{"a":[{"[]," * 40}{"{}," * 40}1]}}',
        f'{{"a":"{"[" * 40}"}}',
        f'{{"a\\"":"{"{" * 40}\\""}}',
        f'{{"a":{"9" * 15},"b":-{"9" * 15}}}',
        "{}".rjust(MOST_CHARACTERS),
    ],
    ids=["levels", "side by side", "in a text", "in a text with quotes", "digits", "characters"],
)
def test_what_is_just_within_the_limits_is_read(text: str) -> None:
    """Sixteen levels, fifteen digits, 64 K characters; what stands side by side or in a text nests nothing."""
    assert parsed(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (_nested(17), "it is nested more than 16 levels deep"),
        (f'{{"a":[{"[]," * 8}{_nested(16)}]}}', "it is nested more than 16 levels deep"),
        (f'{{"a":{"[" * 8}{{}},{"[" * 10}', "it is nested more than 16 levels deep"),
        (f'{{"\\"":{"[" * 60_000}', "it is nested more than 16 levels deep"),
        (f'{{"a":-{"9" * 16}}}', f"it has the number '-{'9' * 16}', which not every reader keeps as it is"),
        ('{"a":1.5}', "it has the number '1.5', which not every reader keeps as it is"),
        ("{}".rjust(MOST_CHARACTERS + 1), "it has more than 65536 characters"),
        ("\ufeff{}", "it starts with a byte order mark"),
        ("[]", "it is not a JSON object"),
        ('{"a":"\\ud800"}', "it has half a surrogate pair in a text"),
    ],
    ids=ascii_id,
)
def test_what_is_just_beyond_the_limits_is_refused_with_its_reason(text: str, why: str) -> None:
    """Before anything recurses into it; a person reads why."""
    with pytest.raises(Refused) as caught:
        parsed(text)
    assert str(caught.value).endswith(f"the bucket policy is not understood, so a person has to look: {why}")


def test_brackets_in_texts_are_not_nesting() -> None:
    """Nor are quotes that are escaped."""
    assert parsed(json.dumps({"a": "[" * 100, 'b"\\': '"\\{{' * 50}))


def test_equal_policies_have_one_text() -> None:
    """Whatever their order and spaces; None is no policy."""
    assert canonical('{ "b": [1, true, null], "a": "\\u00e9" }') == '{"a":"é","b":[1,true,null]}'
    assert canonical(None) is None


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1")), policies.anything.map(json.dumps)))
def test_no_text_ends_in_a_traceback(text: str) -> None:
    """Read, or refused for a person."""
    try:
        read(text)
    except Refused:
        assert admits_everyone(text)
    else:
        assert canonical(text) == canonical(canonical(text))


def _steps(work: Callable[[], object]) -> int:
    """Lines of Python that the work takes."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


_STATEMENT = '{"Effect":"Allow","Principal":["*"],"Action":["oss:*"],"Resource":["*"]}'
_SHAPES: dict[str, Callable[[int], str]] = {
    "statements": lambda size: '{"Version":"1","Statement":[' + ",".join([_STATEMENT] * size) + "]}",
    "principals": lambda size: (
        '{"Version":"1","Statement":[{"Effect":"Allow","Principal":["1"' + ',"1"' * size + "]}]}"
    ),
    "ranges": lambda size: (
        '{"Version":"1","Statement":[{"Effect":"Allow","Principal":["*"],"Condition":{"IpAddress":{"acs:SourceIp":['
        + ",".join(f'"10.{number // 250}.{number % 250}.0/24"' for number in range(size))
        + "]}}}]}"
    ),
    "quotes": lambda size: '{"a":"' + '\\"' * size + '"}',
    "keys": lambda size: "{" + ",".join(f'"k{number}":[]' for number in range(size)) + "}",
}


@pytest.mark.parametrize("shape", _SHAPES)
def test_reading_takes_steps_in_proportion_to_the_text(shape: str) -> None:
    """Twice the text takes about twice the steps, whatever is repeated in it."""
    texts = [_SHAPES[shape](size) for size in (100, 200, 400)]

    small, middle, large = (_steps(lambda text=text: read(text)) for text in texts)  # type: ignore[misc]

    assert middle <= 2.5 * small
    assert large <= 2.5 * middle
