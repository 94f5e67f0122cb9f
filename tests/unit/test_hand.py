"""The hand: slots, the buffer, and books that balance in every moment."""

from __future__ import annotations

import threading

from consumer.core.outcome import Disposition
from consumer.engine.delivery import Delivery
from consumer.engine.in_flight import InFlight
from tests.unit.fakes import Clock, delivery, received

CLOCK = Clock()


def deliveries(count: int) -> list[Delivery]:
    """So many deliveries."""
    return [delivery(CLOCK, received(f"m-{number}")) for number in range(count)]


def test_a_poll_waits_until_a_whole_batch_fits() -> None:
    """With room for less than a batch nothing is reserved: single-message polls would cost a request each."""
    hand = InFlight(32)
    assert hand.reserve(16, 0) == 16
    assert hand.reserve(16, 0) == 16
    assert hand.reserve(16, 0) == 0
    hand.receive(deliveries(15), 16)
    assert hand.reserve(16, 0) == 0


def test_a_small_hand_polls_for_half_of_its_slots() -> None:
    """A hand that holds fewer than two batches never waits for sixteen free slots."""
    assert InFlight(10).reserve(16, 0) == 5
    assert InFlight(1).reserve(16, 0) == 1


def test_deliveries_are_worked_on_in_the_order_of_their_arrival() -> None:
    """The buffer is a queue, and one that is empty yields nothing."""
    hand = InFlight(8)
    first, second = deliveries(2)
    hand.receive([first, second], hand.reserve(4, 0))
    assert [hand.next(0), hand.next(0), hand.next(0)] == [first, second, None]


def test_every_step_moves_one_count_to_the_next() -> None:
    """Buffered, working, settling, settled: the books follow a delivery through all four."""
    hand = InFlight(8)
    hand.receive(deliveries(2), hand.reserve(4, 0))
    assert (hand.books().buffered, hand.books().in_flight) == (2, 2)
    hand.next(0)
    assert (hand.books().buffered, hand.books().working) == (1, 1)
    hand.worked(1)
    assert (hand.books().working, hand.books().settling) == (0, 1)
    hand.settle(Disposition.DELETED)
    books = hand.books()
    assert (books.received, books.in_flight, books.settled[Disposition.DELETED]) == (2, 1, 1)
    assert books.balanced


def test_closing_hands_out_what_is_untouched_and_nothing_more_is_worked_on() -> None:
    """After the close the buffer is empty, no slot is reserved, and what a poll still brings comes back."""
    hand = InFlight(32)
    buffered, late = deliveries(2), deliveries(3)
    hand.receive(buffered, hand.reserve(16, 0))
    open_poll = hand.reserve(16, 0)
    assert list(hand.close()) == buffered
    assert hand.closed
    assert hand.next(0) is None
    assert hand.reserve(16, 0) == 0
    assert list(hand.receive(late, open_poll)) == late
    assert hand.books().settling == 5
    assert hand.books().balanced


def test_empty_means_settled_and_no_poll_open() -> None:
    """A poll that is still open may bring something, so the hand is not empty before it is back."""
    hand = InFlight(8)
    reserved = hand.reserve(4, 0)
    assert not hand.wait_until_empty(0)
    hand.receive(deliveries(1), reserved)
    assert not hand.wait_until_empty(0)
    hand.next(0)
    hand.worked(1)
    assert not hand.wait_until_empty(0)
    hand.settle(Disposition.HIDDEN)
    assert hand.wait_until_empty(0)


def test_a_poll_that_comes_back_with_nothing_ends_the_wait_for_an_empty_hand() -> None:
    """The last open poll is what a stop waits for: its return wakes the waiting at once, not at a timeout."""
    hand = InFlight(8)
    reserved = hand.reserve(4, 0)
    hand.close()
    told: list[bool] = []
    woken = threading.Event()
    waiting = _Announced(hand)
    waiter = threading.Thread(target=lambda: (told.append(hand.wait_until_empty(60)), woken.set()), daemon=True)
    waiter.start()
    assert waiting.begun.wait(10)
    hand.receive((), reserved)
    assert woken.wait(10), "nobody told the waiting thread"
    assert told == [True]


class _Announced:
    """Tells when somebody begins to wait for an empty hand."""

    def __init__(self, hand: InFlight) -> None:
        self.begun = threading.Event()
        wait_for = hand._emptied.wait_for

        def announced(predicate, timeout=None):  # type: ignore[no-untyped-def]
            self.begun.set()  # the lock is held from here until the wait has begun
            return wait_for(predicate, timeout)

        hand._emptied.wait_for = announced  # type: ignore[method-assign]


class _Crowd:
    """Threads that receive, work and settle until everything that was to come is settled."""

    rounds, pollers = 40, 2

    def __init__(self) -> None:
        self.hand = InFlight(24)
        self.wanted = self.rounds * self.pollers * 12
        self.unbalanced: list[object] = []
        self._ready = threading.Semaphore(0)

    def poll(self) -> None:
        """Receive so many full batches."""
        done = 0
        while done < self.rounds:
            if reserved := self.hand.reserve(16, 10):
                self.hand.receive(deliveries(reserved), reserved)
                done += 1

    def work(self) -> None:
        """Work until the hand is closed."""
        while self.hand.next(10) is not None:
            self.hand.worked(1)
            self._ready.release()

    def settle(self) -> None:
        """Settle everything, with a look at the books each time."""
        for _ in range(self.wanted):
            assert self._ready.acquire(timeout=30)
            self.hand.settle(Disposition.DELETED)
            books = self.hand.books()
            if not books.balanced or books.in_flight > self.hand.slots:
                self.unbalanced.append(books)


def test_books_balance_under_real_threads() -> None:
    """Pollers, workers and settlers at once: no moment in which a delivery is counted twice or not at all."""
    crowd = _Crowd()
    duties = [crowd.poll] * crowd.pollers + [crowd.work] * 3 + [crowd.settle]
    threads = [threading.Thread(target=duty, daemon=True) for duty in duties]
    for thread in threads:
        thread.start()
    for thread in (*threads[: crowd.pollers], threads[-1]):
        thread.join(60)
    assert crowd.hand.wait_until_empty(10)
    crowd.hand.close()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert not crowd.unbalanced
    assert crowd.hand.books().received == crowd.hand.books().settled[Disposition.DELETED] == crowd.wanted
