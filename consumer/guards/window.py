"""When a rule may change things: windows of time by the wall clock of a place. Pure: the moment is passed in.

A window is open while the clock on the wall there shows one of its times on one of its days. So it opens an hour late
or early in no season; an hour that the clock shows twice is open twice, and one that it skips is not open at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from math import floor
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME = r"[0-9]{2}:[0-9]{2}"
_FORM = re.compile(
    rf"(?P<days>[A-Za-z,-]{{3,40}}) (?P<start>{_TIME})-(?P<end>{_TIME}) (?P<zone>[A-Za-z0-9_+/-]{{1,64}})", re.ASCII
)
_NO_PLACE = re.compile(r"(?:right|posix)/.*|posixrules|localtime")
"""Files beside the zones: clocks that count leap seconds, and whatever this machine is set to."""
_MIDNIGHT = 24 * 60
_DAY_SECONDS = 86_400
_LOOK_AHEAD_SECONDS = 14 * _DAY_SECONDS
"""A place may skip one of its days for good (Samoa did in 2011), but not the same day of two weeks in a row."""
_CLOCKS_KEEP_SECONDS = 6 * 3_600
"""No clock is ever changed twice within so long."""


class NoWindow(ValueError):
    """A text is no window; it says what is wrong, to complete "must be …, …"."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """One window: days of the week, the minutes of each from `start` up to `end`, and the zone of the clock."""

    days: frozenset[int]
    """0 for Monday; of a window over midnight the day on which it begins."""
    start: int
    """Minutes since midnight."""
    end: int
    """Minutes since midnight, not part of it; not after `start` for a window over midnight."""
    zone: ZoneInfo
    text: str
    """As it was written."""

    @classmethod
    def parsed(cls, text: str) -> TimeWindow:
        """The window in a text such as `Mon-Fri 09:00-17:00 Asia/Shanghai` or `daily 22:00-06:00 UTC`.

        Raises:
            NoWindow: it is none, or nothing is known of its zone.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise NoWindow("it has not the form of days, times and zone")
        start, end = _minutes(found["start"]), _minutes(found["end"])
        if start in (end, _MIDNIGHT):
            raise NoWindow("it has no length; a whole day is 00:00-24:00")
        return cls(_days(found["days"]), start, end, _zone(found["zone"]), text)

    def is_open(self, moment: float) -> bool:
        """Whether it is open at a moment, in seconds since the epoch."""
        there = datetime.fromtimestamp(floor(moment), self.zone)  # rounded up, the last moment would be past the end
        minute, today = there.hour * 60 + there.minute, there.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        yesterday = (today - 1) % 7
        return (today in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)

    def opens_at(self, moment: float) -> float | None:
        """When it is open next, now included, in seconds since the epoch; None if not within the next two weeks."""
        if self.is_open(moment):
            return moment
        # The second that has begun is closed as a whole, so nothing before this moment is found.
        return next(filter(self.is_open, self._possible_openings(floor(moment))), None)

    def _possible_openings(self, moment: int) -> Iterator[int]:
        """In order: where it starts, midnight, since each day is another, and wherever a changed clock may jump to."""
        for begin, end, offset in _steady(self.zone, moment, moment + _LOOK_AHEAD_SECONDS):
            yield begin
            for midnight in range((begin + offset) // _DAY_SECONDS * _DAY_SECONDS - offset, end, _DAY_SECONDS):
                yield from (at for at in (midnight, midnight + self.start * 60) if begin < at < end)


def _steady(zone: ZoneInfo, begin: int, last: int) -> Iterator[tuple[int, int, int]]:
    """The spans between two moments over which the clock of a zone just goes on: begin, end, seconds ahead of UTC."""
    at = begin
    while at < last:
        offset, step = _offset(zone, at), min(at + _CLOCKS_KEEP_SECONDS, last)
        if _offset(zone, step) == offset:
            at = step
            continue
        while step - at > 1:  # the clock is changed at `step` or before it, and after `at`
            middle = (at + step) // 2
            at, step = (middle, step) if _offset(zone, middle) == offset else (at, middle)
        yield begin, step, offset
        begin = at = step
    yield begin, last, _offset(zone, begin)


def _offset(zone: ZoneInfo, moment: int) -> int:
    ahead = datetime.fromtimestamp(moment, zone).utcoffset() or timedelta()
    return ahead // timedelta(seconds=1)


def seconds_until_open(windows: Sequence[TimeWindow], moment: float) -> float | None:
    """0 while any is open, or where there are none: any time will do; None if none opens within the next two weeks."""
    if not windows:
        return 0.0
    opening = min((at for window in windows if (at := window.opens_at(moment)) is not None), default=None)
    return None if opening is None else opening - moment


def described(windows: Iterable[TimeWindow]) -> str:
    """For people."""
    return " or ".join(window.text for window in windows)


def _days(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin, end = _day(first), _day(last if dash else first)
        found.update((begin + day) % 7 for day in range((end - begin) % 7 + 1))
    return frozenset(found)


def _day(name: str) -> int:
    if name not in _DAYS:
        raise NoWindow(f"{name!r} is no day: {', '.join(_DAYS)} are, and daily")
    return _DAYS.index(name)


def _minutes(text: str) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    if minute > 59 or hour * 60 + minute > _MIDNIGHT:
        raise NoWindow(f"{text} is no time of a day")
    return hour * 60 + minute


def _zone(name: str) -> ZoneInfo:
    if _NO_PLACE.fullmatch(name):
        raise NoWindow(f"{name!r} is no place whose clock everybody reads alike; names are as in Asia/Shanghai")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NoWindow(_unknown(name)) from None


def _unknown(name: str) -> str:
    known = {each.lower(): each for each in available_timezones()}
    if not known:
        return "there are no time zones on this machine: install the Python package tzdata"
    close = get_close_matches(name.lower(), known, cutoff=0.85)
    hint = f"did you mean {known[close[0]]}?" if close else "names are as in Asia/Shanghai, and UTC is one"
    return f"nothing is known of the zone {name!r}; {hint}"
