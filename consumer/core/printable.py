"""Text from outside as a terminal, a log or a script may have it: nothing in it controls how it is shown. Pure."""

from __future__ import annotations

import json


def printable(text: str, keep: str = "") -> str:
    r"""The text with every character that cannot be printed written as JSON would: `\u202e`.

    That covers the controls of C0 and C1, DEL, what turns the direction of text around, what has no width, line and
    paragraph separators, and lone surrogates; `keep` names characters that stay all the same.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else json.dumps(c)[1:-1] for c in text)


def counted(number: int, noun: str) -> str:
    """So many of what the noun names: `1 line`, `2 lines`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_MOST_QUOTED = 40


def quoted(value: object) -> str:
    """A value from outside for the text of an error: in quotes, printable, and cut where it is long."""
    text = printable(repr(value))
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…"
