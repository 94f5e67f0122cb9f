"""A made-up week in a journal, the same every time, and the picture of the report about it."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from consumer.core.outcome import Outcome
from tests.browser import browser
from tests.pictures.small import shrink
from tests.unit.operator.report.journals import DAY, PERSON, Book

_SINCE = datetime(2026, 11, 23, tzinfo=UTC)
_DAYS = 7
_WIDTH = 1000

_FOUND: dict[str, dict[Outcome, int]] = {
    "encryption": {
        Outcome.FIXED: 50,
        Outcome.ALREADY_COMPLIANT: 10,
        Outcome.GONE: 4,
        Outcome.EXEMPT: 1,
        Outcome.HELD: 2,
    },
    "https-only": {
        Outcome.FIXED: 51,
        Outcome.ALREADY_COMPLIANT: 12,
        Outcome.GONE: 4,
        Outcome.EXEMPT: 5,
        Outcome.HELD: 2,
    },
    "public-read": {
        Outcome.FIXED: 98,
        Outcome.ALREADY_COMPLIANT: 12,
        Outcome.GONE: 3,
        Outcome.EXEMPT: 6,
        Outcome.HELD: 7,
    },
    "public-write": {
        Outcome.FIXED: 41,
        Outcome.ALREADY_COMPLIANT: 9,
        Outcome.GONE: 2,
        Outcome.HELD: 3,
        Outcome.FAILED: 1,
    },
    "tags": {Outcome.WOULD_FIX: 25},
}
"""How the last delivery about each resource ended, by rule."""

_WHY = {
    Outcome.EXEMPT: {"reason": "exemption", "detail": "exemption static-sites: Public pages (owner: web@example.com)"},
    Outcome.HELD: {"reason": "over_limit"},
    Outcome.FAILED: {"reason": "AccessDenied"},
}


def journaled(path: Path) -> None:
    """Write the week."""
    chance = random.Random(19)  # noqa: S311 - a picture, no secret
    begin = int(_SINCE.timestamp() * 1_000)
    endings = [
        (
            begin + chance.randrange(_DAYS * DAY),
            rule,
            outcome,
            f"{chance.choice(('billing', 'media', 'web'))}-{number:03}",
        )
        for rule, outcomes in _FOUND.items()
        for number, outcome in enumerate(each for each, count in outcomes.items() for _ in range(count))
    ]
    book = Book(path)
    book.line("opened", begin - DAY)
    for at_ms, rule, outcome, resource in sorted(endings):
        exposed_ms = round(1_000 * chance.lognormvariate(1.2, 1.0))
        book.ended(outcome.value, resource, at_ms, rule=rule, exposed_ms=exposed_ms, **_WHY.get(outcome, {}))
    last = begin + _DAYS * DAY - 1
    book.line("undone", last, PERSON, rule="public-read", resource="web-pages", undoes="0" * 64)


def reported(folder: Path, out: Path) -> None:
    """Draw the beginning of the report about that week: its figures, its days, and its rules."""
    journal, report = folder / "journal.jsonl", folder / "report.html"
    journaled(journal)
    until = datetime.fromtimestamp(_SINCE.timestamp() + _DAYS * DAY / 1_000, UTC)
    period = ("--since", f"{_SINCE:%Y-%m-%d}", "--until", f"{until:%Y-%m-%d}")
    command = ("report", "--file", str(journal), *period, "--format", "html", "--output", str(report))
    subprocess.run([sys.executable, "-m", "consumer", *command], check=True)
    picture = out / "report.png"
    with browser(folder / "report") as page:
        page.open(report.as_uri(), _WIDTH)
        page.screenshot(picture, until="document.querySelectorAll('main > section')[2].getBoundingClientRect().top")
    shrink(picture)
