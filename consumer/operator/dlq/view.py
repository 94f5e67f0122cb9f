"""How dead letters are shown: as tables for people, as documents for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from consumer.operator import output
from consumer.operator.dlq.letters import Letter


@dataclass(frozen=True, slots=True)
class Dealt:
    """What became of one letter."""

    letter: Letter
    done: bool
    text: str
    sent_as: str = ""
    """The id of the message that a redrive has made of it: what the worker's log names it by."""

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {**letter_document(self.letter), "done": self.done, "result": self.text, "sent_as": self.sent_as}


def draw_letters(console: Console, letters: Sequence[Letter], *, full: bool) -> None:
    """One row a letter, and how many there are by rule and reason; `full` says that there may be more."""
    rows = [
        (each.short_id, output.moment(each.at_ms), each.rule, each.outcome, each.reason, each.resource, each.detail)
        for each in letters
    ]
    console.print(output.table(("letter", "since (UTC)", "rule", "outcome", "reason", "resource", "detail"), rows))
    counts = Counter((each.rule, each.reason) for each in letters)
    summary = [(rule, reason, number) for (rule, reason), number in sorted(counts.items())]
    console.print(output.table(("rule", "reason", "letters"), summary))
    if full:
        console.print("There may be more: a peek shows 16 at most, --all receives every one for a moment.")


def draw_dealt(console: Console, dealt: Sequence[Dealt]) -> None:
    """One row a letter, with what became of it, and with the id of its new message where it was sent."""
    sent = any(each.sent_as for each in dealt)
    rows = [
        (each.letter.short_id, each.letter.rule, each.letter.resource, each.text, *([each.sent_as] if sent else []))
        for each in dealt
    ]
    columns = ("letter", "rule", "resource", "result", *(["sent as message"] if sent else []))
    console.print(output.table(columns, rows))


def full_document(letter: Letter) -> dict[str, Any]:
    """For scripts; with everything that it says itself, which never hides what is known of it, and the body."""
    return {**letter_document(letter), **letter.document, **letter_document(letter), "body": letter.body}


def letter_document(letter: Letter) -> dict[str, Any]:
    """For scripts; without the body."""
    return {
        "id": letter.message_id,
        "dead_lettered_at_ms": letter.at_ms,
        "rule": letter.rule,
        "outcome": letter.outcome,
        "reason": letter.reason,
        "detail": letter.detail,
        "resource": letter.resource,
        "attempts": letter.attempts,
        "foreign": letter.foreign,
    }
