"""What the names in a directory of fixes and contests say, and what follows from them. Pure: names and a clock.

    fixes/3f/<subject>-<moment>-<random>     a rule has fixed a resource, and has read the fix back
    contested/<rule>-<subject>-<moment>      from then on a resource is left alone, for a window
    contested/released-<moment>              a person said then that all contests are settled

A name is all there is, the files are empty, so a record is there as a whole or not at all and no two writers ever meet
in one. Subjects and rules are digests: nothing that came in a message gets into a path. Moments are milliseconds since
the epoch. Names of any other form are nobody's business: neither counted nor removed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from consumer.guards.contest import ContestPolicy
from consumer.resources.oss.bucket import Resource

SHARDS = tuple(f"{number:02x}" for number in range(256))
"""The folders below fixes/. They all exist from the beginning, so that a folder that is missing means that the share
is, and because a network file system may go on for a minute believing that a folder is not there."""

MOST_FIXES_IN_A_SHARD = 1_000
MOST_MARKS = 10_000
"""Beyond these the oldest records are forgotten, and what they were about begins anew."""

_FAR_AHEAD_MS = 86_400_000
"""Clocks differ, so what seems to lie ahead of us counts; beyond a day some clock was plainly wrong."""

_FIX = re.compile(r"([0-9a-f]{32})-([0-9]{1,15})-[0-9a-f]{12}", re.ASCII)
_MARK = re.compile(r"([0-9a-f]{16})-([0-9a-f]{32})-([0-9]{1,15})", re.ASCII)
_RELEASED = "released-"
_RELEASE = re.compile(_RELEASED + r"([0-9]{1,15})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Subject:
    """A resource under a rule, as names have it."""

    rule: str
    digest: str

    @classmethod
    def of(cls, rule: str, resource: Resource) -> Subject:
        """The subject; the same in every replica, and never the same for two."""
        parts = (rule, resource.account_id, resource.region, resource.name)
        return cls(rule_digest(rule), hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32])

    @property
    def shard(self) -> str:
        """The folder with its fixes."""
        return self.digest[:2]

    def fix(self, at_ms: int, chance: str) -> str:
        """The name of one fix; `chance` is twelve hexadecimal digits that no other has."""
        return f"{self.digest}-{at_ms}-{chance}"

    def mark(self, at_ms: int) -> str:
        """The name that says since when it is contested."""
        return f"{self.rule}-{self.digest}-{at_ms}"


def rule_digest(rule: str) -> str:
    """A rule, as names have it."""
    return hashlib.sha256(rule.encode()).hexdigest()[:16]


def release(at_ms: int) -> str:
    """The name that says when a person has settled all contests."""
    return f"{_RELEASED}{at_ms}"


def about(names: Iterable[str], subject: Subject) -> list[str]:
    """The marks that decide about one subject: far fewer than all there are."""
    return [name for name in names if subject.digest in name or name.startswith(_RELEASED)]


@dataclass(frozen=True, slots=True)
class Marks:
    """Which subjects were contested since when, and when a person last settled all."""

    released_ms: int = 0
    begun_ms: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    """By the digests of rule and subject."""

    @classmethod
    def read(cls, names: Iterable[str], now_ms: int, released_ms: int = 0) -> Marks:
        """What the names say now. A release that lies ahead of our clock is not yet one.

        `released_ms` is a release that may have no name yet.
        """
        begun: dict[tuple[str, str], tuple[int, ...]] = {}
        for name in names:
            if found := _MARK.fullmatch(name):
                key = found[1], found[2]
                begun[key] = (*begun.get(key, ()), int(found[3]))
            elif (found := _RELEASE.fullmatch(name)) and int(found[1]) <= now_ms:
                released_ms = max(released_ms, int(found[1]))
        return cls(released_ms, begun)

    def left_ms(self, subject: Subject, policy: ContestPolicy, now_ms: int) -> int:
        """For how long the subject is still left alone; 0 if it is not."""
        return self._left_ms((subject.rule, subject.digest), _window_ms(policy), now_ms)

    def counts_from_ms(self, subject: Subject, policy: ContestPolicy, now_ms: int) -> int:
        """Only later fixes count: those in the window, since the last contest's end and after the last release."""
        window_ms = _window_ms(policy)
        begun = self.begun_ms.get((subject.rule, subject.digest), ())
        ends = (at_ms + window_ms for at_ms in begun)
        return max(now_ms - window_ms, self.released_ms, *(end - 1 for end in ends if end <= now_ms))

    def contested(self, policy: ContestPolicy, now_ms: int) -> dict[str, int]:
        """How many subjects are left alone now, by the rule's digest."""
        counts: dict[str, int] = {}
        for key in self.begun_ms:
            if self._left_ms(key, _window_ms(policy), now_ms):
                counts[key[0]] = counts.get(key[0], 0) + 1
        return counts

    def _left_ms(self, key: tuple[str, str], window_ms: int, now_ms: int) -> int:
        begun = self.begun_ms.get(key, ())
        ends = (at + window_ms for at in begun if self.released_ms < at <= now_ms + _FAR_AHEAD_MS)
        return max(0, max(ends, default=0) - now_ms)


def fixes(names: Iterable[str], subject: Subject, from_ms: int, now_ms: int) -> int:
    """How many of the names are fixes of the subject that count."""
    found = (_FIX.fullmatch(name) for name in names if name.startswith(subject.digest))
    return sum(from_ms < int(fix[2]) <= now_ms + _FAR_AHEAD_MS for fix in found if fix)


def worn_fixes(names: Iterable[str], policy: ContestPolicy, now_ms: int) -> list[str]:
    """The fixes in a shard that count no more, and the oldest of too many."""
    kept_ms = now_ms - _window_ms(policy)
    return _worn(names, lambda name: _moment(_FIX.fullmatch(name), 2), kept_ms, now_ms, MOST_FIXES_IN_A_SHARD)


def worn_marks(names: Iterable[str], policy: ContestPolicy, now_ms: int) -> list[str]:
    """The contests and releases that nobody needs any more, and the oldest of too many.

    A contest is needed for a window after its end, because it says which fixes began anew.
    """

    def moment(name: str) -> int | None:
        begun = _moment(_MARK.fullmatch(name), 3)
        return _moment(_RELEASE.fullmatch(name), 1) if begun is None else begun

    return _worn(names, moment, now_ms - 2 * _window_ms(policy), now_ms, MOST_MARKS)


def _worn(
    names: Iterable[str], moment: Callable[[str], int | None], kept_from_ms: int, now_ms: int, most: int
) -> list[str]:
    records = sorted((at_ms, name) for name in names if (at_ms := moment(name)) is not None)
    surplus = len(records) - most
    return [
        name
        for place, (at_ms, name) in enumerate(records)
        if place < surplus or not kept_from_ms < at_ms <= now_ms + _FAR_AHEAD_MS
    ]


def _moment(found: re.Match[str] | None, group: int) -> int | None:
    return int(found[group]) if found else None


def _window_ms(policy: ContestPolicy) -> int:
    return round(policy.window_seconds * 1000)
