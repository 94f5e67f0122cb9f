"""How the lists of ECS come page by page: so many at most, and a token for the next page.

A token names the last item of its page by what the list is sorted by, so that what comes and goes between two pages
moves nothing else.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from emulator.ecs.codes import Ecs
from emulator.refusal import Refusal

Item = TypeVar("Item")


def page(items: Sequence[Item], after: str, size: int, place: Callable[[Item], str]) -> tuple[Sequence[Item], str]:
    """One page of items that are sorted by `place`, and the token of the next one, empty on the last."""
    following = [each for each in items if not after or place(each) > after]
    found = following[:size]
    return found, _token(place(found[-1])) if len(following) > size else ""


def size(given: Mapping[str, str], default: int, low: int, high: int, refused: Ecs) -> int:
    """`MaxResults`; raises Refusal outside its limits."""
    text = given.get("MaxResults", str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and low <= int(text) <= high):
        raise Refusal(refused)
    return int(text)


def after(given: Mapping[str, str], refused: Ecs) -> str:
    """The place that the wanted page follows; empty for the first page. Raises Refusal for a token that is not ours."""
    token = given.get("NextToken", "")
    if not token:
        return ""
    try:
        word, _, place = base64.b64decode(token, b"-_", validate=True).decode().partition(" ")
    except ValueError:
        raise Refusal(refused) from None
    if word != "after" or not place:
        raise Refusal(refused)
    return place


def _token(place: str) -> str:
    return base64.urlsafe_b64encode(f"after {place}".encode()).decode()
