"""The movable clock that wakes who waits for a moment, and the journal that keeps the order of what happened."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from emulator.clock import Clock
from emulator.journal import Journal

_FOR_EVER = 10_000_000.0


def test_moving_the_clock_wakes_a_waiter() -> None:
    """An hour passes at once."""

    async def scenario() -> bool:
        clock = Clock()
        waiting = asyncio.create_task(clock.wait(asyncio.Event(), clock.now() + 3600))
        await asyncio.sleep(0)
        clock.advance(3601)
        return await waiting

    assert asyncio.run(scenario()) is False


def test_a_waiter_that_is_not_due_goes_on_waiting() -> None:
    """Moving the clock a little wakes nobody whose moment has not come."""

    async def scenario() -> bool:
        clock, event = Clock(), asyncio.Event()
        waiting = asyncio.create_task(clock.wait(event, clock.now() + 3600))
        await asyncio.sleep(0)
        clock.advance(60)
        for _ in range(5):
            await asyncio.sleep(0)
        still_waiting = not waiting.done()
        event.set()
        return still_waiting and await waiting

    assert asyncio.run(scenario()) is True


def test_time_stands_still_while_one_request_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine: what a request changes and what the journal says of it are one moment."""
    ticks = itertools.count(1_000)
    monkeypatch.setattr(time, "time", lambda: float(next(ticks)))

    async def scenario() -> tuple[list[float], float]:
        clock = Clock()
        together = [clock.now(), clock.now() - 5, clock.now()]
        clock.advance(60)
        together.append(clock.now())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return together, clock.now()

    assert asyncio.run(scenario()) == ([1000.0, 995.0, 1000.0, 1060.0], 1061.0)


def test_time_goes_on_for_a_second_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the first one was stopped in the middle of a turn."""
    ticks = itertools.count(1_000)
    monkeypatch.setattr(time, "time", lambda: float(next(ticks)))
    clock, readings = Clock(), list[float]()

    def read_and_stop(loop: asyncio.AbstractEventLoop) -> None:
        readings.append(clock.now())
        loop.stop()

    for _ in range(2):
        loop = asyncio.new_event_loop()
        loop.call_soon(read_and_stop, loop)
        loop.run_forever()
        loop.close()
    assert [*readings, clock.now()] == [1000.0, 1001.0, 1002.0]


def test_reset_goes_back_to_the_real_time() -> None:
    """Whatever it was moved by before."""
    clock = Clock()
    clock.advance(-86400)
    assert clock.offset_seconds == -86400
    clock.reset()
    assert abs(clock.now() - time.time()) < 60


def test_the_journal_pages_in_order_and_never_reuses_a_number() -> None:
    """Numbers go on after entries were forgotten, so a reader never mixes up two of them."""
    journal = Journal(Clock())
    for number in range(5):
        journal.changed("mns", f"Operation{number}", "queues/q")
    assert [entry.sequence for entry in journal.after(2, 2)] == [3, 4]
    journal.clear(through=3)
    assert [entry.sequence for entry in journal.after(0, 10)] == [4, 5]
    journal.clear()
    assert list(journal.after(0, 10)) == []
    journal.changed("mns", "Later", "queues/q")
    assert [entry.sequence for entry in journal.after(5, 10)] == [6]
    assert journal.last == 6


def test_reads_are_written_down_only_when_wanted() -> None:
    """A poll every few milliseconds would bury what changed something."""
    journal = Journal(Clock())
    journal.read("mns", "GetQueueAttributes", "queues/q")
    journal.reads = True
    journal.read("mns", "GetQueueAttributes", "queues/q", extra=1)
    (entry,) = journal.after(0, 10)
    assert entry.changed is False
    assert entry.as_json()["extra"] == 1


def test_a_reader_is_woken_by_the_next_entry() -> None:
    """A reader that waits for an entry gets it when it is written."""

    async def scenario() -> int:
        journal = Journal(Clock())
        waiting = asyncio.create_task(journal.wait_beyond(0, _FOR_EVER))
        await asyncio.sleep(0)
        journal.changed("mns", "SendMessage", "queues/q")
        await waiting
        return journal.last

    assert asyncio.run(scenario()) == 1


def test_a_reader_s_patience_ends() -> None:
    """Without an entry the wait ends by itself."""
    journal = Journal(Clock())
    asyncio.run(journal.wait_beyond(0, 0.01))
    assert journal.last == 0
