"""A report as one HTML file that stands alone: no script, nothing from elsewhere, light and dark, fit to be printed.

Whatever came from outside is escaped; should something get through all the same, the page's own policy lets no script
run and nothing be loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from consumer.core.printable import counted, printable
from consumer.operator.report.page import Cell, Chart, Figure, ReportPage, Table
from consumer.operator.report.stylesheet import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_WIDTH, _HEIGHT, _BASE = 720, 150, 26
"""Of the chart, and of the space below it for the days."""
_WIDEST_BAR = 48
_LABELS = 8
_LONGEST_WORD = 48
"""Characters; a longer word is broken rather than that a table leaves the page."""
_ON_PAPER = 20
"""The same on paper, where a table cannot be scrolled: a longer id may be broken there, at its hyphens first."""


def html(page: ReportPage) -> str:
    """The whole file."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: ReportPage) -> Iterator[str]:
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
    yield f"<title>{text(page.title)}, {text(page.period)}</title>"
    yield f"<style>{STYLE}</style></head><body><main>"
    yield f"<header><h1>{text(page.title)}</h1><p>{text(page.period)}</p></header>"
    yield '<dl class="figures">'
    yield from (_figure(each) for each in page.figures)
    yield "</dl>"
    if page.unknown:
        yield f'<section class="unknown{" damaged" if page.damaged else ""}" role="note">'
        yield "<h2>What this report does not know</h2><ul>"
        yield from (f"<li>{text(sentence)}</li>" for sentence in page.unknown)
        yield "</ul></section>"
    for part in page.parts:
        yield f"<section><h2>{text(part.title)}</h2>"
        yield from _chart(part) if isinstance(part, Chart) else _table(part)
        yield "</section>"
    yield "<footer><h2>What was read</h2><ul>"
    yield from (f"<li><code>{text(each)}</code></li>" for each in page.files)
    yield "</ul></footer></main></body></html>"


def text(value: object) -> str:
    """A value as text of a page or of an attribute, without anything that controls either."""
    return escape(printable(str(value)), quote=True)


def _figure(each: Figure) -> str:
    value = f'<dd class="value">{text(each.value)}</dd>'
    return f'<div class="{each.tone}"><dt>{text(each.label)}</dt>{value}<dd>{text(each.note)}</dd></div>'


def _table(part: Table) -> Iterator[str]:
    if not part.rows:
        yield f'<p class="empty">{text(part.empty)}</p>'
        return
    if part.note:
        yield f"<p>{text(part.note)}</p>"
    marks = ["number" if each else "" for each in part.to_the_right()]
    heads = "".join(
        f'<th scope="col" class="{mark}">{text(name)}</th>' for name, mark in zip(part.columns, marks, strict=True)
    )
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for row in part.rows:
        yield f"<tr>{''.join(_cell(*each) for each in zip(part.columns, row, marks, strict=True))}</tr>"
    yield "</tbody></table>"


def _cell(name: str, value: Cell, mark: str) -> str:
    shown = f"<bdi>{text(value)}</bdi>" if isinstance(value, str) else str(value)
    return f'<td data-name="{text(name)}" class="{mark} {_kind(value)}">{shown}</td>'


def _kind(value: Cell) -> str:
    """How a cell may be broken: an id not at all, a sentence between its words, what is too long for that anywhere."""
    words = str(value).split()
    if not value or not words:
        return "none"
    if max(map(len, words)) > _LONGEST_WORD:
        return "long"
    if len(words) > 1:
        return "words"
    return "whole" if len(words[0]) <= _ON_PAPER else "whole wide"


def _chart(part: Chart) -> Iterator[str]:
    if not part.bars:
        yield f'<p class="empty">{text(part.empty)}</p>'
        return
    yield f"<p>{text(part.note)}</p>"
    total = sum(count or 0 for _, count in part.bars)
    label = f"{counted(total, 'change')} from {part.bars[0][0]} to {part.bars[-1][0]}; {part.most} at most"
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + _BASE}" role="img" aria-label="{text(label)}">'
    step = _WIDTH / len(part.bars)
    width = min(step * 0.8, _WIDEST_BAR)
    every = max(1, -(-len(part.bars) // _LABELS))
    for number, (day, count) in enumerate(part.bars):
        middle = step * (number + 0.5)
        height = (_HEIGHT - _BASE) * (count or 0) / part.most
        shown = "?" if count is None else count
        yield f"<g><title>{text(day)}: {'unknown' if count is None else count}</title>"
        yield (
            f'<rect x="{middle - width / 2:.1f}" y="{_HEIGHT - height:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
        )
        if count != 0 and len(part.bars) <= 2 * _LABELS:
            yield f'<text x="{middle:.1f}" y="{_HEIGHT - height - 5:.1f}">{shown}</text>'
        if number % every == 0:
            yield f'<text class="day" x="{middle:.1f}" y="{_HEIGHT + 20}">{text(day[5:])}</text>'
        yield "</g>"
    yield f'<line x1="0" y1="{_HEIGHT}" x2="{_WIDTH}" y2="{_HEIGHT}"/></svg>'
