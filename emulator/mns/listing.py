"""Pages through queues, topics and subscriptions as the list headers ask for it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable

from emulator.http import Response
from emulator.mns import names
from emulator.mns.call import MnsCall, answer
from emulator.xml import Node


def page(
    call: MnsCall, root: str, entry: str, existing: Iterable[str], write: Callable[[str, bool], list[Node]]
) -> Response:
    """One page: `write(name, with_meta)` gives the inside of an entry.

    The last page has no `<NextMarker>`: clients break on an empty one. Raises InvalidArgument for a page size
    outside 1 to 1000.
    """
    headers = call.request.headers
    prefix = headers.get("x-mns-prefix", "")
    size = names.number(
        headers.get("x-mns-ret-number", str(names.LIST_ENTRIES)), "x-mns-ret-number", (1, names.LIST_ENTRIES)
    )
    with_meta = headers.get("x-mns-with-meta", "").lower() == "true"
    matching = sorted(name for name in existing if name.startswith(prefix))
    start = bisect_left(matching, headers.get("x-mns-marker", ""))
    chosen = matching[start : start + size]
    inner: list[Node] = [(entry, write(name, with_meta)) for name in chosen]
    if start + size < len(matching):
        inner.append(("NextMarker", matching[start + size]))
    return answer(200, root, inner)
