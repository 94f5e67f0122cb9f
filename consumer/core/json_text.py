"""JSON that comes from outside, no deeper than anything that is expected there. Pure.

How deep Python's own parser goes depends on its version: a thousand levels on 3.11, ten thousand on 3.13, as many as
the stack holds on 3.14. What is read so deep ends whatever walks through it later, so the depth is bounded here.
"""

from __future__ import annotations

import json
import re
from typing import Any

MOST_LEVELS = 64
"""Far more than any document has that is known to come: the deepest is a policy, whose values stand six levels deep."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""A string, even one that never ends, or a bracket."""


class NestedTooDeep(ValueError):
    """Arrays and objects stand more levels deep in each other than is allowed."""


def parse(text: str, *, levels: int = MOST_LEVELS, **hooks: Any) -> Any:
    """What the text says; `hooks` are those of `json.loads`.

    Raises:
        NestedTooDeep: it has more levels.
        ValueError: it is not JSON; `json.JSONDecodeError`, unless it has a number with too many digits.
    """
    if is_deeper(text, levels):
        raise NestedTooDeep(f"it is nested more than {levels} levels deep")
    return json.loads(text, **hooks)


def is_deeper(text: str, levels: int) -> bool:
    """Whether arrays and objects are nested deeper than that, found without nested calls and in linear time."""
    if text.count("[") + text.count("{") <= levels:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
                if depth > levels:
                    return True
            case "]" | "}":
                depth -= 1
    return False
