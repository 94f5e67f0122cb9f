"""Collects endings that are announced together, every so often, instead of one by one. Pure; not thread-safe."""

from __future__ import annotations

import uuid
from collections import Counter, OrderedDict
from collections.abc import Callable

from consumer.announcements.records import MOST_IN_DIGEST, Digest, Kind, ResourceAnnouncement
from consumer.announcements.selection import OPEN, AnnouncedKey, key_of


class Digests:
    """What has been collected since the last digest of each kind."""

    def __init__(
        self,
        every_seconds: float,
        now_ms: int,
        *,
        most: int = MOST_IN_DIGEST,
        identity: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._every_ms = round(every_seconds * 1_000)
        self._since_ms = now_ms
        self._most = most
        self._identity = identity
        self._entries: OrderedDict[tuple[Kind, AnnouncedKey | str], ResourceAnnouncement] = OrderedDict()
        self._left_out: Counter[Kind] = Counter()

    def add(self, announced: ResourceAnnouncement) -> None:
        """Remember one for the next digest; of the same resource and rule the latest counts."""
        key = (announced.kind, key_of(announced) or announced.identity)
        if key not in self._entries and len(self._entries) >= self._most:
            self._left_out[announced.kind] += 1
            return
        self._entries[key] = announced

    def forget(self, key: AnnouncedKey) -> None:
        """The resource is safe, gone or not to be touched: what was open about it is not any more.

        What has happened to it stays news: a fix, or a message that was given up.
        """
        for kind in OPEN:
            self._entries.pop((kind, key), None)

    def due(self, now_ms: int, *, at_once: bool = False) -> tuple[Digest, ...]:
        """The digests whose time has come, one for each kind that has any entries; `at_once` for a stop."""
        early = now_ms < self._since_ms + self._every_ms and now_ms >= self._since_ms  # a clock may be set back
        if early and not at_once:
            return ()
        since_ms, self._since_ms = min(self._since_ms, now_ms), now_ms
        entries, self._entries = self._entries, OrderedDict()
        left_out, self._left_out = self._left_out, Counter()
        found = []
        for kind in Kind:
            mine = tuple(announced for (each, _), announced in entries.items() if each is kind)
            if mine or left_out[kind]:
                found.append(Digest(kind, self._identity(), now_ms, since_ms, mine, left_out[kind]))
        return tuple(found)
