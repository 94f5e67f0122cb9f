"""Moments and spans as people read them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))
_TWICE = 2
"""A unit is used from two of it on: 90 min says more than 1 h."""


def moment(at_ms: object) -> str:
    """A moment in milliseconds since the epoch, in UTC; what is none is a question mark."""
    try:
        return datetime.fromtimestamp(float(str(at_ms)) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "?"


def dated(at_ms: object, now_ms: int) -> str:
    """A moment with how long ago it was: `2026-11-29 12:00:00 UTC, 3 h ago`; what is none is a question mark."""
    shown = moment(at_ms)
    return shown if shown == "?" else f"{shown} UTC, {ago(float(str(at_ms)), now_ms)}"


def ago(at_ms: float, now_ms: float) -> str:
    """How far a moment is from now."""
    seconds = round((now_ms - at_ms) / 1000)
    if seconds == 0:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def span(seconds: float) -> str:
    """A span of time in the largest unit of which there are two: `90 min`; below ten seconds with two digits.

    One that is longer than any number can say is a question mark.
    """
    try:
        seconds = float(seconds)
    except OverflowError:
        return "?"
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    size, unit = next((each for each in _UNITS if seconds >= _TWICE * each[0]), _UNITS[-1])
    return f"{seconds / size:.0f} {unit}"
