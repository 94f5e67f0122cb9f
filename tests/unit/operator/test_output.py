"""Nothing that came from outside controls how a command's output is shown, in either form."""

from __future__ import annotations

import io
import json
import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.printable import counted, printable
from consumer.engine.dead_letter import SCHEMA
from consumer.operator import output
from consumer.operator.dlq.letters import read
from consumer.operator.dlq.view import draw_dealt, draw_letter, draw_letters, full_document
from consumer.operator.interruption import Terminated

CONTROLS = "\x00\x07\n\r\x1b\x7f\x80\x9b\xad\u061c\u200b\u200e\u202a\u202e\u2028\u2029\u2060\u2066\u2069\ufeff\ud800"
TEXT = st.text(st.one_of(st.sampled_from(CONTROLS + "[]:"), st.characters(exclude_categories=())))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), TEXT)
FIELDS = ("rule", "outcome", "reason", "detail", "resource_id", "attempts", "dead_lettered_at_ms", "message_id", "body")
DOCUMENTS = st.dictionaries(
    st.one_of(st.sampled_from(FIELDS), TEXT), st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3))
).map(lambda told: {"schema": "config-remediator/dead-letter/1", "body_encoding": "plain", "body": "b", **told})


@pytest.mark.parametrize("character", [*CONTROLS, "\U000e0001"])
def test_what_cannot_be_printed_is_escaped_as_in_json(character: str) -> None:
    """Each becomes an escape that a reader of JSON turns back into itself."""
    shown = printable(f"a{character}b")
    assert shown.isprintable()
    assert json.loads(f'"{shown}"') == f"a{character}b"


@given(TEXT)
def test_a_text_that_can_be_printed_stays(text: str) -> None:
    """Whatever the text, the result is printable, and printable text is untouched."""
    assert printable(text).isprintable()
    assert (printable(text) == text) is text.isprintable()


@given(DOCUMENTS)
def test_every_letter_can_be_shown_in_every_form(document: dict[str, Any]) -> None:
    """Whatever stands in its fields: it is read, drawn and written as one document that reads back the same."""
    letter = read("A" * 32, json.dumps(document), 1_700_000_000_000)
    stream = io.StringIO()
    console = output.console(stream)
    draw_letters(console, [letter], full=True)
    draw_dealt(console, [])
    console.print(output.facts(list(full_document(letter).items())))
    console.print(output.lines(letter.body))
    assert all(line.isprintable() for line in stream.getvalue().split("\n"))
    assert full_document(letter)["id"] == "A" * 32


@given(st.recursive(SCALARS, lambda inner: st.dictionaries(TEXT, inner, max_size=3)))
def test_a_document_is_printable_and_says_the_same(document: Any) -> None:
    """`--output json` escapes what cannot be printed, and nothing gets lost by that."""
    written, sys.stdout = sys.stdout, io.StringIO()
    try:
        output.write_json(document)
        text = sys.stdout.getvalue()
    finally:
        sys.stdout = written
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.dumps(json.loads(text)) == json.dumps(document)


IMITATIONS = [
    "x\n rule   public-read",
    "x                                     fixed   y",
    "   outcome   fixed",
    "a" * 300 + "    rule   public-read",
]


@pytest.mark.parametrize("text", IMITATIONS)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_value_imitates_a_row_or_a_column(text: str, width: int) -> None:
    """A cell of our own has three spaces before it, and a name of ours begins its line: nothing in a value does."""
    stream = io.StringIO()
    console = output.console(stream, width)
    console.print(output.table(("resource", "rule"), [(text, "mine")]))
    console.print(output.facts([("resource", text), ("rule", "mine")]))
    shown = [line for line in stream.getvalue().split("\n") if "fixed" in line or "public-read" in line]
    assert shown
    for line in shown:
        assert "   " not in line.strip().removeprefix("resource").replace("   mine", "").lstrip()
        assert not re.match(r" ?(rule|outcome)\b", line)


def test_what_a_letter_says_in_names_of_its_own_stands_apart() -> None:
    """Names that look like ours are quoted, indented, and under a heading that says whose they are."""
    hostile = {"dead lettered at": "2020-01-01", "Outcome": "fixed", "rule\n": "x", "  reason": "y", "z" * 500: 1}
    told = {"schema": SCHEMA, "body_encoding": "plain", "body": "b\noutcome  fixed", "outcome": "rejected", **hostile}
    stream = io.StringIO()
    draw_letter(output.console(stream, 80), read("A" * 32, json.dumps(told), 1_700_000_000_000), 1_700_000_000_000)
    text = stream.getvalue()
    ours, _, theirs = text.partition("What it says besides")
    assert "fixed" not in ours
    assert "2020" not in ours
    assert ours.count("dead lettered at") == 1
    assert '\n  "dead lettered at": "2020-01-01"\n' in theirs
    assert '\n  "rule\\n": "x"\n' in theirs
    begun = [line for line in theirs.split("\n")[1:] if line and not line.startswith("  ")]
    assert begun == ["The event in it: none, the body is neither JSON nor XML nor base64", "The original body"]


class Typed(io.StringIO):
    """Standard input that notes what stood on standard output when it was read."""

    def __init__(self, text: str, written: io.BytesIO | None = None, error: BaseException | None = None) -> None:
        super().__init__(text)
        self.seen: list[bytes] = []
        self._written = written or io.BytesIO()
        self._error = error

    def readline(self, size: int | None = -1, /) -> str:
        """One line, or the error."""
        self.seen.append(self._written.getvalue())
        if self._error:
            raise self._error
        return super().readline(size)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("y\n", ""),
        (" YES \n", ""),
        ("n\n", "you declined"),
        ("\n", "you declined"),
        ("what\nyes", ""),
        ("", "nobody answered"),
        ("what\n" * 50, "nobody answered"),
        ("y" * 1_000, "nobody answered"),
    ],
)
def test_a_question_takes_yes_no_and_nothing_else(monkeypatch: pytest.MonkeyPatch, typed: str, expected: str) -> None:
    """Enter is no, the end of a pipe is no answer, and a flood of anything else ends."""
    monkeypatch.setattr(sys, "stdin", Typed(typed))
    found = output.declined("Go on?")
    assert found.startswith(expected)
    assert bool(found) == bool(expected)


def test_bytes_that_are_no_text_and_no_input_at_all_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is a fault of the command's."""
    for stdin in (io.TextIOWrapper(io.BytesIO(b"\xff\n"), "utf-8"), Typed("", error=OSError("no terminal")), None):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert output.declined("Go on?").startswith("nobody answered")


@pytest.mark.parametrize("signal", [KeyboardInterrupt, Terminated])
def test_a_signal_at_a_question_is_never_an_answer(
    monkeypatch: pytest.MonkeyPatch, signal: type[BaseException]
) -> None:
    """It ends the command; `input` loses one that comes while it writes."""
    monkeypatch.setattr(sys, "stdin", Typed("", error=signal()))
    with pytest.raises(signal):
        output.declined("Go on?")


def test_nothing_is_left_to_be_written_once_a_person_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the question is about is seen before it."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(raw)))  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stdin", typed := Typed("n\n", raw))
    sys.stdout.write("a table")
    assert output.declined("Go on?") == "you declined"
    assert typed.seen == [b"a table"]


def test_one_is_not_many() -> None:
    """On the status page, in reports and in what catch-up could not read."""
    assert [counted(number, "resource") for number in (0, 1, 2)] == ["0 resources", "1 resource", "2 resources"]


def test_a_line_with_a_command_is_copied_whole() -> None:
    """However narrow the terminal is: it is the terminal that folds the line, and what controls one is escaped."""
    stream, text = io.StringIO(), f"To put it back: config-remediator undo {'x' * 50} --config \x1b[2Ja.toml"
    output.unbroken(output.console(stream, 40), text)
    assert stream.getvalue() == text.replace("\x1b", "\\u001b") + "\n"
