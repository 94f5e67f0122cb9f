"""What became of a redriven message: by its own id, by those of its parked copies, and by its origin and body."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from consumer.aliyun.mns.queue import Queue
from consumer.core.message import Peeked
from consumer.engine.dead_letter import SCHEMA
from consumer.operator.dlq.followed import Followed, Journal
from consumer.operator.dlq.letters import read
from tests.unit.fakes import Clock
from tests.unit.operator.report.journals import Book

ORIGIN, SENT, COPY, COPY_OF_COPY = "A" * 32, "B" * 32, "C" * 32, "D" * 32


@dataclass
class Letters:
    """A dead-letter queue that shows what a test puts in."""

    shown: list[Peeked] = field(default_factory=list)

    def peek(self, count: int) -> list[Peeked]:
        """BatchPeekMessage."""
        return self.shown[:count]


def letter(letter_id: str, message_id: str, *, origin_id: str = ORIGIN, body: str = "body") -> Peeked:
    """One that the worker wrote for this message."""
    document = {
        "schema": SCHEMA,
        "outcome": "exhausted",
        "reason": "throttled",
        "message_id": message_id,
        "origin_id": origin_id,
        "body_encoding": "plain",
        "body": body,
    }
    return Peeked(letter_id, json.dumps(document), 1, 5)


REDRIVEN = letter("1" * 32, ORIGIN)
IDENTITY = read(REDRIVEN.message_id, REDRIVEN.body, 5).identity


def became(letters: Letters, journal: Path | None = None, lines: tuple[tuple[str, str, str], ...] = ()) -> str:
    """What is shown of the message after 5 s; the lines, of message, disposition and copy, are written meanwhile."""
    clock = Clock()
    book = Book(journal) if journal else None
    followed = Followed(
        cast("Queue", letters),
        Journal(journal),
        frozenset({REDRIVEN.message_id}),
        monotonic=clock,
        pause=lambda seconds: clock.advance(seconds),
    )
    for message_id, disposition, parked_as in lines:
        more = {"parked_as": parked_as} if parked_as else {}
        outcome = "held" if parked_as else "fixed"
        if book:
            book.line("settled", message_id=message_id, outcome=outcome, disposition=disposition, **more)
    return followed.wait({SENT: IDENTITY}, 5)[SENT]


@pytest.mark.parametrize(
    "back",
    [
        letter("2" * 32, SENT),
        letter("2" * 32, COPY),
        letter("2" * 32, COPY, origin_id=SENT),
        letter("2" * 32, SENT, origin_id=SENT),
    ],
    ids=["itself", "a copy of it", "a copy of what was sent without history", "itself without history"],
)
def test_a_message_that_failed_again_is_found_whatever_its_letter_calls_it(back: Peeked) -> None:
    """Parked in between it has another id; its origin and its body stay."""
    assert became(Letters([back])) == f"came back as letter {'2' * 12}: exhausted, throttled"


@pytest.mark.parametrize(
    "other",
    [REDRIVEN, letter("2" * 32, COPY, body="another"), letter("2" * 32, COPY, origin_id="E" * 32)],
    ids=["there before", "another body", "another origin"],
)
def test_a_letter_of_something_else_is_no_verdict(other: Peeked) -> None:
    """Nor is one that a sweep has seen before anything was sent."""
    assert became(Letters([other])).startswith("nothing seen of it")


def test_a_journal_shows_what_became_of_the_last_copy(tmp_path: Path) -> None:
    """Each copy has an id of its own, which the line of the one before names."""
    lines = ((SENT, "parked", COPY), (COPY, "parked", COPY_OF_COPY), (COPY_OF_COPY, "deleted", ""))
    assert became(Letters(), tmp_path / "journal.jsonl", lines) == "fixed, deleted"
    assert became(Letters(), tmp_path / "journal.jsonl", lines[:2]) == "held, parked"
    assert became(Letters(), tmp_path / "journal.jsonl", lines[1:]).startswith("nothing seen of it")
