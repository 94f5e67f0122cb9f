"""States of a resource, and other long texts, as a person can read them. Pure.

A state may be a whole policy of several thousand characters. People get the part that differs and how much there is;
`--output json` always has all of it.
"""

from __future__ import annotations

MOST_SHOWN = 240
"""Characters of a text among others."""
MOST_OF_A_BODY = 4_000
"""Characters of a text that a person named, such as one dead letter's body."""
_ALL = "--output json has all"
_LEAD = 60
"""Characters that are the same in both states and stand before the first one that differs, at most."""


def cut(text: str, most: int = MOST_SHOWN) -> str:
    """The text, or its beginning and how long all of it is."""
    return text if len(text) <= most else f"{_part(text, 0, most)} ({len(text):,} characters; {_ALL})"


def change(before: str, after: str) -> str:
    """`before → after`, one state where they are equal; of long ones the part around the first difference."""
    if before == after:
        return cut(before)
    if max(len(before), len(after)) <= MOST_SHOWN:
        return f"{before} → {after}"
    start = _start(before, _differ_at(before, after))
    parts = " → ".join(_part(each, start, MOST_SHOWN) for each in (before, after))
    return f"{parts} ({len(before):,} and {len(after):,} characters; {_ALL})"


def _differ_at(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    return next((index for index in range(shorter) if one[index] != other[index]), shorter)


def _start(text: str, differs_at: int) -> int:
    """Where to begin so that what differs is seen: where the member of a JSON text begins that it is in, if near."""
    if differs_at <= _LEAD:
        return 0
    near = differs_at - _LEAD
    member = max(text.rfind(mark, near, differs_at) for mark in ",{[")
    return near if member < 0 else member + 1


def _part(text: str, start: int, most: int) -> str:
    """A part of a text, marked where something is left out."""
    start = min(start, len(text))
    before, after = "…" if start else "", "…" if start + most < len(text) else ""
    return f"{before}{text[start : start + most]}{after}"
