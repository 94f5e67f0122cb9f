"""The two ways in which lists of the Cloud Config API come page by page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TypeVar

from emulator.refusal import Refusal
from emulator.rpc_codes import Rpc

Item = TypeVar("Item")
Key = tuple[str, str]
_MOST = 100


def number(query: Mapping[str, str], name: str, default: int, low: int = 1, high: int = _MOST) -> int:
    """A parameter as a number; raises Refusal outside its limits."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
        raise Refusal(Rpc.PAGE, name, low, high)
    return int(text)


def by_token(query: Mapping[str, str], items: Sequence[tuple[Key, Item]]) -> tuple[list[Item], int, str]:
    """One page of sorted items, its size, and the token of the next page; empty on the last.

    The token names the last item of its page, so that what comes and goes between two pages moves nothing else.
    Without MaxResults a page has 100 items, which is assumed.
    """
    size, after = number(query, "MaxResults", _MOST), _key(query.get("NextToken", ""))
    following = [(key, item) for key, item in items if after is None or key > after]
    page = following[:size]
    token = _token(page[-1][0]) if len(following) > size else ""
    return [item for _, item in page], size, token


def _token(key: Key) -> str:
    return base64.urlsafe_b64encode("\n".join(key).encode()).decode()


def _key(token: str) -> Key | None:
    if not token:
        return None
    try:
        first, line_break, second = base64.b64decode(token, b"-_", validate=True).decode().partition("\n")
    except ValueError:
        raise Refusal(Rpc.PAGE_TOKEN) from None
    if not line_break:
        raise Refusal(Rpc.PAGE_TOKEN)
    return first, second
