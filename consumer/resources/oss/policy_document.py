"""Bucket policies as text: read without guessing, written in one form. Pure.

A policy comes from whoever owns the bucket, so reading is bounded and linear in cost. What JSON leaves open is not
decided here: a key that appears twice would be lost or changed by writing the policy again, so such a policy is
refused, and a person looks at it.

The form: "Policy syntax and elements", https://www.alibabacloud.com/help/en/oss/user-guide/authorization-syntax-and-elements
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from consumer.core import json_text
from consumer.core.errors import Refused
from consumer.core.printable import quoted

MOST_CHARACTERS = 64 * 1024
"""The service takes 16 KB; characters outside ASCII may come back escaped."""
_DEEPEST = 16
"""A condition's list of values stands six levels deep."""
_LONGEST_NUMBER = 15
"""Digits that every JSON reader keeps exactly."""


def refused(why: str) -> Refused:
    """The error for a policy that is not understood: it ends as `rejected`, for a person."""
    return Refused("policy_not_understood", f"the bucket policy is not understood, so a person has to look: {why}")


def parsed(text: str) -> dict[str, Any]:
    """The policy's JSON object: no key twice, no fraction, not deeper and not longer than any policy.

    Raises:
        Refused: it is something else.
    """
    if len(text) > MOST_CHARACTERS:
        raise refused(f"it has more than {MOST_CHARACTERS} characters")
    if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}"):
        raise refused("it starts with a byte order mark")
    try:
        document = json_text.parse(
            text,
            levels=_DEEPEST,
            object_pairs_hook=_without_repeats,
            parse_int=_short_number,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except json_text.NestedTooDeep as error:
        raise refused(str(error)) from None
    except ValueError as error:
        raise refused(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise refused("it is not a JSON object")
    if not _can_be_written(document):
        raise refused("it has half a surrogate pair in a text")
    return document


def written(document: dict[str, Any]) -> str:
    """The one text that equal policies share: sorted keys, no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(policy: str | None) -> str | None:
    """The same policy in the form of `written`; None stays None.

    Raises:
        Refused: the text cannot be read.
    """
    return None if policy is None else written(parsed(policy))


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise refused(f"the key {quoted(key)} appears twice in one object")
        found[key] = value
    return found


def _short_number(digits: str) -> int:
    if len(digits.lstrip("-")) > _LONGEST_NUMBER:
        _no_number(digits)
    return int(digits)


def _no_number(digits: str) -> NoReturn:
    raise refused(f"it has the number {quoted(digits)}, which not every reader keeps as it is")


def _can_be_written(document: dict[str, Any]) -> bool:
    try:
        written(document).encode()
    except UnicodeEncodeError:
        return False
    return True
