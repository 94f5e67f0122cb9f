"""A sweep over a queue that is larger than its leases last: it ends, finds everything, and acts on nothing twice."""

from __future__ import annotations

from itertools import count
from typing import cast

import pytest

from consumer.aliyun.mns.queue import Queue
from consumer.core.errors import MessageGone, ServiceError
from consumer.core.message import Received
from consumer.operator.dlq import sweep
from consumer.operator.dlq.sweep import HeldLetter, Sweep

LEASE_SECONDS = 30.0
SECONDS_A_REQUEST = 0.05


class Clocked:
    """A queue on a clock of its own, by MNS's rules: FIFO by visibility, a new handle for each receipt."""

    def __init__(self, letters: int, *, arrivals: int = 0) -> None:
        self.now = 1_000.0
        self._ids = count()
        self._handles = count()
        self._arrivals = arrivals
        self.visible_at: dict[str, float] = {}
        self._enqueued: dict[str, float] = {}
        self._received: dict[str, tuple[int, float]] = {}
        self._handle_of: dict[str, str] = {}
        self.deleted: list[str] = []
        self.receives = 0
        for _ in range(letters):
            self.put()
        self.now += 1

    def put(self) -> None:
        """One more letter."""
        name = f"letter-{next(self._ids)}"
        self.visible_at[name] = self._enqueued[name] = self.now

    def receive(self, most: int, _wait_seconds: int) -> list[Received]:
        """The visible ones that are first in line, hidden from now on."""
        self.receives += 1
        self.now += SECONDS_A_REQUEST
        ready = sorted((at, name) for name, at in self.visible_at.items() if at <= self.now)[:most]
        arrived = [self._taken(name) for _, name in ready]
        self.now += SECONDS_A_REQUEST
        for _ in range(self._arrivals):
            self.put()
        return arrived

    def _taken(self, name: str) -> Received:
        times, first = self._received.get(name, (0, self.now))
        self._received[name] = (times + 1, first)
        self.visible_at[name] = self.now + LEASE_SECONDS
        handle = self._handle_of[name] = f"{name}/{next(self._handles)}"
        stamps = int(self._enqueued[name] * 1000), int(first * 1000)
        return Received(name, "{}", handle, times + 1, *stamps, LEASE_SECONDS)

    def _owned(self, handle: str) -> str:
        self.now += SECONDS_A_REQUEST
        name = handle.partition("/")[0]
        if self._handle_of.get(name) != handle or self.visible_at[name] <= self.now:
            raise MessageGone("mns", "ChangeMessageVisibility", "MessageNotExist", "gone")
        return name

    def hide(self, handle: str, seconds: int) -> str:
        """Keep a letter hidden for so long, under a new handle."""
        name = self._owned(handle)
        self.visible_at[name] = self.now + seconds
        self._handle_of[name] = f"{name}/{next(self._handles)}"
        return self._handle_of[name]

    def delete(self, handles: list[str]) -> dict[str, ServiceError]:
        """Delete by a handle that is still good."""
        for handle in handles:
            name = self._owned(handle)
            self.deleted.append(name)
            del self.visible_at[name]
        return {}

    def pause(self, seconds: float) -> None:
        """Time goes by."""
        self.now += seconds

    def sweep(self, known: frozenset[str] | None = None) -> Sweep:
        """A sweep of this queue on its clock."""
        return Sweep(cast("Queue", self), known=known, monotonic=lambda: self.now, pause=self.pause)


def both(queue: Clocked, *, seconds_each: float = 0.0) -> tuple[set[str], list[str]]:
    """What a first sweep finds, and what a second one is given of it when all is wanted and deleted."""
    with queue.sweep() as first:
        found = [held.letter.message_id for held in first]
    assert len(found) == len(set(found))
    given = []
    with queue.sweep(first.seen) as second:
        for held in second.only(found, 10.0):
            given.append(held.letter.message_id)
            queue.pause(seconds_each)
            second.delete(held)
    return set(found), given


@pytest.mark.parametrize("letters", [1, 16, 17, 2_000])
def test_all_that_were_there_are_given_once(letters: int) -> None:
    """Whatever the number, also far more than are received within one lease; and every one is deleted under it."""
    queue = Clocked(letters)
    found, given = both(queue)
    assert len(found) == letters
    assert sorted(given) == sorted(found) == sorted(queue.deleted)


def test_leases_that_run_out_while_the_person_is_slow_are_taken_anew() -> None:
    """Five seconds for each letter: a batch outlives its leases, and no letter is dealt with under one that ended."""
    queue = Clocked(64)
    found, given = both(queue, seconds_each=5.0)
    assert sorted(given) == sorted(found) == sorted(queue.deleted)


def test_a_queue_that_fills_faster_than_it_is_read_has_an_end() -> None:
    """Ten new ones for each receive: only what was there at the first receive is found and given."""
    queue = Clocked(100, arrivals=10)
    found, given = both(queue)
    assert found == set(given) == {f"letter-{number}" for number in range(100)}


def test_more_than_one_sweep_takes_are_left_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound holds, and that it was reached is known."""
    monkeypatch.setattr(sweep, "MOST_LETTERS", 32)
    queue = Clocked(100)
    with queue.sweep() as first:
        found = [held.letter.message_id for held in first]
    assert (len(found), first.cut) == (32, True)


def test_everything_is_visible_again_a_second_after_the_end() -> None:
    """What nobody settled is released, what ran out by itself is left alone."""
    queue = Clocked(1_000)
    with queue.sweep() as first:
        kept: list[HeldLetter] = list(first)
    assert len(kept) == 1_000
    queue.pause(1.5)
    assert all(at <= queue.now for at in queue.visible_at.values())


def test_a_letter_that_somebody_else_has_taken_keeps_no_sweep_going() -> None:
    """More arrivals than are received, for ever: the second sweep gives the others, and ends soon after."""
    queue = Clocked(30, arrivals=20)
    with queue.sweep() as first:
        found = [held.letter.message_id for held in first]
    del queue.visible_at["letter-7"]
    before = queue.receives
    with queue.sweep(first.seen) as second:
        given = [held.letter.message_id for held in second.only(found, 10.0)]
    assert sorted(given) == sorted(set(found) - {"letter-7"})
    assert queue.receives - before < 200
