"""A report in each of its forms: complete, and whatever came from outside stays text in it."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from consumer.operator import output
from consumer.operator.report.findings import Findings
from consumer.operator.report.gather import gathered
from consumer.operator.report.html import html, text
from consumer.operator.report.markdown import escaped, markdown
from consumer.operator.report.page import Chart, ReportPage, Table, Tone, page
from consumer.operator.report.stylesheet import STYLE
from consumer.operator.report.text import draw
from consumer.operator.report.text import text as plain
from tests.unit.operator.report.journals import NOON, PERSON, SINCE, UNTIL, Book

HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror=alert(1)>',
    "a|b\\|c",
    "`x` **b** _i_ [l](http://evil.example) ![i](http://evil.example)",
    "\x1b[31m\x1b]0;owned\x07",
    "line\r\nforged",
    "\u202egpj.exe",
    "http://evil.example www.evil.example a@evil.example",
    "# heading",
    "</style></title></svg>",
    "&lt;b&gt; &#x41;",
)
TEXT = st.text(st.one_of(st.sampled_from("|\\`*_[]<>()!&#:@-~\n\r\x1b\u202e \ud800"), st.characters()), max_size=40)


@pytest.fixture
def found(tmp_path: Path) -> Findings:
    """A report with every part filled, and hostile values in each."""
    book = Book(tmp_path / "journal.jsonl")
    book.line("opened", SINCE - 1)
    for number, value in enumerate(HOSTILE):
        book.ended("fixed", value, rule=value, before=value, after=value)
        book.ended("would_fix", f"{value}-{number}", rule=value, before=value, after=value, reason=value)
        book.ended("exempt", f"{number}-{value}", rule="r", reason="exemption", detail=f"exemption {value}")
        book.ended("held", f"c{number}{value}", rule=value, reason="contested")
        book.line("undone", NOON, PERSON + value, resource=value, rule=value, undoes="0" * 64)
    book.line("gap", NOON, lost_lines=2, reason=HOSTILE[0])
    return gathered([book.path], SINCE, UNTIL)


class Outline(HTMLParser):
    """The elements and attributes of a page, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "rect", "line"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


ELEMENTS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "main",
    "header",
    "h1",
    "h2",
    "p",
    "dl",
    "div",
    "dt",
    "dd",
    "section",
    "ul",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "bdi",
    "svg",
    "g",
    "rect",
    "text",
    "line",
    "footer",
    "code",
}


def test_a_page_stands_alone(found: Findings) -> None:
    """No script, no link, nothing that is loaded; and its own policy forbids all of that."""
    source = html(page(found))
    outline = Outline(source)
    assert outline.elements <= ELEMENTS
    assert not outline.attributes & {"src", "href", "onerror", "onload", "style", "action", "background"}
    assert "default-src 'none'" in source
    assert not re.search(r"url\(|@import|expression|//", STYLE)
    assert source.isascii() or source.encode("utf-8")


def test_a_page_has_every_hostile_value_as_text(found: Findings) -> None:
    """Escaped once and not twice: what a reader sees is what stood in the journal, with controls spelled out."""
    words = Outline(html(page(found))).words
    for value in HOSTILE:
        assert output.cell(value).plain in words


def test_every_form_says_the_same(found: Findings) -> None:
    """Each figure, title and sentence stands in each form for people."""
    shown = page(found)
    forms = {"html": Outline(html(shown)).words, "text": plain(shown), "markdown": markdown(shown)}
    for part in shown.parts:
        assert (part.rows if isinstance(part, Table) else part.bars) != (), part.title
        for name, source in forms.items():
            assert part.title in source, name
    for figure in shown.figures:
        for source in forms.values():
            assert figure.label in source
            assert figure.value in source
    for name, source in forms.items():
        assert "2 lines could not be written" in source, name


def test_no_control_reaches_a_terminal(found: Findings) -> None:
    """Neither from a journal nor from the report itself."""
    assert all(line.isprintable() for line in plain(page(found)).split("\n"))
    stream = io.StringIO()
    draw(output.console(stream, 60), page(found))
    assert all(line.isprintable() for line in stream.getvalue().split("\n"))


def rendered(source: str) -> list[str]:
    """The kinds of tokens that a Markdown reader with tables finds."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source)
    return [child.type for token in tokens for child in (token, *(token.children or []))]


def test_markdown_has_no_markup_from_outside(found: Findings) -> None:
    """A reader finds headings, lists and tables of the report's own, and text; every row has its columns."""
    source = markdown(page(found))
    kinds = set(rendered(source))
    assert not {"html_block", "html_inline", "link_open", "image", "code_inline", "em_open", "fence"} & kinds
    for block in source.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("| ")]
        assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}) <= 1, block


@given(TEXT)
def test_any_text_is_one_cell_of_text(value: str) -> None:
    """Whatever it is, Markdown makes one text of it and shows it as it is, and GitHub makes no link of it."""
    source = f"| a | b |\n| --- | --- |\n| {escaped(value)} | x |\n"
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source)
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 4
    assert [child.type for child in cells[2].children or []] in (
        ["text"],
        [],
        *[["text_special"] * n for n in range(9)],
    ) or {child.type for child in cells[2].children or []} <= {"text", "text_special"}
    shown = "".join(child.content for child in cells[2].children or [])
    assert shown == output.cell(value).plain.strip()
    assert not re.search(r"(?i)(?<!\\)(https?://|\bwww\.|@)", escaped(value))


@given(TEXT)
def test_any_text_is_text_of_a_page(value: str) -> None:
    """In an element and in an attribute."""
    outline = Outline(f'<p title="{text(value)}">{text(value)}</p>')
    assert outline.elements == {"p"}
    assert outline.words == output.cell(value).plain


def test_the_document_for_scripts_has_all_of_it(found: Findings) -> None:
    """With the name of its schema."""
    from consumer.operator.report.run import SCHEMA, _json

    document = json.loads(_json(found))
    assert document["schema"] == SCHEMA == "config-remediator/report/1"
    assert document["found"] == found.found
    assert document["damaged"] is True
    assert document["slowest"][0]["resource"] in HOSTILE
    assert all(line.isprintable() for line in _json(found).split("\n"))


def tone(found: Findings, label: str) -> tuple[str, Tone]:
    """What one figure says."""
    (figure,) = [each for each in page(found).figures if each.label == label]
    return figure.value, figure.tone


def test_nothing_open_is_green_only_where_all_is_known(tmp_path: Path) -> None:
    """A journal with a gap, or one that began later, cannot say that nothing is open."""
    book = Book(tmp_path / "journal.jsonl")
    book.line("opened", SINCE - 1)
    book.ended("fixed")
    known = gathered([book.path], SINCE, UNTIL)
    assert tone(known, "still open") == ("0", Tone.GOOD)
    assert tone(replace(known, unknown=("a gap",)), "still open") == ("unknown", Tone.UNKNOWN)
    book.ended("held", "site", reason="paused")
    held = gathered([book.path], SINCE, UNTIL)
    assert tone(held, "still open") == ("1", Tone.BAD)
    assert tone(replace(held, unknown=("a gap",)), "still open") == ("at least 1", Tone.BAD)


def test_an_empty_report_says_so_in_each_part(tmp_path: Path) -> None:
    """A sentence instead of a table without rows."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"")
    shown: ReportPage = page(gathered([path], SINCE, UNTIL))
    for source in (html(shown), plain(shown), markdown(shown)):
        assert "No line was written in this period" in source
        assert all(part.empty.rstrip(".") in source for part in shown.parts)
        assert "<table>" not in source
        assert "<svg" not in source


def test_a_long_chart_fits(found: Findings) -> None:
    """Four hundred bars are drawn within the width, and a smallest count that is any is seen in text."""
    days = tuple((f"2026-{number:03}", 1_000 if number == 7 else 1) for number in range(400))
    chart = Chart("Changes", days, "")
    shown = replace(page(found), parts=(chart,))
    widths = [float(each) for each in re.findall(r'<rect x="([0-9.-]+)"', html(shown))]
    assert len(widths) == 400
    assert 0 <= min(widths) <= max(widths) <= 720
    assert "2026-008  ▏ 1" in plain(shown)


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_the_chart_fits_a_screen_of_any_width(found: Findings, columns: int) -> None:
    """A bar stands beside its day and before its number, on one line."""
    stream = io.StringIO()
    draw(output.console(stream, columns), page(found))
    drawn = [line for line in stream.getvalue().split("\n") if re.search("[▏▎▍▌▋▊▉█]", line)]
    assert drawn
    for line in drawn:
        assert len(line.rstrip()) <= columns
        assert re.fullmatch(r"  [-0-9]{10}  \S+ \d+", line.rstrip())
