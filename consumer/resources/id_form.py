"""What the ids of a kind of resource look like: which texts can be one, and which shell patterns fit any. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

_PART = re.compile(r"\*+|\[!?+\]?+[^]]*+\]|.", re.DOTALL)
"""A part of a shell pattern as `fnmatch` reads it: stars, a set that is closed, or one character."""

_Parts = list[frozenset[str] | None]
"""What each part of a pattern stands for: one of these characters, or for stars None, any number of any."""


@dataclass(frozen=True, slots=True)
class IdForm:
    """A prefix that every id has, and after it characters that may be others at both ends than between them."""

    prefix: str
    first: str
    """The characters one of which follows the prefix; a part of `inner`."""
    inner: str
    last: str
    """The characters one of which ends the id; a part of `inner`."""
    shortest: int
    """Characters, with the prefix."""
    longest: int
    described: str
    """For people: `a bucket's name is 3 to 63 ...`."""

    def fits(self, text: str) -> bool:
        """Whether it can be an id of the kind."""
        return _compiled(self).fullmatch(text) is not None

    def meets(self, pattern: str) -> bool:
        """Whether a shell pattern fits any id of the kind; it takes time that grows with its length and `longest`."""
        parts = self._parts(pattern)
        reached = _past_stars({0}, parts)
        for index in range(self.longest):
            ends = _advanced(reached, parts, self._at(index, last=True))
            if index + 1 >= self.shortest and len(parts) in ends:
                return True
            reached = _advanced(reached, parts, self._at(index, last=False))
        return False

    def _at(self, index: int, *, last: bool) -> frozenset[str]:
        """What may stand at that place of an id, which may be its last one."""
        if index < len(self.prefix):
            return frozenset(self.prefix[index])
        allowed = frozenset(self.first if index == len(self.prefix) else self.inner)
        return allowed & frozenset(self.last) if last else allowed

    def _parts(self, pattern: str) -> _Parts:
        characters = self.prefix + self.inner
        return [
            None if part.startswith("*") else frozenset(each for each in characters if fnmatchcase(each, part))
            for part in _PART.findall(pattern)
        ]


@cache
def _compiled(form: IdForm) -> re.Pattern[str]:
    """Every event's id is compared with it."""
    first, inner, last = (f"[{re.escape(each)}]" for each in (form.first, form.inner, form.last))
    between = f"{{{form.shortest - len(form.prefix)},{form.longest - len(form.prefix)}}}"
    return re.compile(f"{re.escape(form.prefix)}(?={first}){inner}{between}(?<={last})")


def _advanced(reached: set[int], parts: _Parts, allowed: frozenset[str]) -> set[int]:
    """Where in the pattern one may be after one more character of an id."""
    after = set()
    for at in reached:
        if at < len(parts):
            part = parts[at]
            if part is None:
                after.add(at)
            elif part & allowed:
                after.add(at + 1)
    return _past_stars(after, parts)


def _past_stars(reached: Iterable[int], parts: _Parts) -> set[int]:
    """The same places, and those behind stars, which may stand for nothing."""
    places = set(reached)
    return places | {at + 1 for at in places if at < len(parts) and parts[at] is None}
