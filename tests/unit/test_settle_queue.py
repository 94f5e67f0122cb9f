"""Settle queues: deletions in company, the rest one by one, and nobody waits for ever or wakes too late."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from consumer.engine.delivery import Delivery
from consumer.engine.settle_queue import Action, SettleQueue, settle_queues
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock, delivery, received

LINGER = 0.5
BATCH = 16


def one() -> Delivery:
    """A delivery."""
    return delivery(Clock(), received())


def deletions(linger_seconds: float = LINGER) -> tuple[SettleQueue, Clock]:
    """An empty queue of deletions on a clock."""
    clock = Clock()
    return SettleQueue(Action.DELETE, batch=BATCH, linger_seconds=linger_seconds, monotonic=clock), clock


def hides() -> tuple[SettleQueue, Clock]:
    """An empty queue of hides on a clock."""
    clock = Clock()
    return SettleQueue(Action.HIDE, monotonic=clock), clock


def test_deletions_wait_for_company_and_no_longer_than_the_linger() -> None:
    """A few deletions leave together exactly when the first has waited its linger, and not a moment before."""
    waiting, clock = deletions()
    waiting.put(one())
    clock.advance(0.25)
    waiting.put(one())
    clock.advance(0.125)
    assert waiting.take(0) == []
    clock.advance(0.125)
    assert len(waiting.take(0)) == 2
    assert waiting.take(0) == []


def test_sixteen_leave_at_once_and_a_batch_never_holds_more() -> None:
    """A full batch does not linger, the rest does."""
    waiting, clock = deletions()
    for _ in range(BATCH - 1):
        waiting.put(one())
    assert waiting.take(0) == []
    for _ in range(5):
        waiting.put(one())
    assert len(waiting.take(0)) == BATCH
    assert waiting.take(0) == []
    clock.advance(LINGER)
    assert len(waiting.take(0)) == 4


def test_hides_go_one_by_one_and_do_not_linger() -> None:
    """A hide has nobody to wait for."""
    waiting, _ = hides()
    first, second = one(), one()
    waiting.put(first)
    waiting.put(second)
    assert [waiting.take(0), waiting.take(0), waiting.take(0)] == [[first], [second], []]


def test_a_stop_lets_nothing_linger() -> None:
    """In a hurry deletions leave as they come."""
    waiting, _ = deletions()
    waiting.put(one())
    waiting.hurry()
    assert len(waiting.take(0)) == 1
    waiting.put(one())
    assert len(waiting.take(0)) == 1


def test_a_retry_waits_even_in_a_hurry() -> None:
    """A delay protects the service from us; a stop is no reason to hammer it."""
    waiting, clock = deletions()
    waiting.hurry()
    waiting.put(one(), 2.0)
    clock.advance(1.75)
    assert waiting.take(0) == []
    clock.advance(0.25)
    assert len(waiting.take(0)) == 1


def test_a_retry_does_not_fill_up_a_batch_before_its_time() -> None:
    """Fifteen fresh deletions and a delayed one are no full batch."""
    waiting, clock = deletions()
    for _ in range(BATCH - 1):
        waiting.put(one())
    waiting.put(one(), 10.0)
    assert waiting.take(0) == []
    clock.advance(LINGER)
    assert len(waiting.take(0)) == BATCH - 1


def test_draining_takes_everything_that_waits() -> None:
    """Due or not, lingering or not."""
    waiting, _ = deletions()
    waiting.put(one())
    waiting.put(one(), 10.0)
    assert len(waiting.drain()) == 2
    assert waiting.drain() == []


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 3))), st.booleans())
def test_everything_comes_out_once_and_never_early(puts: list[tuple[float, float]], hurry: bool) -> None:
    """Whatever goes in comes out exactly once, after its delay, at most sixteen at a time."""
    waiting, clock = deletions()
    due: dict[int, float] = {}
    if hurry:
        waiting.hurry()
    added = [(one(), delay, gap) for delay, gap in puts]
    for each, delay, gap in added:
        waiting.put(each, delay)
        due[id(each)] = clock() + delay
        clock.advance(gap)
        _take_all(waiting, clock, due)
    clock.advance(20 + LINGER)
    _take_all(waiting, clock, due)
    assert not due


def _take_all(waiting: SettleQueue, clock: Clock, due: dict[int, float]) -> None:
    while taken := waiting.take(0):
        assert len(taken) <= BATCH
        for each in taken:
            assert due.pop(id(each)) <= clock() + 1e-9


class Waiter:
    """A settler that waits for an hour unless it is woken; shows each time it begins to wait."""

    def __init__(self, waiting: SettleQueue) -> None:
        self.taken: list[Delivery] | None = None
        self.waits: list[float] = []
        """How long it meant to wait, in seconds."""
        self._waiting = waiting
        self._begun = threading.Semaphore(0)
        wait = waiting._changed.wait

        def announced(timeout: float | None = None) -> bool:
            if threading.current_thread() is self._thread:
                self.waits.append(timeout or 0.0)
                self._begun.release()  # the lock is held from here until the wait has begun
            return wait(timeout)

        waiting._changed.wait = announced  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self.waits_again()

    def _run(self) -> None:
        self.taken = self._waiting.take(3_600)

    def waits_again(self) -> bool:
        """Whether it has looked around and begun to wait once more."""
        return self._begun.acquire(timeout=PATIENCE_SECONDS)

    def woken(self) -> bool:
        """Whether it came back long before its time."""
        self._thread.join(PATIENCE_SECONDS)
        return not self._thread.is_alive()


def test_what_is_put_wakes_a_waiting_settler() -> None:
    """A hide that is due at once does not wait for the next look."""
    waiting, _ = hides()
    waiter = Waiter(waiting)
    waiting.put(one())
    assert waiter.woken()
    assert waiter.taken is not None
    assert len(waiter.taken) == 1


def test_the_delivery_that_fills_a_batch_wakes_a_waiting_settler() -> None:
    """Fifteen linger; the sixteenth, which is not the first in line, sends them all."""
    waiting, _ = deletions(3_600)
    for _ in range(BATCH - 1):
        waiting.put(one())
    waiter = Waiter(waiting)
    waiting.put(one())
    assert waiter.woken()
    assert waiter.taken is not None
    assert len(waiter.taken) == BATCH


def test_the_first_deletion_makes_a_waiting_settler_wait_no_longer_than_its_linger() -> None:
    """Without being woken it would sleep out its hour, and the deletion with it."""
    waiting, _ = deletions()
    waiter = Waiter(waiting)
    waiting.put(one())
    assert waiter.waits_again()
    assert waiter.waits == [3_600, LINGER]
    waiting.close()
    assert waiter.woken()


def test_a_stop_wakes_who_waits_for_a_linger_to_end() -> None:
    """What lingers is sent at once when the process is stopping."""
    waiting, _ = deletions(3_600)
    waiting.put(one())
    waiter = Waiter(waiting)
    waiting.hurry()
    assert waiter.woken()
    assert waiter.taken


def test_the_close_wakes_everybody() -> None:
    """Nobody sits out a wait, however many wait and however long they meant to."""
    waiting, _ = hides()
    waiters = [Waiter(waiting) for _ in range(3)]
    waiting.close()
    assert [waiter.woken() for waiter in waiters] == [True, True, True]


def test_who_takes_a_part_lets_another_watch_over_the_rest() -> None:
    """Its request may take long: what becomes due meanwhile must not wait for somebody's next look around."""
    waiting, clock = deletions(0)
    busy, idle = Waiter(waiting), Waiter(waiting)
    waiting.put(one(), 0.0625)
    assert busy.waits_again()  # a condition wakes who has waited longest
    waiting.put(one(), 60.0)
    clock.advance(0.0625)
    assert busy.woken()
    assert idle.waits_again()
    assert idle.waits[0] == 3_600
    assert idle.waits[1] < 60
    waiting.close()
    assert idle.woken()


def test_a_closed_queue_keeps_nobody_waiting() -> None:
    """At the end of a stop a settler that waits for work ends at once, however long it meant to wait."""
    waiting, _ = hides()
    waiting.close()
    assert waiting.take(3_600) == []


def test_how_long_a_line_takes_counts_everybody_who_works_at_it() -> None:
    """Four threads send what waits in a quarter of the time that one would take."""
    seconds = []
    for threads in (1, 4):
        waiting = SettleQueue(Action.PARK, threads=threads, monotonic=Clock())
        for _ in range(8):
            waiting.put(one())
        for _ in range(100):
            waiting.took(0.5)
        seconds.append(waiting.waiting * waiting.pace_seconds())
    assert seconds[0] > 0
    assert seconds[1] == seconds[0] / 4


def test_a_slow_request_is_believed_sooner_than_a_quick_one() -> None:
    """What a dead-letter queue that has become slow holds up has to be known at once, its recovery may take a while."""
    waiting, _ = hides()
    assert waiting.pace_seconds() == 0
    assert waiting.pace_seconds(0.25) == 0.25
    waiting.took(1.0)
    assert waiting.pace_seconds() == 1.0
    waiting.took(2.0)
    assert waiting.pace_seconds() == 1.5
    waiting.took(0.5)
    assert waiting.pace_seconds() == 1.4


def test_there_is_one_queue_for_each_kind_of_request() -> None:
    """Each knows its kind and begins open and working; several threads send each but deletions, which linger."""
    clock = Clock()
    queues = settle_queues(LINGER, threads=4, monotonic=clock)
    assert {action: queue.action for action, queue in queues.items()} == {action: action for action in Action}
    for queue in queues.values():
        assert (queue.stopping, queue.closed, queue.failing) == (False, False, False)
        queue.put(one())
        queue.took(8.0)
    assert {action: queue.pace_seconds() for action, queue in queues.items()} == {
        Action.DELETE: 8.0,
        Action.HIDE: 2.0,
        Action.COPY: 2.0,
        Action.PARK: 2.0,
    }
    assert [action for action, queue in queues.items() if queue.take(0)] == [Action.HIDE, Action.COPY, Action.PARK]
    clock.advance(LINGER)
    assert len(queues[Action.DELETE].take(0)) == 1
