"""The wildcards of policies and referers: `*` is any text, `?` one character, and nothing else is special. Pure.

"Provably covers" is decided by the pattern's structure, never by trying names: Conditional operators,
https://www.alibabacloud.com/help/en/ram/conditional-operator
"""

from __future__ import annotations

_WILDCARDS = "*?"


def has_wildcard(text: str) -> bool:
    """Whether the text stands for more than itself."""
    return any(character in text for character in _WILDCARDS)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern; takes at most their lengths' product in steps."""
    position = at = 0
    star, resumed = -1, 0
    while at < len(text):
        if position < len(pattern) and pattern[position] == "*":
            star, resumed = position, at
            position += 1
        elif position < len(pattern) and pattern[position] in ("?", text[at]):
            position += 1
            at += 1
        elif star >= 0:
            # The last star takes one character more; stars before it never have to be tried again.
            resumed += 1
            position, at = star + 1, resumed
        else:
            return False
    return not pattern[position:].strip("*")


def covers_all_below(pattern: str, prefix: str) -> bool:
    """Whether the pattern fits the prefix followed by anything that is not empty.

    Only wildcards fit characters that nobody knows beforehand. So the pattern has to end in wildcards, a star among
    them, that ask for at most one character more than the prefix gives: what stands before them has to fit the prefix.
    The prefix itself holds no wildcards.
    """
    known = pattern.rstrip(_WILDCARDS)
    wild = pattern[len(known) :]
    if "*" not in wild:
        return False
    return matches(known + "?" * (wild.count("?") - 1) + "*", prefix)
