"""Windows of time: by the wall clock of a place, through every season, and closed whenever that is in doubt."""

from __future__ import annotations

import sys
import zoneinfo
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import nextafter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.guards.window import NoWindow, TimeWindow, seconds_until_open

WEEK = 7 * 86_400
ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # by half an hour
    "Africa/Cairo",  # at midnight
    "America/Santiago",  # at midnight, so that a day begins at one
    "Pacific/Apia",
    "Asia/Kathmandu",  # a quarter of an hour off
    "America/Havana",  # back from one to midnight
    "America/Nuuk",  # into the day before
    "Antarctica/Troll",  # by two hours
    "Africa/Casablanca",  # four times a year
)


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    """The moment at which the clock there shows that."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


OFFICE = TimeWindow.parsed("Mon-Fri 09:00-17:00 Asia/Shanghai")
NIGHT = TimeWindow.parsed("Fri 22:00-06:00 Europe/Berlin")


@pytest.mark.parametrize(
    ("window", "zone", "moment", "is_open"),
    [
        (OFFICE, "Asia/Shanghai", "2026-11-30T09:00", True),  # a Monday
        (OFFICE, "Asia/Shanghai", "2026-11-30T08:59:59", False),
        (OFFICE, "Asia/Shanghai", "2026-11-30T16:59:59", True),
        (OFFICE, "Asia/Shanghai", "2026-11-30T17:00", False),
        (OFFICE, "Asia/Shanghai", "2026-11-29T12:00", False),
        (OFFICE, "UTC", "2026-11-30T01:00", True),
        (NIGHT, "Europe/Berlin", "2026-11-27T21:59:59", False),  # a Friday
        (NIGHT, "Europe/Berlin", "2026-11-27T22:00", True),
        (NIGHT, "Europe/Berlin", "2026-11-28T05:59:59", True),
        (NIGHT, "Europe/Berlin", "2026-11-28T06:00", False),
        (NIGHT, "Europe/Berlin", "2026-11-28T23:00", False),
        (NIGHT, "Europe/Berlin", "2026-11-27T03:00", False),
    ],
)
def test_it_is_open_while_the_clock_there_shows_its_times(
    window: TimeWindow, zone: str, moment: str, is_open: bool
) -> None:
    """From its first second on, up to and without its last; over midnight it belongs to the day on which it begins."""
    assert window.is_open(at(moment, zone)) is is_open


def test_days_can_be_listed_and_go_around_the_week() -> None:
    """`Fri-Mon` are four days; `daily` are all."""
    assert TimeWindow.parsed("Fri-Mon 00:00-24:00 UTC").days == {4, 5, 6, 0}
    assert TimeWindow.parsed("Mon,Wed-Thu 00:00-24:00 UTC").days == {0, 2, 3}
    assert TimeWindow.parsed("daily 00:00-24:00 UTC").days == set(range(7))


_FORM = "it has not the form of days, times and zone"
_NO_LENGTH = "it has no length; a whole day is 00:00-24:00"
_NO_DAY = "is no day: Mon, Tue, Wed, Thu, Fri, Sat, Sun are, and daily"
_NAMES = "names are as in Asia/Shanghai, and UTC is one"
_NO_PLACE = "is no place whose clock everybody reads alike; names are as in Asia/Shanghai"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", _FORM),
        ("09:00-17:00", _FORM),
        ("Mon-Fri 9:00-17:00 UTC", _FORM),
        ("Mon-Fri 09:00-17:00", _FORM),
        ("Mon-Fri 09:00-17:00 UTC ", _FORM),
        ("Mo 09:00-17:00 UTC", _FORM),
        ("mon 09:00-17:00 UTC", f"'mon' {_NO_DAY}"),
        ("Mon- 09:00-17:00 UTC", f"'' {_NO_DAY}"),
        ("Mon,, 09:00-17:00 UTC", f"'' {_NO_DAY}"),
        ("Mon-Wed-Fri 09:00-17:00 UTC", f"'Wed-Fri' {_NO_DAY}"),
        ("Mon 25:00-26:00 UTC", "25:00 is no time of a day"),
        ("Mon 09:60-10:00 UTC", "09:60 is no time of a day"),
        ("Mon 09:00-24:01 UTC", "24:01 is no time of a day"),
        ("Mon 09:00-09:00 UTC", _NO_LENGTH),
        ("Mon 24:00-06:00 UTC", _NO_LENGTH),
        ("Mon 09:00-17:00 Asia/Peking", f"nothing is known of the zone 'Asia/Peking'; {_NAMES}"),
        (
            "Mon 09:00-17:00 asia/shanghai",
            "nothing is known of the zone 'asia/shanghai'; did you mean Asia/Shanghai?",
        ),
        ("Mon 09:00-17:00 Asia/Shangai", "nothing is known of the zone 'Asia/Shangai'; did you mean Asia/Shanghai?"),
        ("Mon 09:00-17:00 Asia", f"nothing is known of the zone 'Asia'; {_NAMES}"),
        ("Mon 09:00-17:00 zone.tab", _FORM),
        ("Mon 09:00-17:00 tzdata_zi", f"nothing is known of the zone 'tzdata_zi'; {_NAMES}"),
        ("Mon 09:00-17:00 localtime", f"'localtime' {_NO_PLACE}"),
        ("Mon 09:00-17:00 posixrules", f"'posixrules' {_NO_PLACE}"),
        ("Mon 09:00-17:00 right/Asia/Shanghai", f"'right/Asia/Shanghai' {_NO_PLACE}"),
        ("Mon 09:00-17:00 ../../etc/passwd", _FORM),
        ("Mon 09:00-17:00 /etc/passwd", f"nothing is known of the zone '/etc/passwd'; {_NAMES}"),
        ("Mon 09:00-17:00 +08:00", _FORM),
    ],
)
def test_what_is_no_window_is_refused_with_a_reason(text: str, why: str) -> None:
    """Nothing is guessed: no zone means no window, and a name of the wrong case is no day."""
    with pytest.raises(NoWindow) as refused:
        TimeWindow.parsed(text)
    assert str(refused.value) == why


def test_the_last_minute_of_an_hour_and_of_a_day_is_a_time() -> None:
    """And midnight is the end of a day, as 24:00."""
    late = TimeWindow.parsed("daily 09:59-23:59 UTC")
    assert (late.start, late.end) == (9 * 60 + 59, 23 * 60 + 59)
    assert TimeWindow.parsed("daily 23:59-24:00 UTC").end == 24 * 60


@pytest.fixture
def _no_zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without the files of the zones, and without the package that brings them."""
    for name in ["tzdata", *(name for name in sys.modules if name.startswith("tzdata."))]:
        monkeypatch.setitem(sys.modules, name, None)
    zoneinfo.reset_tzpath([])
    ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()


@pytest.mark.usefixtures("_no_zones")
def test_a_machine_that_knows_no_zone_says_so() -> None:
    """Not that the name is wrong: no name would be right there, and somebody has to install them."""
    with pytest.raises(NoWindow) as found:
        TimeWindow.parsed("daily 22:00-06:00 Asia/Shanghai")
    assert str(found.value) == "there are no time zones on this machine: install the Python package tzdata"


def test_the_hour_that_the_clock_skips_is_not_open() -> None:
    """Berlin jumps from two to three: a window from 02:15 to 02:45 does not come, one to 04:00 opens at three."""
    skipped = TimeWindow.parsed("Sun 02:15-02:45 Europe/Berlin")
    late = TimeWindow.parsed("Sun 02:15-04:00 Europe/Berlin")
    saturday = at("2026-03-28T12:00", "Europe/Berlin")

    for second in range(4):
        assert late.opens_at(saturday + second) == at("2026-03-29T03:00", "Europe/Berlin")
    assert skipped.opens_at(saturday) == at("2026-04-05T02:15", "Europe/Berlin")


def test_the_hour_that_the_clock_shows_twice_is_open_twice() -> None:
    """Berlin goes back from three to two: twice a quarter past two, and closed in between."""
    twice = TimeWindow.parsed("Sun 02:15-02:45 Europe/Berlin")
    first, second = (at("2026-10-25T02:15", "Europe/Berlin", fold) for fold in (0, 1))

    assert second - first == 3_600
    assert twice.opens_at(first - 60) == first
    assert not twice.is_open(first + 1_800)
    assert twice.opens_at(first + 1_800) == second


def test_until_the_clock_is_changed_it_opens_by_the_clock_as_it_is() -> None:
    """On the evening before London's summer begins as on every other, and on the Monday after it by the new one."""
    saturday = at("2026-03-28T12:00", "Europe/London")
    evening, night, monday = (
        TimeWindow.parsed(f"{text} Europe/London") for text in ("Sat 20:00-20:30", "Sun 03:00-03:30", "Mon 09:00-10:00")
    )

    assert night.opens_at(saturday) == at("2026-03-29T03:00", "Europe/London") == saturday + 14 * 3_600
    assert evening.opens_at(saturday) == at("2026-03-28T20:00", "Europe/London") == saturday + 8 * 3_600
    assert monday.opens_at(saturday) == at("2026-03-30T09:00", "Europe/London") == saturday + 44 * 3_600


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_it_opens_on_the_day_of_the_clock_there(zone: str) -> None:
    """However far that is from the day of UTC."""
    evening = TimeWindow.parsed(f"Mon 22:00-23:00 {zone}")
    opening = at("2026-11-30T22:00", zone)

    assert [evening.opens_at(opening - hours * 3_600) for hours in (1, 12, 23)] == [opening] * 3
    assert evening.opens_at(opening + 3_600) == opening + WEEK


def test_a_window_over_midnight_goes_from_a_sunday_into_the_week() -> None:
    """The day before a Monday is a Sunday."""
    night = TimeWindow.parsed("Sun 22:00-06:00 UTC")
    assert night.is_open(at("2026-11-30T05:59"))
    assert not night.is_open(at("2026-11-30T06:00"))
    assert not night.is_open(at("2026-12-01T05:59"))


def test_a_moment_between_two_seconds_is_as_closed_as_the_first_of_them() -> None:
    """It is still held then, and the window opens with the next second."""
    opening = at("2026-11-30T09:00", "Asia/Shanghai")
    assert OFFICE.opens_at(opening - 0.25) == opening
    assert OFFICE.opens_at(opening + 0.25) == opening + 0.25


def test_the_last_moment_of_a_window_is_open_however_near_its_end() -> None:
    """The clock of this machine is finer than a microsecond, and no window opens in the past."""
    end = at("2026-11-30T17:00", "Asia/Shanghai")
    last = nextafter(end, 0)
    assert OFFICE.is_open(last)
    assert OFFICE.opens_at(last) == last
    assert seconds_until_open([OFFICE], last) == 0
    assert seconds_until_open([OFFICE], end) == 16 * 3_600


class CountedZone(ZoneInfo):
    """A zone that counts how often its clock is read."""

    reads = 0

    def fromutc(self, dt: datetime) -> datetime:
        """The time there."""
        self.reads += 1
        return super().fromutc(dt)


def test_the_clock_is_read_some_times_a_day_and_not_every_second() -> None:
    """Every change outside of its windows is asked when they open, a change of the clocks in between or not."""
    zone = CountedZone.no_cache("Europe/Berlin")
    tuesday = replace(TimeWindow.parsed("Tue 09:00-10:00 Europe/Berlin"), zone=zone)

    assert tuesday.opens_at(at("2026-03-24T10:00", "Europe/Berlin")) == at("2026-03-31T09:00", "Europe/Berlin")
    assert zone.reads < 200


def test_a_day_that_a_place_has_skipped_costs_a_week() -> None:
    """There was no Friday the 30th of December 2011 in Samoa."""
    fridays = TimeWindow.parsed("Fri 09:00-17:00 Pacific/Apia")

    assert fridays.opens_at(at("2011-12-29T12:00", "Pacific/Apia")) == at("2012-01-06T09:00", "Pacific/Apia")


def test_of_several_windows_the_one_that_opens_first_counts() -> None:
    """Without any, changes may be made at any time."""
    sunday = at("2026-11-29T12:00", "UTC")
    monday, tuesday = TimeWindow.parsed("Mon 09:00-10:00 UTC"), TimeWindow.parsed("Tue 09:00-10:00 UTC")

    assert seconds_until_open([tuesday, monday], sunday) == 21 * 3_600
    assert seconds_until_open([tuesday, monday], at("2026-11-30T09:30")) == 0
    assert seconds_until_open([], sunday) == 0


_TIMES = st.integers(0, 24 * 60 - 1)


@st.composite
def windows(draw: st.DrawFn) -> TimeWindow:
    """Any window."""
    days = ",".join(draw(st.sets(st.sampled_from(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]), min_size=1)))
    start = draw(_TIMES)
    end = draw(st.integers(0, 24 * 60).filter(lambda minutes: minutes != start))
    times = "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (start, end))
    return TimeWindow.parsed(f"{days} {times} {draw(st.sampled_from(ZONES))}")


MOMENTS = st.integers(int(at("2009-01-01T00:00")), int(at("2035-01-01T00:00")))


@given(windows(), MOMENTS)
@settings(max_examples=400, deadline=None)
def test_nothing_is_open_before_it_opens(window: TimeWindow, moment: int) -> None:
    """The next opening is open, the second before it is not, and no minute until then is: found by looking at each."""
    opening = window.opens_at(moment)

    step = moment
    bound = min(opening if opening is not None else moment + 15 * 86_400, moment + 2 * WEEK)
    if opening != moment:
        assert not window.is_open(moment)
    while step < bound:
        assert opening == moment or not window.is_open(step), datetime.fromtimestamp(step, UTC)
        step += 900 - step % 900 if step % 900 else 900
    if opening is not None:
        assert window.is_open(opening)
        assert opening == moment or not window.is_open(opening - 1)


def read_from_the_wall(window: TimeWindow, moment: int) -> bool:
    """By dates and times of day instead of minutes: open exactly if the day on which the window began is one of its."""
    there = datetime.fromtimestamp(moment, ZoneInfo(window.text.rpartition(" ")[2])).replace(tzinfo=None)
    began = [
        datetime.combine(there.date() - timedelta(days=back), datetime.min.time()) + timedelta(minutes=window.start)
        for back in (0, 1)
    ]
    length = timedelta(minutes=(window.end - window.start) % (24 * 60) or 24 * 60)
    return any(start.weekday() in window.days and start <= there < start + length for start in began)


@given(windows(), MOMENTS)
@settings(max_examples=400, deadline=None)
def test_it_agrees_with_a_second_reading_of_the_clock(window: TimeWindow, moment: int) -> None:
    """Whether it is open is what anybody would say who looks at that clock."""
    assert window.is_open(moment) is read_from_the_wall(window, moment)


def clock_changes(zone: str) -> tuple[int, ...]:
    """Every moment of thirty years at which the clocks there are changed, to the minute; never twice in one day."""
    there = ZoneInfo(zone)

    def offset(moment: int) -> timedelta | None:
        return datetime.fromtimestamp(moment, there).utcoffset()

    def minute(begin: int) -> int:
        minutes = range(begin, begin + 86_400 + 60, 60)
        return minutes[bisect_left(minutes, True, key=lambda at: offset(at) != offset(begin))]

    days = range(int(at("2008-01-01T00:00")), int(at("2038-01-01T00:00")), 86_400)
    return tuple(minute(day) for day in days if offset(day) != offset(day + 86_400))


CHANGES = {zone: changes for zone in ZONES if (changes := clock_changes(zone))}


@st.composite
def around_a_change(draw: st.DrawFn) -> tuple[TimeWindow, int]:
    """A window with its edges near the hour at which the clocks of its place are changed, and a minute near it."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = draw(st.sampled_from(CHANGES[zone]))
    there = datetime.fromtimestamp(change, ZoneInfo(zone))
    minute = there.hour * 60 + there.minute
    start = (minute + draw(st.integers(-180, 180))) % 1_440
    length = draw(st.integers(1, 240) | st.integers(1, 1_439))
    days = draw(st.sampled_from(["daily", f"{there:%a}", f"{there - timedelta(days=1):%a}"]))
    end = (start + length) % 1_440
    text = f"{days} {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02} {zone}"
    return TimeWindow.parsed(text), change + 60 * draw(st.integers(-1_440, 240))


@given(around_a_change())
@settings(max_examples=150, deadline=None)
def test_around_a_change_of_the_clocks_it_opens_at_the_very_minute(case: tuple[TimeWindow, int]) -> None:
    """Found by reading the clock every minute: into a window the clock may also jump, forwards and back."""
    window, moment = case
    minutes = range(moment, moment + 14 * 86_400, 60)

    assert window.opens_at(moment) == next((each for each in minutes if read_from_the_wall(window, each)), None)


def test_a_clock_that_goes_back_into_a_window_opens_it_again() -> None:
    """Berlin shows half past two, when this one ends, and half an hour later two o'clock."""
    again = TimeWindow.parsed("Sun 01:30-02:30 Europe/Berlin")
    ended = at("2026-10-25T02:30", "Europe/Berlin", fold=0)

    assert not again.is_open(ended)
    assert again.opens_at(ended) == ended + 1_800 == at("2026-10-25T02:00", "Europe/Berlin", fold=1)


@given(windows(), MOMENTS)
@settings(max_examples=200, deadline=None)
def test_every_window_comes_within_a_fortnight(window: TimeWindow, moment: int) -> None:
    """Unless the clock skips all of it, so what is held is not forgotten."""
    opening = window.opens_at(moment)

    if (window.end - window.start) % (24 * 60) > 120 or window.end - window.start == 24 * 60:
        assert opening is not None
        assert moment <= opening <= moment + 2 * WEEK
