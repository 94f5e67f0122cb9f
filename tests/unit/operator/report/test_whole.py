"""The document for scripts has states whole, however long; what people read has them cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consumer.operator.report.run import report
from tests.unit.operator.report.journals import NOON, SINCE, UNTIL, Book

LONG = json.dumps({"Statement": ["\u00e9" * 20] * 400})


@pytest.fixture
def books(tmp_path: Path) -> list[Path]:
    """Two journals, with a long state in each that is listed, and others of the same resources before."""
    first, second = Book(tmp_path / "first.jsonl"), Book(tmp_path / "second.jsonl")
    first.ended("would_fix", "photos", NOON - 1, before="older", after="state")
    first.ended("would_fix", "photos", before=LONG, after="")
    second.ended("held", "site", reason="contested", before="private", after=LONG)
    second.ended("would_fix", "short", before="public-read", after="private")
    return [first.path, second.path]


def written(books: list[Path], form: str, to: Path) -> str:
    """A report in a form."""
    report(None, books, form, to, since_ms=SINCE, until_ms=UNTIL)
    return to.read_text(encoding="utf-8")


def test_the_document_has_states_whole(books: list[Path], tmp_path: Path) -> None:
    """Each as the line has it that is named beside."""
    document = json.loads(written(books, "json", tmp_path / "report.json"))
    states = {each["resource"]: (each["before"], each["after"]) for each in document["would_fix"]["shown"]}
    assert states == {"photos": (LONG, ""), "short": ("public-read", "private")}
    (contested,) = document["contested"]["shown"]
    assert (contested["before"], contested["after"]) == ("private", LONG)
    assert all(len(each["line"]) == 64 for each in document["would_fix"]["shown"])


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_people_read_the_beginning(form: str, books: list[Path], tmp_path: Path) -> None:
    """A table with whole policies in it is none."""
    text = written(books, form, tmp_path / "report")
    assert "…" in text
    assert LONG not in text


def test_a_report_of_nothing_reads_nothing_again(tmp_path: Path) -> None:
    """No resource is listed."""
    book = Book(tmp_path / "journal.jsonl")
    book.line("opened")
    document = json.loads(written([book.path], "json", tmp_path / "report.json"))
    assert document["would_fix"] == document["contested"] == {"shown": [], "total": 0}
