"""Comparing foreign suites with what is expected of them, and the document that is written from it; nothing is run."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path

import pytest

import emulator
from emulator.codes import Known
from emulator.ecs.codes import Ecs
from emulator.mns.codes import Code
from emulator.oss.codes import Oss
from emulator.rpc_codes import Rpc
from tests.compat.outcomes import Outcomes, differences, read_expected, read_outcomes
from tests.compat.report import DOCUMENT, FIGURES, with_generated_parts
from tests.compat.suites import SUITES

REPORT = """<testsuites><testsuite>
<testcase classname="t.A" name="one"/>
<testcase classname="t.A" name="two"><failure message="x"/></testcase>
<testcase classname="t.A" name="three"><skipped/></testcase>
<testcase classname="t.A" name="four"><error/></testcase>
<testcase classname="t.A" name="four"/>
</testsuite></testsuites>"""


def test_outcomes_are_read() -> None:
    """A test that passed and whose clean-up failed has failed."""
    assert read_outcomes(REPORT) == Outcomes(
        frozenset({"t.A.one"}), frozenset({"t.A.two", "t.A.four"}), frozenset({"t.A.three"})
    )


def test_differences_both_ways() -> None:
    """A new failure counts, and so does a listed one that is none any more."""
    expected = read_expected("# not emulated\nt.A.one\nt.A.two\n\n# no file\nt.A.three\nt.A.gone\n")
    assert expected.counts() == [("not emulated", 2), ("no file", 2)]
    assert differences(read_outcomes(REPORT), expected) == [
        "fails, and is not expected to: t.A.four",
        "is not there, and is listed as failing: t.A.gone",
        "passes, and is listed as failing: t.A.one",
        "is skipped, and is listed as failing: t.A.three",
    ]


def test_what_depends_on_the_machine() -> None:
    """May fail or pass."""
    expected = read_expected("# no locale\n? t.A.one\n? t.A.two\n# x\nt.A.four\n")
    assert differences(read_outcomes(REPORT), expected) == []
    assert expected.counts() == [("no locale", 2), ("x", 1)]


@pytest.mark.parametrize(("text", "problem"), [("t.A.one\n", "no reason"), ("# x\na\n# y\na\n", "listed twice")])
def test_bad_lists(text: str, problem: str) -> None:
    """Every name stands once, under a reason."""
    with pytest.raises(ValueError, match=problem):
        read_expected(text)


@pytest.mark.parametrize("suite", SUITES, ids=[suite.name for suite in SUITES])
def test_lists_fit_the_recorded_figures(suite: object) -> None:
    """As many failures are listed as were seen when the figures were recorded, with the version that is fetched."""
    found = next(each for each in SUITES if each is suite)
    figures = json.loads(FIGURES.read_text())[found.name]
    assert figures["version"] == found.version
    assert len(read_expected(found.expected.read_text()).reasons) == figures["failed"]


def test_the_document_is_up_to_date() -> None:
    """`python -m tests.compat --document` writes it."""
    text = DOCUMENT.read_text()
    assert with_generated_parts(text) == text


@pytest.mark.parametrize("row", [member.value for table in (Code, Oss, Ecs, Rpc) for member in table])
def test_rows_say_from_where_they_are_known(row: object) -> None:
    """A row that is more than assumed names its source; every row names operations and a status that refuses."""
    found = next(m.value for table in (Code, Oss, Ecs, Rpc) for m in table if m.value is row)
    assert found.known is Known.ASSUMED or found.source
    assert found.operations
    assert 300 <= found.status < 600


@pytest.mark.parametrize("table", [Code, Oss, Ecs, Rpc])
def test_every_row_is_raised_somewhere(table: type[Enum]) -> None:
    """A row that nothing refuses by would be a claim without a case."""
    sources = "".join(path.read_text() for path in Path(emulator.__file__).parent.rglob("*.py"))
    unused = [member.name for member in table if f"{table.__name__}.{member.name}" not in sources]
    assert unused == []
