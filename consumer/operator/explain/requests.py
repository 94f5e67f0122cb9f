"""The requests that work on an event sent, and their answers: of a journal's line, or of a look just now. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from consumer.core.sent import SentRequest, SentRequests
from consumer.journal.format import Entry

_MOST = 64
"""Requests of one line, as many as a worker writes: a file may hold anything."""
_LONGEST = 128
_TEXTS = ("service", "operation", "code", "request_id")
_READING = ("Get", "List", "Describe", "Head", "Query")
"""How the names of operations begin that change nothing."""


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """One request, and how it was answered."""

    at_ms: int
    """When it ended, in milliseconds since the epoch by the clock of who sent it; 0 where that is not known."""
    service: str
    operation: str
    code: str
    """`ok`, or the error code."""
    request_id: str
    """Empty where no answer came."""
    ms: int
    """How long it took."""

    @property
    def writes(self) -> bool:
        """Whether it requests a change."""
        return not self.operation.startswith(_READING)

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "at_ms": self.at_ms,
            "service": self.service,
            "operation": self.operation,
            "writes": self.writes,
            "code": self.code,
            "request_id": self.request_id,
            "ms": self.ms,
        }


@dataclass(frozen=True, slots=True)
class AnsweredRequests:
    """Those of one piece of work, in their order."""

    shown: tuple[AnsweredRequest, ...]
    left_out: int = 0
    """How many, between the first ones and the last ones, were not kept."""

    @property
    def writes(self) -> tuple[AnsweredRequest, ...]:
        """Those that request a change."""
        return tuple(each for each in self.shown if each.writes)

    @property
    def taken(self) -> bool:
        """Whether the service has taken the change: the last try of each operation that writes was answered with ok."""
        last = {each.operation: each.code for each in self.writes}
        return bool(last) and set(last.values()) == {"ok"}

    @property
    def unanswered(self) -> bool:
        """Whether a change may have been made that nobody knows of: no answer came, and no later try was taken."""
        last = {each.operation: each.code for each in self.writes}
        return any(not each.request_id and last[each.operation] != "ok" for each in self.writes)


def sent_now(sent: SentRequests) -> AnsweredRequests:
    """What a look has sent."""
    return AnsweredRequests(tuple(map(_sent, sent.kept)), sent.left_out)


def _sent(request: SentRequest) -> AnsweredRequest:
    call = request.call
    service, operation, code, identity = map(_cut, (call.service, call.operation, call.code, call.request_id))
    return AnsweredRequest(request.at_ms, service, operation, code, identity, round(call.seconds * 1_000))


def journaled(ending: Entry) -> AnsweredRequests | None:
    """What the line about an ending says of them; None where it says nothing, as those of earlier workers do."""
    found = ending.fields.get("requests")
    if not isinstance(found, list):
        return None
    kept = [each for each in found[:_MOST] if isinstance(each, dict)]
    left_out = max(_number(ending.fields.get("requests_left_out")), 0)
    return AnsweredRequests(tuple(map(_written, kept)), left_out + len(found) - len(kept))


def _written(fields: dict[str, Any]) -> AnsweredRequest:
    service, operation, code, identity = (_cut(str(fields.get(name) or "")) for name in _TEXTS)
    return AnsweredRequest(_number(fields.get("at_ms")), service, operation, code, identity, _number(fields.get("ms")))


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53 else 0


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
