"""What is in flight: slots, the buffer, and books that balance in every moment."""

from __future__ import annotations

import threading

from consumer.core.outcome import Disposition
from consumer.engine.in_flight import InFlight
from tests.patience import PATIENCE_SECONDS
from tests.unit.in_flight import Waiter, deliveries


def test_a_poll_waits_until_a_whole_batch_fits() -> None:
    """With room for less than a batch nothing is reserved: single-message polls would cost a request each."""
    in_flight = InFlight(32)
    assert in_flight.reserve(16, 0) == 16
    assert in_flight.reserve(16, 0) == 16
    assert in_flight.reserve(16, 0) == 0
    in_flight.receive(deliveries(15), 16)
    assert in_flight.reserve(16, 0) == 0


def test_a_small_hand_polls_for_half_of_its_slots() -> None:
    """Fewer slots than two batches never make a poll wait for sixteen free slots."""
    assert InFlight(10).reserve(16, 0) == 5
    assert InFlight(1).reserve(16, 0) == 1


def test_deliveries_are_worked_on_in_the_order_of_their_arrival() -> None:
    """The buffer is a queue, and one that is empty yields nothing."""
    in_flight = InFlight(8)
    first, second = deliveries(2)
    in_flight.receive([first, second], in_flight.reserve(4, 0))
    assert [in_flight.next(0), in_flight.next(0), in_flight.next(0)] == [first, second, None]


def test_polls_that_need_different_numbers_of_slots_wake_each_other_never_in_vain() -> None:
    """One that needs two learns that there are two, although another one waits for eight and was there first."""
    in_flight = InFlight(16)
    in_flight.receive(deliveries(16), in_flight.reserve(8, 0) + in_flight.reserve(8, 0))
    large = Waiter(in_flight._slot_free, lambda: in_flight.reserve(8, 3_600))
    small = Waiter(in_flight._slot_free, lambda: in_flight.reserve(2, 3_600))
    for _ in range(2):
        found = in_flight.next(0)
        assert found is not None
        in_flight.worked([found])
        in_flight.settle(Disposition.DELETED)
    assert small.found() == 2
    in_flight.close()
    assert large.found() == 0


def test_every_step_moves_one_count_to_the_next() -> None:
    """Buffered, working, settling, settled: the books follow a delivery through all four."""
    in_flight = InFlight(8)
    in_flight.receive(deliveries(2), in_flight.reserve(4, 0))
    assert (in_flight.books().buffered, in_flight.books().in_flight) == (2, 2)
    in_work = in_flight.next(0)
    assert (in_flight.books().buffered, in_flight.books().working) == (1, 1)
    assert in_work is not None
    in_flight.worked([in_work])
    assert (in_flight.books().working, in_flight.books().settling) == (0, 1)
    in_flight.settle(Disposition.DELETED)
    books = in_flight.books()
    assert (books.received, books.in_flight, books.settled[Disposition.DELETED]) == (2, 1, 1)
    assert books.balanced


def test_closing_hands_out_what_is_untouched_and_nothing_more_is_worked_on() -> None:
    """After the close the buffer is empty, no slot is reserved, and what a poll still brings comes back."""
    in_flight = InFlight(32)
    buffered, late = deliveries(2), deliveries(3)
    in_flight.receive(buffered, in_flight.reserve(16, 0))
    open_poll = in_flight.reserve(16, 0)
    assert in_flight.closed is False
    assert list(in_flight.close()) == buffered
    assert in_flight.closed is True
    assert in_flight.next(0) is None
    assert in_flight.reserve(16, 0) == 0
    assert list(in_flight.receive(late, open_poll)) == late
    assert in_flight.books().settling == 5
    assert in_flight.books().balanced


def test_empty_means_settled_and_no_poll_open() -> None:
    """A poll that is still open may bring something, so it is not empty before it is back."""
    in_flight = InFlight(8)
    reserved = in_flight.reserve(4, 0)
    assert not in_flight.wait_until_empty(0)
    in_flight.receive(deliveries(1), reserved)
    assert not in_flight.wait_until_empty(0)
    in_work = in_flight.next(0)
    assert in_work is not None
    in_flight.worked([in_work])
    assert not in_flight.wait_until_empty(0)
    in_flight.settle(Disposition.HIDDEN)
    assert in_flight.wait_until_empty(0)


def test_a_poll_that_comes_back_with_nothing_ends_the_wait_for_an_empty_hand() -> None:
    """The last open poll is what a stop waits for: its return wakes the waiting at once, not at a timeout."""
    in_flight = InFlight(8)
    reserved = in_flight.reserve(4, 0)
    in_flight.close()
    waiter = Waiter(in_flight._emptied, lambda: in_flight.wait_until_empty(3_600))
    in_flight.receive((), reserved)
    assert waiter.found() is True


def test_the_last_settlement_ends_the_wait_for_an_empty_hand() -> None:
    """A stop does not sit out its grace once everything is settled."""
    in_flight = InFlight(8)
    in_flight.receive(deliveries(1), in_flight.reserve(4, 0))
    in_flight.close()
    waiter = Waiter(in_flight._emptied, lambda: in_flight.wait_until_empty(3_600))
    in_flight.settle(Disposition.RELEASED)
    assert waiter.found() is True


def test_the_settlement_that_makes_room_for_a_whole_poll_wakes_a_waiting_poller() -> None:
    """Exactly as many free slots as it wants are enough; without being woken it would sleep out its time."""
    in_flight = InFlight(4)
    in_flight.receive(deliveries(2), in_flight.reserve(2, 0))
    in_flight.receive(deliveries(1), in_flight.reserve(2, 0))
    in_work = in_flight.next(0)
    assert in_work is not None
    in_flight.worked([in_work])
    waiter = Waiter(in_flight._slot_free, lambda: in_flight.reserve(2, 3_600))
    in_flight.settle(Disposition.DELETED)
    assert waiter.found() == 2


class _Crowd:
    """Threads that receive, work and settle until everything that was to come is settled."""

    rounds, pollers = 40, 2

    def __init__(self) -> None:
        self.in_flight = InFlight(24)
        self.wanted = self.rounds * self.pollers * 12
        self.unbalanced: list[object] = []
        self._ready = threading.Semaphore(0)

    def poll(self) -> None:
        """Receive so many full batches."""
        done = 0
        while done < self.rounds:
            if reserved := self.in_flight.reserve(16, 10):
                self.in_flight.receive(deliveries(reserved), reserved)
                done += 1

    def work(self) -> None:
        """Work until nothing more may be worked on."""
        while (found := self.in_flight.next(10)) is not None:
            self.in_flight.worked([found])
            self._ready.release()

    def settle(self) -> None:
        """Settle everything, with a look at the books each time."""
        for _ in range(self.wanted):
            assert self._ready.acquire(timeout=PATIENCE_SECONDS)
            self.in_flight.settle(Disposition.DELETED)
            books = self.in_flight.books()
            if not books.balanced or books.in_flight > self.in_flight.slots:
                self.unbalanced.append(books)


def test_books_balance_under_real_threads() -> None:
    """Pollers, workers and settlers at once: no moment in which a delivery is counted twice or not at all."""
    crowd = _Crowd()
    duties = [crowd.poll] * crowd.pollers + [crowd.work] * 3 + [crowd.settle]
    threads = [threading.Thread(target=duty, daemon=True) for duty in duties]
    for thread in threads:
        thread.start()
    for thread in (*threads[: crowd.pollers], threads[-1]):
        thread.join(PATIENCE_SECONDS)
    assert crowd.in_flight.wait_until_empty(10)
    crowd.in_flight.close()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    assert not crowd.unbalanced
    assert crowd.in_flight.books().received == crowd.in_flight.books().settled[Disposition.DELETED] == crowd.wanted


def test_what_waits_can_be_withdrawn_newest_first() -> None:
    """Half of the buffer, rounded up, counts as settling from then on; the older half is still worked on."""
    in_flight = InFlight(16)
    buffered = deliveries(5)
    in_flight.receive(buffered, in_flight.reserve(8, 0))
    assert list(in_flight.withdraw_untouched()) == buffered[:1:-1]
    assert in_flight.books().settling == 3
    assert in_flight.books().balanced
    assert [in_flight.next(0), in_flight.next(0), in_flight.next(0)] == [*buffered[:2], None]


def test_fewer_slots_may_be_used_for_a_while() -> None:
    """A lower limit holds for new polls only, never goes below one slot, and a waiting poller hears of a higher one."""
    in_flight = InFlight(32)
    in_flight.receive(deliveries(16), in_flight.reserve(16, 0))
    in_flight.limit(0)
    assert in_flight.books().in_flight == 16
    assert in_flight.reserve(1, 0) == 0
    in_flight.limit(1_000)
    assert in_flight.reserve(16, 0) == 16


def test_one_slot_is_always_left_to_be_used() -> None:
    """However slow renewals are, the worker goes on with one delivery at a time."""
    in_flight = InFlight(32)
    in_flight.limit(0)
    assert [in_flight.reserve(16, 0), in_flight.reserve(16, 0)] == [1, 0]


def test_what_is_withdrawn_settles_beside_what_is_settling() -> None:
    """The books stay balanced when leases run short while other deliveries are being settled."""
    in_flight = InFlight(16)
    in_flight.receive(deliveries(4), in_flight.reserve(8, 0))
    in_work = in_flight.next(0)
    assert in_work is not None
    in_flight.worked([in_work])
    assert len(in_flight.withdraw_untouched()) == 2
    assert (in_flight.books().buffered, in_flight.books().settling) == (1, 3)
    assert in_flight.books().balanced


def test_settling_is_crowded_beyond_half_of_the_slots() -> None:
    """Half is not yet too many; one slot is never."""
    in_flight = InFlight(4)
    in_flight.receive(deliveries(2), in_flight.reserve(2, 0))
    in_flight.receive(deliveries(2), in_flight.reserve(2, 0))
    in_work = [found for _ in range(4) if (found := in_flight.next(0))]
    in_flight.worked(in_work[:2])
    assert not in_flight.settling_crowded
    in_flight.worked(in_work[2:3])
    assert in_flight.settling_crowded


def test_what_is_in_work_says_so_to_its_keeper() -> None:
    """Renewals of repairs under way come before those of deliveries that only wait."""
    in_flight = InFlight(4)
    first, second = deliveries(2)
    in_flight.receive([first, second], in_flight.reserve(2, 0))
    in_flight.next(0)
    assert (first.lease.in_work, second.lease.in_work) == (True, False)
