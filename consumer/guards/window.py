"""When a rule may change things: windows of time by the wall clock of a place. Pure: the moment is passed in.

A window is open while the clock on the wall there shows one of its times on one of its days. So it opens an hour late
or early in no season; an hour that the clock shows twice is open twice, and one that it skips is not open at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME = r"[0-9]{2}:[0-9]{2}"
_FORM = re.compile(
    rf"(?P<days>[A-Za-z,-]{{3,40}}) (?P<start>{_TIME})-(?P<end>{_TIME}) (?P<zone>[A-Za-z0-9_+/-]{{1,64}})", re.ASCII
)
_MIDNIGHT = 24 * 60
_LOOK_AHEAD_DAYS = 15
"""A place may skip one of its days for good (Samoa did in 2011), but not the same day of two weeks in a row."""


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
        there = datetime.fromtimestamp(moment, UTC).astimezone(self.zone)
        minute, today = there.hour * 60 + there.minute, there.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        yesterday = (today - 1) % 7
        return (today in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)

    def opens_at(self, moment: float) -> float | None:
        """When it is open next, now included, in seconds since the epoch; None if not within the next two weeks."""
        if self.is_open(moment):
            return moment
        found = [opening for opening in self._openings(moment) if opening > moment]
        return min(found, default=None)

    def _openings(self, moment: float) -> Iterator[float]:
        """Moments at which it may turn from closed to open, around and after a moment."""
        first = datetime.fromtimestamp(moment, UTC).astimezone(self.zone).date()
        # A window over midnight goes on at midnight where the clock skips over its start.
        for minutes in {self.start, 0} if self.start >= self.end else {self.start}:
            at = time(minutes // 60, minutes % 60)
            for day in range(-1, _LOOK_AHEAD_DAYS):
                wall = datetime.combine(first + timedelta(days=day), at)
                moments = sorted(wall.replace(tzinfo=self.zone, fold=fold).timestamp() for fold in (0, 1))
                yield from self._opening_between(*moments)

    def _opening_between(self, earlier: float, later: float) -> Iterator[float]:
        """One where the clock shows the start once; where it shows it twice, or skips it, what that makes of it."""
        for each in (earlier, later):
            if self.is_open(each) and not self.is_open(each - 1):
                yield each
        if earlier != later and self.is_open(later) and not self.is_open(earlier):
            closed, opened = earlier, later
            while opened - closed > 1:  # the clock jumps somewhere between the two
                middle = (closed + opened) // 2
                closed, opened = (closed, middle) if self.is_open(middle) else (middle, opened)
            yield opened


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
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f"nothing is known of the zone {name!r}; names are as in Asia/Shanghai, and UTC is one"
        raise NoWindow(text) from None
