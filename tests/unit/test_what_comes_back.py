"""What was received before or parked: after whatever is fresh, with half of the workers and of the slots."""

from __future__ import annotations

from consumer.engine.in_flight import InFlight
from tests.unit.in_flight import Waiter, again, deliveries, parked


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


def test_of_an_odd_number_of_workers_the_smaller_half_is_for_what_comes_back() -> None:
    """The fresh ones get the worker that cannot be halved."""
    in_flight = InFlight(16, workers=3)
    waited = [parked(number) for number in range(2)]
    in_flight.receive(waited, in_flight.reserve(8, 0))
    assert [in_flight.next(0) for _ in range(2)] == [waited[0], None]


def test_what_is_withdrawn_gives_its_slots_back() -> None:
    """As many as were withdrawn: so many may come back again, and what is beyond them is crowded out."""
    in_flight = InFlight(16)
    in_flight.receive([parked(number) for number in range(8)], in_flight.reserve(8, 0))
    assert len(in_flight.withdraw_untouched()) == 4
    arrived = [parked(number) for number in range(8, 14)]
    in_flight.receive(arrived, in_flight.reserve(8, 0))
    assert [each.crowded_out for each in arrived] == [False] * 4 + [True] * 2


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
    assert (in_flight.books().buffered, in_flight.books().balanced) == (10, True)
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
