"""Dead letters as the commands show them: read from the queue's bodies, chosen by rule, reason, outcome and age. Pure.

A dead-letter queue may also hold messages that somebody else put there, MNS itself among them: those are `foreign`,
and their body is the original. Whoever may write to the queue decides what stands in a letter, so every field is
checked and cut to size here, once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from consumer.core import json_text
from consumer.engine.dead_letter import original_body

_LONGEST_NAME = 256
_LONGEST_TEXT = 2_000
_MOST_FIELDS = 64
_LARGEST_NUMBER = 1 << 53
"""What a script in any language still reads exactly."""

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter."""

    message_id: str
    """Its own id, in the dead-letter queue."""
    body: str
    """The original body, as the queue had it; empty once it is let go."""
    at_ms: int
    """When it was dead-lettered, or for a foreign one enqueued; milliseconds since the epoch."""
    identity: str
    """The same for all copies of one message: a copy whose confirmation got lost is sent again."""
    rule: str = ""
    outcome: str = ""
    reason: str = ""
    detail: str = ""
    resource: str = ""
    attempts: int = 0
    foreign: bool = False
    origin_id: str = ""
    """The first message that it is about, through all its parked copies; empty where it does not say."""
    queued_ms: int = 0
    """When it came into the dead-letter queue, by the service's clock."""
    document: dict[str, Scalar] = field(default_factory=dict, compare=False)
    """Everything it says, for people and scripts; without the body."""

    @property
    def short_id(self) -> str:
        """The end of the id, as tables show it; commands take it as well."""
        return self.message_id[-12:]

    def light(self) -> Letter:
        """The same letter without its body, to remember many of them."""
        return replace(self, body="", document={})


def read(message_id: str, text: str, enqueued_at_ms: int) -> Letter:
    """The dead letter in a message of the dead-letter queue; what is none of ours is a foreign one."""
    try:
        document = json_text.parse(text)
        body = original_body(document)
        body.encode("utf-8")  # a lone surrogate: no message of the queue could have had this body
    except (ValueError, AttributeError):
        at_ms = enqueued_at_ms
        return Letter(message_id, text, at_ms, message_id, reason="foreign", foreign=True, queued_ms=at_ms)
    fields = _fields(document)
    return Letter(
        message_id,
        body,
        _whole(fields.get("dead_lettered_at_ms"), enqueued_at_ms),
        _identity(message_id, fields, body),
        rule=_text(fields.get("rule")),
        outcome=_text(fields.get("outcome")),
        reason=_text(fields.get("reason")),
        detail=_text(fields.get("detail"), _LONGEST_TEXT),
        resource=_text(fields.get("resource_id")),
        attempts=_whole(fields.get("attempts"), 0),
        origin_id=_origin(fields),
        queued_ms=enqueued_at_ms,
        document=fields,
    )


@dataclass(frozen=True, slots=True)
class LetterFilter:
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


def _fields(document: dict[str, Any]) -> dict[str, Scalar]:
    """What a letter says of itself, as far as it is plain and of a size: a worker of another version may say more."""
    fields = ((key, value) for key, value in document.items() if key not in ("body", "body_encoding"))
    kept = {key[:_LONGEST_NAME]: _plain(value) for key, value in list(fields)[:_MOST_FIELDS]}
    return {key: value for key, value in kept.items() if value is not None}


def _plain(value: object) -> Scalar:
    match value:
        case bool():
            return value
        case str():
            return _text(value, _LONGEST_TEXT)
        case int() | float() if -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
            return value
        case _:
            return None


def _text(value: object, longest: int = _LONGEST_NAME) -> str:
    return value[:longest] if isinstance(value, str) else ""


def _whole(value: object, default: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_NUMBER:
        return value
    return default


def _origin(fields: dict[str, Scalar]) -> str:
    """The message that a letter is about; of parked copies the first one, for they are all the same event."""
    return _text(fields.get("origin_id")) or _text(fields.get("message_id"))


def _identity(message_id: str, fields: dict[str, Scalar], body: str) -> str:
    """Copies have the same origin and the same body: a letter that only claims another's origin is its own."""
    origin = _origin(fields)
    if not origin:
        return message_id
    return f"{origin}/{hashlib.sha256(body.encode('utf-8')).hexdigest()}"
