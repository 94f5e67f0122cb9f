"""Names of test cases that a command line can carry: tools that choose single tests pass them as arguments."""

from __future__ import annotations


def ascii_id(value: object) -> str:
    """The case's value in ASCII and without backslashes, which pytest would escape a second time."""
    return ascii(value)[:80].replace("\\", "/")
