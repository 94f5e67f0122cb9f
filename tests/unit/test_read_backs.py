"""Which changes are still to be read back: for how long, from which resource, and whose change waits for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.engine.read_backs import ReadBack, ReadBacks
from consumer.guards.rule import Rule
from consumer.resources.base import Resource
from tests.unit.changing import CHANGE, FOUND, LAMP, Dim, Move, Paint, permit_of, rule
from tests.unit.fakes import Clock

OTHER_LAMP = replace(LAMP, resource_id="another")
THIRD_LAMP = replace(LAMP, resource_id="third")
MADE_ANEW = replace(FOUND, incarnation="lamp number 2")


class Room:
    """Lamps whose changes do not show yet."""

    def __init__(self, remembered: int = 100) -> None:
        self.clock = Clock()
        self.read_backs = ReadBacks(monotonic=self.clock, remembered=remembered)

    def put(self, resource: Resource = LAMP, which: Rule | None = None) -> ReadBack:
        """A change was accepted just now."""
        which = which or rule()
        awaited = ReadBack(which, CHANGE, FOUND, permit_of(which), self.clock())
        self.read_backs.put(resource, awaited)
        return awaited

    def of(self, resource: Resource = LAMP, which: Rule | None = None) -> ReadBack | None:
        """What is to be read back for this rule."""
        return self.read_backs.of(which or rule(), resource, FOUND)

    def in_the_way(self, which: Rule, resource: Resource = LAMP) -> bool:
        """Whether this rule's change waits."""
        return self.read_backs.in_the_way(which, resource, FOUND)


def test_a_change_is_awaited_until_it_is_forgotten() -> None:
    """By any rule of the same repair; nothing is awaited from another lamp, or by another repair."""
    room = Room()
    assert (bool(room.read_backs), room.of()) == (False, None)

    awaited = room.put()

    assert room.read_backs
    assert room.of() is awaited
    assert room.of(which=rule(name="another rule")) is awaited
    assert room.of(OTHER_LAMP) is None
    assert room.of(which=rule(Paint)) is None

    room.read_backs.forget(LAMP, awaited)
    assert (bool(room.read_backs), room.of()) == (False, None)


def test_what_is_forgotten_already_may_be_forgotten_again() -> None:
    """It may have been given up for its age between the look and that."""
    room = Room()
    awaited = room.put()
    for _ in range(2):
        room.read_backs.forget(LAMP, awaited)
    room.read_backs.forget(OTHER_LAMP, awaited)
    assert not room.read_backs


def test_only_the_change_that_was_read_back_is_forgotten() -> None:
    """Another repair's of the same lamp is still awaited, and so is a newer one of the same repair."""
    room = Room()
    dimmed, painted = room.put(), room.put(which=rule(Paint))

    room.read_backs.forget(LAMP, dimmed)
    assert (room.of(), room.of(which=rule(Paint))) == (None, painted)

    newer = room.put(which=rule(Paint))
    room.read_backs.forget(LAMP, painted)
    assert room.of(which=rule(Paint)) is newer


def test_nothing_is_awaited_from_a_lamp_that_was_made_anew() -> None:
    """No change of the earlier one, and not when it seems to be back."""
    room = Room()
    room.put()
    assert room.read_backs.of(rule(), LAMP, MADE_ANEW) is None
    assert room.of() is None


@pytest.mark.parametrize(
    ("remediation", "waits"), [(Dim, False), (Paint, True), (Move, False)], ids=lambda value: getattr(value, "name", "")
)
def test_only_another_repair_that_writes_the_same_waits(remediation: type[Dim], waits: bool) -> None:
    """Two that have only requests in common which read do not."""
    room = Room()
    room.put()
    assert room.in_the_way(rule(remediation)) is waits
    assert not room.in_the_way(rule(remediation), OTHER_LAMP)


def test_it_waits_while_the_change_may_yet_show() -> None:
    """That is for half a minute; a change that is overdue holds nobody up."""
    room = Room()
    room.put()
    room.clock.advance(29.9)
    assert room.in_the_way(rule(Paint))
    room.clock.now = 1_030.0
    assert not room.in_the_way(rule(Paint))


def test_one_change_in_the_way_is_enough() -> None:
    """Whatever else is awaited from the lamp."""
    room = Room()
    room.put(which=rule(Move))
    room.put()
    assert room.in_the_way(rule(Paint))


def test_looks_become_rarer_until_the_change_should_have_shown() -> None:
    """The last interval repeats; from half a minute on there is nothing to wait for."""
    room = Room()
    awaited = room.put()
    assert [awaited.next_look_seconds(1_029.9) for _ in range(5)] == [2.0, 4.0, 8.0, 16.0, 16.0]
    assert awaited.next_look_seconds(1_030.0) is None
    assert awaited.looks == 5


def test_a_change_of_a_quarter_of_an_hour_ago_is_forgotten() -> None:
    """Much may have happened to the lamp since; younger changes are awaited further."""
    room = Room()
    old = room.put()
    room.clock.advance(1.0)
    young = room.put(OTHER_LAMP)

    room.clock.now = 1_899.5
    assert room.of() is old
    room.clock.now = 1_900.0
    assert room.of() is None
    assert room.of(OTHER_LAMP) is young


def test_a_change_is_forgotten_at_its_own_age_whatever_else_is_awaited_from_its_lamp() -> None:
    """Another repair's later change keeps neither it nor another lamp's."""
    room = Room()
    room.put()
    room.put(OTHER_LAMP)
    room.clock.advance(100.0)
    painted = room.put(which=rule(Paint))

    room.clock.now = 1_900.0
    assert [room.of(), room.of(OTHER_LAMP), room.of(which=rule(Paint))] == [None, None, painted]


def test_of_too_many_lamps_the_one_unchanged_for_longest_is_forgotten() -> None:
    """Its change may be made once more, which changes nothing."""
    room = Room(remembered=2)
    kept = [room.put(LAMP), room.put(OTHER_LAMP)]
    assert [room.of(LAMP), room.of(OTHER_LAMP)] == kept

    latest = room.put(LAMP)
    third = room.put(THIRD_LAMP)

    assert [room.of(LAMP), room.of(OTHER_LAMP), room.of(THIRD_LAMP)] == [latest, None, third]
