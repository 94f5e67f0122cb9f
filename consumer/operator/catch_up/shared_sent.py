"""What catch-up has sent lately, in the store that replicas share: for jobs whose disk goes with them.

It fails closed, as everything in that store: while it cannot be reached, nothing is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from consumer.guards.shared.store import Script, Store

_AT_ONCE = 500
_KNOWN = Script("return redis.call('MGET', unpack(KEYS))")
_ADD = Script("return redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])")


class SharedSent:
    """When which violation was sent last, by its key; to be used in a `with` block."""

    place = "the store of [shared]"
    """Where the next run will find what this one sends."""

    def __init__(self, store: Store, *, keep_seconds: int) -> None:
        """Each counts for `keep_seconds`; the store forgets it by itself."""
        self._store = store
        self._keep_seconds = keep_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.close()

    def known(self, keys: Sequence[str]) -> dict[str, int]:
        """When each of these was sent last, in milliseconds since the epoch; those that were not are left out.

        Raises:
            SharedUnreachable: the store cannot be reached.
        """
        found: dict[str, int] = {}
        for first in range(0, len(keys), _AT_ONCE):
            some = keys[first : first + _AT_ONCE]
            found |= self._store.run("count", _KNOWN, [self._key(key) for key in some], [], partial(_moments, some))
        return found

    def add(self, key: str, at_ms: int) -> None:
        """Remember one that the queue has confirmed.

        Raises:
            SharedUnreachable: the store cannot be reached.
        """
        self._store.run("record", _ADD, [self._key(key)], [at_ms, self._keep_seconds], str)

    def _key(self, key: str) -> str:
        return self._store.key("catch-up", key)


def _moments(keys: Sequence[str], reply: Any) -> dict[str, int]:
    return {key: int(value) for key, value in zip(keys, reply, strict=True) if str(value).isdigit()}
