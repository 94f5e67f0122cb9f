"""How the log reads on a terminal: the line about a delivery begins with what became of which resource. Pure."""

from __future__ import annotations

from structlog.typing import EventDict, WrappedLogger

SETTLED = "delivery.settled"
_LONGEST_STATE = 60
"""Characters; a longer state is cut in the headline, and stands whole among the fields."""


def headline(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """A processor of structlog: `fixed photos: public-read → private`, then the name of the event, then the rest."""
    if fields.get("event") != SETTLED:
        return fields
    left = dict(fields)
    outcome, resource, reason = (_taken(left, name) for name in ("outcome", "resource", "reason"))
    if not outcome:
        outcome = _taken(left, "disposition")
    states = [_state(left, name) for name in ("before", "after")]
    shown = [state for state in dict.fromkeys(states) if state]
    text = " ".join(part for part in (outcome, resource) if part)
    for between, part in ((": ", " → ".join(shown)), (", ", reason)):
        text += between + part if part else ""
    return {**left, "event": text, "logger": SETTLED}


def _taken(fields: EventDict, name: str) -> str:
    return str(fields.pop(name, ""))


def _state(fields: EventDict, name: str) -> str:
    """A state for the headline; it stays among the fields if it is too long for that."""
    state = str(fields.get(name, ""))
    if len(state) > _LONGEST_STATE:
        return f"{state[:_LONGEST_STATE]}…"
    fields.pop(name, None)
    return state
