"""What is collected for digests: bounded by kind, by a clock that nobody sets, and with the exposure of the moment."""

from __future__ import annotations

from dataclasses import replace

from consumer.announcements.digests import Digests
from consumer.announcements.records import Kind, ResourceAnnouncement
from tests.unit.announcements.test_document import FIXED

AT_MS = FIXED.at_ms
HOUR = 3_600.0


def about(name: str, kind: Kind = Kind.WOULD_FIX, exposure_seconds: float | None = 12.0) -> ResourceAnnouncement:
    """An ending about that bucket."""
    assert FIXED.resource
    resource = replace(FIXED.resource, resource_id=name)
    return replace(FIXED, kind=kind, identity=name, resource=resource, exposure_seconds=exposure_seconds)


def test_one_kind_leaves_no_other_out() -> None:
    """However many buckets are observed, those that are held are listed."""
    digests = Digests(HOUR, (0.0, AT_MS), most=3)
    for number in range(10):
        digests.add(about(f"observed-{number}"), 0.0)
    digests.add(about("held", Kind.HELD), 0.0)

    found = {digest.kind: digest for digest in digests.due((HOUR, AT_MS))}

    assert (len(found[Kind.WOULD_FIX].entries), found[Kind.WOULD_FIX].left_out) == (3, 7)
    assert (len(found[Kind.HELD].entries), found[Kind.HELD].left_out) == (1, 0)


def test_a_wall_clock_that_is_set_neither_hastens_nor_delays() -> None:
    """A year forward, a year back: the digest comes an hour after the last one, and never ends before it began."""
    digests = Digests(HOUR, (0.0, AT_MS))
    digests.add(about("photos"), 0.0)
    year_ms = 365 * 86_400_000
    for jump_ms in (year_ms, -year_ms):
        assert digests.due((HOUR - 1, AT_MS + jump_ms)) == ()

    (digest,) = digests.due((HOUR, AT_MS - year_ms))

    assert digest.since_ms <= digest.at_ms == AT_MS - year_ms
    assert digest.entries[0].exposure_seconds == 12 + HOUR, "by the clock that was not set"


def test_what_is_open_is_exposed_until_the_digest_and_a_fix_until_it_was_read_back() -> None:
    """By the moment at which people read it; what is not known stays unknown."""
    digests = Digests(HOUR, (0.0, AT_MS))
    for kind in (Kind.WOULD_FIX, Kind.HELD, Kind.CONTESTED, Kind.DEAD_LETTERED, Kind.FIXED):
        digests.add(about("photos", kind), 600.0)
    digests.add(about("poison", Kind.DEAD_LETTERED, None), 600.0)

    found = {digest.kind: [each.exposure_seconds for each in digest.entries] for digest in digests.due((HOUR, AT_MS))}

    assert found.pop(Kind.FIXED) == [12.0]
    assert found.pop(Kind.DEAD_LETTERED) == [12 + HOUR - 600, None]
    assert set(map(tuple, found.values())) == {(12 + HOUR - 600,)}


def test_those_exposed_longest_are_listed_first() -> None:
    """What does not fit into the message is what can wait best."""
    digests = Digests(HOUR, (0.0, AT_MS))
    for name, seconds in (("short", 1.0), ("long", 100.0), ("middle", 10.0)):
        digests.add(about(name, exposure_seconds=seconds), 0.0)

    (digest,) = digests.due((HOUR, AT_MS))

    assert [each.identity for each in digest.entries] == ["long", "middle", "short"]


def test_a_digest_that_waits_is_not_followed_by_another() -> None:
    """While nothing can be published one goes on collecting, within its bound, and the next begins where it ended."""
    digests = Digests(HOUR, (0.0, AT_MS), most=3)
    for hour in range(1, 9):
        digests.add(about(f"bucket-{hour}"), hour * HOUR)
        assert digests.due((hour * HOUR, AT_MS + hour), waiting={Kind.WOULD_FIX}) == ()

    (digest,) = digests.due((9 * HOUR, AT_MS + 9))

    assert (digest.since_ms, len(digest.entries), digest.left_out) == (AT_MS, 3, 5)
