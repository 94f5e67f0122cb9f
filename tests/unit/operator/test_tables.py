"""A table shows every word whole, whatever the width, and a line is wider than the screen only for one such word."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from consumer.operator import output

ARN = "acs:mns:cn-hangzhou:1234567890123456:queues/config-events"
POLICY = json.dumps(
    {"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:b/*"]}]},
    separators=(",", ":"),
)
WORDS = st.one_of(
    st.sampled_from(["3DAEE510CF72", "public-read", "→", "oss:GetBucketPolicy", "2026-11-29", "photos", ARN, "a,b"]),
    st.text("abcdefgh-0123456789", min_size=1, max_size=30),
)
CELLS = st.one_of(
    st.integers(0, 10**9),
    st.lists(WORDS, max_size=6).map(" ".join),
    st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    st.just(POLICY),
)
COLUMNS = ("letter", "since (UTC)", "rule", "reason", "resource", "detail")
WIDTHS = st.integers(40, 200)


def drawn(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> list[str]:
    """The lines of a table on a screen of that width."""
    stream = io.StringIO()
    output.console(stream, width).print(output.table(columns, rows))
    return stream.getvalue().split("\n")


def words(value: object) -> list[str]:
    """The words of a cell; of JSON its members."""
    text = " ".join(value) if isinstance(value, tuple) else str(value)
    return [piece for word in text.split() for piece in re.split(r'(?<=,)(?=["{\[])', word)]


@given(st.lists(st.tuples(*[CELLS] * len(COLUMNS)), min_size=1, max_size=4), WIDTHS)
def test_no_word_is_ever_split(rows: list[tuple[object, ...]], width: int) -> None:
    """Every word of every cell stands whole in one line; only a word that is too wide makes a line too wide."""
    lines = drawn(COLUMNS, rows, width)
    for row in rows:
        for value in row:
            for word in words(value):
                assert any(word in line for line in lines), (word, lines)
    for line in lines:
        if cell_len(line) > width:
            assert len(line.split()) == 1, line
            assert cell_len(line.strip()) > width - 2, line


@given(st.lists(st.tuples(WORDS, CELLS), min_size=1, max_size=6), WIDTHS)
def test_no_fact_is_ever_split(pairs: list[tuple[str, object]], width: int) -> None:
    """As in tables."""
    stream = io.StringIO()
    output.console(stream, width).print(output.facts(pairs))
    lines = stream.getvalue().split("\n")
    for _, value in pairs:
        assert all(any(word in line for line in lines) for word in words(value))


def test_columns_that_fit_are_a_table() -> None:
    """Headings, a line below them, numbers to the right, and no space at the end of a line."""
    assert drawn(("rule", "letters"), [("public-read", 7), ("x", 12)], 80) == [
        "",
        " rule          letters",
        " ─────────────────────",
        " public-read         7",
        " x                  12",
        "",
        "",
    ]


def test_columns_that_do_not_fit_are_a_list_for_each_row() -> None:
    """Empty values are left out; a value that needs the room stands below its name."""
    rows = [("create", "subscription", f"pushes to {ARN}", ""), ("keep", "topic", "", "as it is")]
    assert drawn(("step", "what", "how", "note"), rows, 60) == [
        "",
        "step  create",
        "what  subscription",
        "how",
        "  pushes to",
        f"  {ARN}",
        "",
        "step  keep",
        "what  topic",
        "note  as it is",
        "",
        "",
    ]


@pytest.mark.parametrize("text", ["存储空间的访问权限必须是私有的" * 4, "폴더는비공개여야한다" * 6])
def test_a_script_without_spaces_breaks_between_its_characters(text: str) -> None:
    """It fits all the same, and nothing of it is lost."""
    lines = drawn(("rule", "reason"), [("public-read", text)], 60)
    assert all(cell_len(line) <= 60 for line in lines)
    assert text in re.sub(r"[^\u2e80-\ud7a3]", "", "".join(lines))


def test_a_sentence_breaks_between_words_too() -> None:
    """What a command says besides its tables keeps its ids whole as well."""
    stream = io.StringIO()
    output.console(stream, 40).print(f"Done. Let Cloud Config deliver events to {ARN}/and/more.")
    assert f"{ARN}/and/more." in stream.getvalue().split("\n")


def test_an_empty_table_has_its_headings() -> None:
    """So that nothing looks like an error."""
    assert drawn(("rule", "letters"), [], 80)[1:3] == [" rule   letters", " ──────────────"]


def test_no_line_of_a_body_can_pass_for_the_command_itself() -> None:
    """Each is set off, also where a long one goes on."""
    stream = io.StringIO()
    output.console(stream, 40).print(output.lines("first\n" + "All letters were dropped. " * 5))
    assert all(line.startswith("  ") for line in stream.getvalue().splitlines())


def test_a_word_that_is_wider_than_the_screen_stands_alone_in_one_line() -> None:
    """With no empty line before it; the terminal breaks it, and it can be copied whole."""
    stream = io.StringIO()
    output.console(stream, 40).print(output.facts([("how", f"{ARN} and more")]))
    assert stream.getvalue().splitlines() == ["how", f"  {ARN}", "  and more"]


@pytest.mark.parametrize("width", range(30, 60))
def test_a_policy_fits_a_narrow_screen(width: int) -> None:
    """A member of it that is too wide goes on below its name; names and values stay whole, and nothing is lost."""
    names = ("oss:GetBucketPolicy", "acs:oss:*:*:photos/20/*", '"StringNotEquals":')
    condition = {"StringNotEquals": {"acs:SourceVpc": ["vpc-t4nlw426y44rd3iq4xxxx"]}}
    statement = {"Action": names[:1], "Resource": names[1:2], "Principal": ["*"], "Condition": condition}
    text = json.dumps({"Version": "1", "Statement": [statement] * 3}, separators=(",", ":"))
    stream = io.StringIO()
    output.console(stream, width).print(output.facts([("state", text)]))
    lines = stream.getvalue().splitlines()
    assert all(len(line) <= width or '"vpc-' in line for line in lines), stream.getvalue()
    assert all(any(name in line for line in lines) for name in names)
    assert "".join(line.strip() for line in lines).removeprefix("state") == text
