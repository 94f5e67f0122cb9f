"""What is in flight: slots, the buffer, and books that balance in every moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from consumer.core.outcome import Disposition
from consumer.core.parked import Carried, History
from consumer.engine.delivery import Delivery
from consumer.engine.in_flight import InFlight
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock, delivery, received

CLOCK = Clock()


def deliveries(count: int) -> list[Delivery]:
    """So many deliveries."""
    return [delivery(CLOCK, received(f"m-{number}")) for number in range(count)]


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


def parked(number: int) -> Delivery:
    """A delivery of a parked copy."""
    history = History("first", 1, 2, receipts=1, attempts=0, reason="held:over_limit")
    return delivery(CLOCK, replace(received(f"p-{number}"), carried=Carried(history)))


def test_parked_copies_are_worked_on_after_whatever_is_fresh() -> None:
    """However long they have been in the buffer; among their like, each in the order of arrival."""
    in_flight = InFlight(16)
    fresh, copies = deliveries(3), [parked(number) for number in range(3)]
    for arrived in ([copies[0], fresh[0]], [copies[1]], [fresh[1], copies[2], fresh[2]]):
        in_flight.receive(arrived, in_flight.reserve(8, 0))
    assert [in_flight.next(0) for _ in range(6)] == [*fresh, *copies]
    in_flight.receive([copies[0], fresh[0]], in_flight.reserve(4, 0))
    assert [in_flight.next(0), in_flight.next(0), in_flight.next(0)] == [fresh[0], copies[0], None]


def test_a_fresh_delivery_overtakes_no_other_fresh_one() -> None:
    """Also not when a worker has taken the first of them meanwhile, and copies wait behind them."""
    in_flight = InFlight(16)
    first, second, third, last = deliveries(4)
    in_flight.receive([first, second, third, parked(1)], in_flight.reserve(8, 0))
    assert in_flight.next(0) is first
    in_flight.receive([last], in_flight.reserve(4, 0))
    assert [in_flight.next(0), in_flight.next(0), in_flight.next(0)] == [second, third, last]


def test_what_is_withdrawn_is_parked_first() -> None:
    """A worker would be free for it last; and what comes afterwards still finds its place."""
    in_flight = InFlight(16)
    fresh, copies = deliveries(3), [parked(number) for number in range(2)]
    in_flight.receive([*copies, *fresh[:2]], in_flight.reserve(8, 0))
    assert set(in_flight.withdraw_untouched()) == set(copies)
    assert in_flight.withdraw_untouched() == [fresh[1]]
    in_flight.receive([copies[0], fresh[2]], in_flight.reserve(4, 0))
    assert [in_flight.next(0) for _ in range(3)] == [fresh[0], fresh[2], copies[0]]


def again(number: int) -> Delivery:
    """A delivery of a message that has been received before, and was hidden."""
    return delivery(CLOCK, replace(received(f"a-{number}"), dequeue_count=2))


def test_what_was_received_before_is_worked_on_after_whatever_is_fresh() -> None:
    """A message that was hidden has waited as much as one that was parked; both keep their order."""
    in_flight = InFlight(16)
    (fresh,) = deliveries(1)
    waited = [again(0), parked(1), again(2)]
    in_flight.receive([*waited, fresh], in_flight.reserve(8, 0))
    assert [in_flight.next(0) for _ in range(4)] == [fresh, *waited]


def test_what_comes_back_gets_half_of_the_workers_and_a_fresh_event_any() -> None:
    """However long each takes: the other half of the workers waits for what is fresh."""
    in_flight = InFlight(16, workers=4)
    (fresh,) = deliveries(1)
    waited = [parked(number) for number in range(5)]
    in_flight.receive(waited, in_flight.reserve(8, 0))
    assert [in_flight.next(0) for _ in range(3)] == [*waited[:2], None]
    in_flight.receive([fresh], in_flight.reserve(4, 0))
    assert [in_flight.next(0) for _ in range(2)] == [fresh, None]
    in_flight.worked([fresh])
    in_flight.free(fresh)
    assert in_flight.next(0) is None
    in_flight.worked(waited[:1])
    assert in_flight.next(0) is None
    in_flight.free(waited[0])
    assert [in_flight.next(0) for _ in range(2)] == [waited[2], None]


def test_a_worker_is_free_once_what_it_took_waits_for_another_ones_repair() -> None:
    """Followers of a slow repair keep nobody busy, so they keep no worker from what else comes back."""
    in_flight = InFlight(32, workers=8)
    waited = [parked(number) for number in range(8)]
    in_flight.receive(waited, in_flight.reserve(16, 0))
    taken = [in_flight.next(0) for _ in range(5)]
    assert taken == [*waited[:4], None]
    for follower in waited[1:4]:
        in_flight.free(follower)
    assert [in_flight.next(0) for _ in range(4)] == [*waited[4:7], None]
    in_flight.worked(waited[:4])
    assert in_flight.next(0) is None, "the leader's worker is still busy"
    in_flight.free(waited[0])
    assert in_flight.next(0) is waited[7]


def test_a_single_worker_works_on_what_comes_back() -> None:
    """Half of one worker is still a worker."""
    in_flight = InFlight(16, workers=1)
    waited = [parked(number) for number in range(2)]
    in_flight.receive(waited, in_flight.reserve(8, 0))
    for each in waited:
        assert in_flight.next(0) is each
        assert in_flight.next(0) is None
        in_flight.worked([each])
        in_flight.free(each)


def test_a_flood_of_fresh_events_does_not_starve_what_comes_back() -> None:
    """After seven in a row it is the turn of one that has waited before."""
    in_flight = InFlight(64, workers=64)
    fresh, waited = deliveries(20), [parked(number) for number in range(2)]
    in_flight.receive([*waited, *fresh], in_flight.reserve(32, 0))
    order = [in_flight.next(0) for _ in range(22)]
    assert [order.index(each) for each in waited] == [7, 15]


def test_as_many_workers_as_become_free_for_what_comes_back_learn_of_it() -> None:
    """At once, each of them, not at the end of their wait: those that are free already may be the ones that take it."""
    in_flight = InFlight(16, workers=8)
    waited = [parked(number) for number in range(8)]
    in_flight.receive(waited, in_flight.reserve(8, 0))
    assert [in_flight.next(0) for _ in range(5)] == [*waited[:4], None]
    idle = [Waiter(in_flight._buffer_filled, lambda: in_flight.next(3_600)) for _ in range(4)]
    for each in waited[:4]:
        in_flight.free(each)
    assert {waiter.found() for waiter in idle} == set(waited[4:])


def test_while_much_comes_back_polls_are_small() -> None:
    """A fresh event, which the queue hands out first, waits for a few slots only and not for sixteen."""
    in_flight = InFlight(128)
    in_flight.receive([parked(number) for number in range(32)], in_flight.reserve(32, 0))
    assert in_flight.reserve(16, 0) == 16
    in_flight.receive([parked(32)], 16)
    assert in_flight.reserve(16, 0) == 4
    in_flight.receive(deliveries(4), 4)
    assert in_flight.reserve(2, 0) == 1


def test_what_comes_back_gets_half_of_the_slots_and_no_more() -> None:
    """However slow it is, polls go on; what one brings beyond the half is crowded out, and any worker takes that first.

    Else messages that take seconds each would fill every slot, and a fresh event would wait until one of them is free.
    """
    in_flight = InFlight(16, workers=2)
    waited, beyond = [parked(number) for number in range(8)], [again(number) for number in range(2)]
    (fresh,) = deliveries(1)
    in_flight.receive(waited, in_flight.reserve(8, 0))
    assert in_flight.next(0) is waited[0]
    reserved = in_flight.reserve(16, 0)
    assert reserved == 2
    in_flight.receive([*beyond, fresh], reserved)
    assert [in_flight.next(0) for _ in range(4)] == [*beyond, fresh, None]
    assert [each.crowded_out for each in (*waited, *beyond, fresh)] == [False] * 8 + [True] * 2 + [False]
    for each in beyond:
        in_flight.worked([each])
        in_flight.free(each)
    assert in_flight.next(0) is None, "what was crowded out had no worker that it could give back"
    in_flight.worked([waited[0]])
    in_flight.free(waited[0])
    in_flight.receive([parked(9), parked(10)], in_flight.reserve(2, 0))
    assert in_flight.next(0) is not None
    assert in_flight.books().balanced


def test_a_poll_waits_a_moment_for_room_for_what_comes_back() -> None:
    """What is fast makes room at once; crowding that out would only send everything around once more."""
    in_flight = InFlight(16, workers=16)
    waited = [parked(number) for number in range(8)]
    in_flight.receive(waited, in_flight.reserve(8, 0))
    for each in waited:
        assert in_flight.next(0) is each
    waits: list[float | None] = []

    def done_meanwhile(timeout: float | None = None) -> bool:
        waits.append(timeout)
        in_flight._working -= 2
        in_flight._settling += 2
        in_flight._buffer.worked(waited[:2])
        return True

    in_flight._slot_free.wait = done_meanwhile  # type: ignore[method-assign]
    assert in_flight.reserve(16, 60.0) == 2
    assert len(waits) == 1
    assert waits[0] is not None
    assert waits[0] < 1


def test_what_open_polls_may_bring_counts_before_it_is_there() -> None:
    """Two pollers that find room for one poll do not both take it."""
    in_flight = InFlight(32, workers=16)
    in_flight.receive([parked(number) for number in range(11)], in_flight.reserve(16, 0))
    assert in_flight._room() == 5
    assert in_flight.reserve(16, 0) == 4
    assert in_flight._room() == 1


def test_work_that_ends_makes_room_that_a_waiting_poll_learns_of() -> None:
    """Once there is enough for it; a moment is long for a fresh event."""
    in_flight = InFlight(16, workers=16)
    waited = [parked(number) for number in range(8)]
    in_flight.receive(waited, in_flight.reserve(8, 0))
    woken: list[int] = []
    in_flight._slot_free.notify_all = lambda: woken.append(in_flight._room())  # type: ignore[method-assign]
    in_flight._wanted.append(2)
    for each in waited[:3]:
        assert in_flight.next(0) is each
        in_flight.worked([each])
    assert woken == [2, 3]


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


class Waiter:
    """A thread that waits for up to an hour; its wait has begun when this is made."""

    def __init__(self, condition: threading.Condition, wait: Callable[[], object]) -> None:
        self._begun = threading.Event()
        self._found: list[object] = []
        condition_wait = condition.wait

        def announced(timeout: float | None = None) -> bool:
            self._begun.set()  # the lock is held from here until the wait has begun
            return condition_wait(timeout)

        condition.wait = announced  # type: ignore[method-assign]
        self._thread = threading.Thread(target=lambda: self._found.append(wait()), daemon=True)
        self._thread.start()
        assert self._begun.wait(PATIENCE_SECONDS)

    def found(self) -> object:
        """What it came back with, long before its time."""
        self._thread.join(PATIENCE_SECONDS)
        assert self._found, "nobody woke the waiting thread"
        return self._found[0]


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
