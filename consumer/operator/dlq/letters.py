"""Dead letters as a person asks for them: read from the queue's bodies, chosen by rule, reason, outcome and age. Pure.

A dead-letter queue may also hold messages that somebody else put there, MNS itself among them: those are `foreign`,
and their body is the original.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from consumer.engine.dead_letter import original_body


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter."""

    message_id: str
    """Its own id, in the dead-letter queue."""
    body: str
    """The original body, as the queue had it."""
    at_ms: int
    """When it was dead-lettered, or for a foreign one enqueued; milliseconds since the epoch."""
    rule: str = ""
    outcome: str = ""
    reason: str = ""
    detail: str = ""
    resource: str = ""
    attempts: int = 0
    foreign: bool = False
    document: dict[str, Any] = field(default_factory=dict, compare=False)
    """Everything it says, for people and scripts; without the body."""

    @property
    def short_id(self) -> str:
        """The end of the id, as tables show it; commands take it as well."""
        return self.message_id[-12:]


def read(message_id: str, text: str, enqueued_at_ms: int) -> Letter:
    """The dead letter in a message of the dead-letter queue; what is none of ours is a foreign one."""
    try:
        document = json.loads(text)
        body = original_body(document)
    except (ValueError, AttributeError, RecursionError):
        return Letter(message_id, text, enqueued_at_ms, reason="foreign", foreign=True)
    told = {key: value for key, value in document.items() if key not in ("body", "body_encoding")}
    return Letter(
        message_id,
        body,
        _whole(told.get("dead_lettered_at_ms"), enqueued_at_ms),
        rule=str(told.get("rule") or ""),
        outcome=str(told.get("outcome") or ""),
        reason=str(told.get("reason") or ""),
        detail=str(told.get("detail") or ""),
        resource=str(told.get("resource_id") or ""),
        attempts=_whole(told.get("attempts"), 0),
        document=told,
    )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters are meant; what is empty does not narrow."""

    ids: frozenset[str] = frozenset()
    """Whole ids, or their ends of 8 characters and more."""
    rules: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()
    older_than_seconds: float | None = None
    newer_than_seconds: float | None = None

    def fits(self, letter: Letter, now_ms: int) -> bool:
        """Whether a letter is meant."""
        age_seconds = (now_ms - letter.at_ms) / 1000
        return (
            (not self.ids or any(names(letter, each) for each in self.ids))
            and (not self.rules or letter.rule in self.rules)
            and (not self.reasons or letter.reason in self.reasons)
            and (not self.outcomes or letter.outcome in self.outcomes)
            and (self.older_than_seconds is None or age_seconds > self.older_than_seconds)
            and (self.newer_than_seconds is None or age_seconds < self.newer_than_seconds)
        )


_SHORTEST_ID = 8


def names(letter: Letter, given: str) -> bool:
    """Whether an id that a person gave is the letter's."""
    return letter.message_id == given or (len(given) >= _SHORTEST_ID and letter.message_id.endswith(given))


def _whole(value: object, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default
