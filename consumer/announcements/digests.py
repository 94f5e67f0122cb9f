"""Collects endings that are announced together, every so often, instead of one by one. Pure; not thread-safe.

Time is counted by a monotonic clock, so a wall clock that is set neither brings a digest early nor keeps one back.
"""

from __future__ import annotations

import uuid
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from consumer.announcements.records import MOST_IN_DIGEST, Digest, Kind, ResourceAnnouncement
from consumer.announcements.selection import OPEN, AnnouncedKey, key_of

Moment = tuple[float, int]
"""Now: in monotonic seconds, and in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class _Collected:
    at: float
    announced: ResourceAnnouncement


class Digests:
    """What has been collected since the last digest of each kind."""

    def __init__(
        self,
        every_seconds: float,
        now: Moment,
        *,
        most: int = MOST_IN_DIGEST,
        identity: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._every_seconds = every_seconds
        self._since = dict.fromkeys(Kind, now)
        self._most = most
        self._identity = identity
        self._entries: dict[Kind, OrderedDict[AnnouncedKey | str, _Collected]] = {kind: OrderedDict() for kind in Kind}
        self._left_out: Counter[Kind] = Counter()

    def add(self, announced: ResourceAnnouncement, now: float) -> None:
        """Remember one for the next digest; of the same resource and rule the latest counts."""
        key, entries = key_of(announced) or announced.identity, self._entries[announced.kind]
        if key not in entries and len(entries) >= self._most:
            self._left_out[announced.kind] += 1
            return
        entries[key] = _Collected(now, announced)

    def forget(self, key: AnnouncedKey) -> None:
        """The resource is safe, gone or not to be touched: what was open about it is not any more.

        What has happened to it stays news: a fix, or a message that was given up.
        """
        for kind in OPEN:
            self._entries[kind].pop(key, None)

    def correct(self, key: AnnouncedKey, corrected: Callable[[ResourceAnnouncement], ResourceAnnouncement]) -> None:
        """The state of a resource was seen anew: what is collected about it is corrected."""
        for entries in self._entries.values():
            if found := entries.get(key):
                entries[key] = replace(found, announced=corrected(found.announced))

    def due(self, now: Moment, *, at_once: bool = False, waiting: Collection[Kind] = ()) -> tuple[Digest, ...]:
        """The digests whose time has come, one for each kind that has any entries; `at_once` for a stop.

        None of a kind in `waiting`, whose last one nobody has got yet: the next one goes on collecting, so however long
        nothing can be published, what is remembered keeps to its bound.
        """
        digests = []
        for kind in Kind:
            in_time = now[0] - self._since[kind][0] < self._every_seconds
            if kind in waiting or (in_time and not at_once):
                continue
            if digest := self._digest(kind, now):
                digests.append(digest)
            self._since[kind] = now
        return tuple(digests)

    def _digest(self, kind: Kind, now: Moment) -> Digest | None:
        """Of one kind, those exposed longest first, for not all may be listed; None if there are none."""
        collected, self._entries[kind] = self._entries[kind], OrderedDict()
        left_out = self._left_out.pop(kind, 0)
        if not collected and not left_out:
            return None
        entries = [_until(now[0], each) for each in collected.values()]
        entries.sort(key=lambda each: each.exposure_seconds or 0.0, reverse=True)
        since_ms = min(self._since[kind][1], now[1])
        return Digest(kind, self._identity(), now[1], since_ms, tuple(entries), left_out)


def _until(now: float, collected: _Collected) -> ResourceAnnouncement:
    """What was collected, with the exposure that has gone on since; that of a fix has ended with it."""
    announced = collected.announced
    if announced.kind is Kind.FIXED or announced.exposure_seconds is None:
        return announced
    return replace(announced, exposure_seconds=announced.exposure_seconds + now - collected.at)
