"""How dead letters are shown: as tables for people, as documents for scripts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from consumer.core.errors import InvalidMessage
from consumer.core.event import Event, decode
from consumer.engine.dead_letter import LETTER_FIELDS
from consumer.operator import output, states, times
from consumer.operator.dlq.letters import Letter, Scalar


@dataclass(frozen=True, slots=True)
class LetterResult:
    """What became of one letter."""

    letter: Letter
    done: bool
    text: str
    failed: bool = False
    """Whether it is left because a service did not do it."""
    sent_as: str = ""
    """The id of the message that a redrive has made of it: what the worker's log names it by."""
    became: str = ""
    """What has become of that message, where somebody waited for it."""

    def document(self) -> dict[str, Any]:
        """For scripts."""
        known = letter_document(self.letter)
        return {**known, "done": self.done, "result": self.text, "sent_as": self.sent_as, "became": self.became}


def draw_letters(console: Console, letters: Sequence[Letter], *, full: bool) -> None:
    """One row a letter, and how many there are by rule and reason; `full` says that there may be more."""
    if not letters:
        console.print("No dead letter to show.")
        return
    rows = [
        (
            each.short_id,
            times.moment(each.at_ms),
            each.rule,
            each.outcome,
            each.reason,
            each.resource,
            states.cut(each.detail),
        )
        for each in letters
    ]
    console.print(output.table(("letter", "since (UTC)", "rule", "outcome", "reason", "resource", "detail"), rows))
    counts = Counter((each.rule, each.reason) for each in letters)
    summary = [(rule, reason, number) for (rule, reason), number in sorted(counts.items())]
    console.print(output.table(("rule", "reason", "letters"), summary))
    if full:
        console.print("There may be more: a peek shows 16 at most, --all receives every one for a moment.")


def draw_dealt(console: Console, dealt: Sequence[LetterResult]) -> None:
    """One row a letter, with what became of it, and with the id of its new message where it was sent."""
    columns = ["letter", "rule", "resource", "result"]
    rows = [[each.letter.short_id, each.letter.rule, each.letter.resource, each.text] for each in dealt]
    for column, values in (
        ("sent as message", [each.sent_as for each in dealt]),
        ("and then", [each.became for each in dealt]),
    ):
        if any(values):
            columns.append(column)
            rows = [[*row, value] for row, value in zip(rows, values, strict=True)]
    console.print(output.table(columns, rows))


def draw_letter(console: Console, letter: Letter, now_ms: int) -> None:
    """All about one letter: what became of its message, the event in it, and the body as it came."""
    known = letter_document(letter)
    own = {key: value for key, value in letter.document.items() if key in LETTER_FIELDS}
    fields = {key: value for key, value in {**known, **own, **known}.items() if value != ""}
    fields.pop("resource_id", None)  # the resource, once more
    console.print(output.facts(_for_people(fields, now_ms)))
    if others := [key for key in letter.document if key not in LETTER_FIELDS]:
        # Whoever may write to the queue chooses these names: none may pass for one of ours.
        console.print("\nWhat it says besides, which no letter of this version does")
        console.print(output.lines("\n".join(_member(key, letter.document[key]) for key in others)))
    event, problem = _decoded(letter.body)
    console.print(f"\nThe event in it{'' if event else f': none, {problem}'}")
    if event:
        console.print(output.facts(_for_people({k: v for k, v in asdict(event).items() if v != ""}, now_ms)))
    console.print("\nThe original body")
    console.print(output.lines(states.cut(letter.body, states.MOST_OF_A_BODY)))


def _member(key: str, value: Scalar) -> str:
    return f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"


def _for_people(fields: dict[str, Any], now_ms: int) -> list[tuple[str, object]]:
    """Names as words, and moments as dates."""
    return [
        (key.removesuffix("_ms").replace("_", " "), times.dated(value, now_ms) if key.endswith("_ms") else value)
        for key, value in fields.items()
    ]


def _decoded(body: str) -> tuple[Event | None, str]:
    """The event in a body, or why there is none, by the worker's own decoding."""
    try:
        found = decode(body)
    except InvalidMessage as error:
        return None, str(error)
    return (found, "") if isinstance(found, Event) else (None, f"another message, {found.kind}")


def full_document(letter: Letter) -> dict[str, Any]:
    """For scripts; with everything that it says itself, which never hides what is known of it, the event, the body."""
    event, problem = _decoded(letter.body)
    known = {**letter_document(letter), "event": asdict(event) if event else None, "event_problem": problem}
    return {**known, **letter.document, **known, "body": letter.body}


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
        "origin_id": letter.origin_id,
    }
