"""When the keeper has which lease renewed: how long a thread waits, what it is woken for, and what is forgotten."""

from __future__ import annotations

import weakref

import pytest

from consumer.core.observers import LeaseRenewal
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.lease import Lease
from consumer.engine.renewer import Renewer
from tests.unit.engine import LEASES, Engine
from tests.unit.fakes import Clock, delivery, received


def waits_of(engine: Engine) -> list[float | None]:
    """How long each wait for a lease is meant to last, from now on; the clock moves on instead."""
    waits: list[float | None] = []

    def wait(timeout: float | None = None) -> bool:
        waits.append(timeout)
        engine.clock.advance(timeout or 0.0)
        return False

    engine.keeper._changed.wait = wait  # type: ignore[method-assign]
    return waits


def kept(engine: Engine, name: str, seconds: float = 30.0) -> Lease:
    """A lease that is kept from now on; its renewal is due after 45 % of its life."""
    lease = Lease(name, f"{name}#0", engine.clock(), seconds)
    engine.keeper.keep(lease)
    return lease


def test_without_a_lease_a_thread_waits_for_its_idle_time() -> None:
    """Then it shows that it is alive."""
    engine = Engine()
    waits = waits_of(engine)
    assert engine.keeper.take(5.0) is None
    assert engine.renewer.step() is False
    assert waits == [5.0, 0.0]


def test_a_thread_waits_for_the_next_lease_and_never_for_longer_than_its_idle_time() -> None:
    """The lease is due after 13.5 s, so the third wait of five is the one that ends early, with the lease."""
    engine = Engine()
    lease = kept(engine, "m")
    waits = waits_of(engine)
    assert [engine.keeper.take(5.0) for _ in range(3)] == [None, None, lease]
    assert waits == [5.0, 5.0, 3.5]


def test_a_lease_that_is_due_is_taken_without_a_wait() -> None:
    """Whatever else is planned."""
    engine = Engine()
    lease = kept(engine, "m")
    engine.clock.advance(13.5)
    waits = waits_of(engine)
    assert engine.keeper.take(5.0) is lease
    assert waits == []


def test_once_it_is_closed_nobody_waits() -> None:
    """A stop is not held up by a lease that would have been renewed later."""
    engine = Engine()
    kept(engine, "m")
    assert engine.keeper.closed is False
    engine.keeper.close()
    assert engine.keeper.closed is True
    waits = waits_of(engine)
    assert engine.keeper.take(5.0) is None
    assert waits == []


def test_only_a_lease_that_is_due_before_all_others_wakes_a_waiting_thread() -> None:
    """For every other one it wakes up early enough anyway."""
    engine = Engine()
    woken: list[str] = []
    for name, seconds in (("first", 30.0), ("later", 60.0), ("sooner", 10.0)):
        engine.keeper._changed.notify = lambda name=name: woken.append(name)  # type: ignore[method-assign, misc]
        kept(engine, name, seconds)
    assert woken == ["first", "sooner"]


@pytest.mark.parametrize(("late_by", "left"), [(0.0, 4), (0.25, 2)])
def test_a_renewal_is_late_only_after_two_fifths_of_the_time_that_is_left_for_it(late_by: float, left: int) -> None:
    """Ten seconds before the end of its lease it is due, so it may begin four seconds later and no later than that."""
    engine = Engine()
    buffered(engine, 4)
    lease = Lease("m", "m#0", engine.clock(), 15.0)
    engine.keeper.plan(lease, engine.clock() + 5.0)
    engine.clock.advance(5.0 + 4.0 + late_by)
    assert engine.keeper.take(0) is lease
    engine.keeper.relieve()
    assert engine.books.buffered == left


def test_before_the_first_renewal_none_is_late() -> None:
    """What waits is not given away for nothing."""
    engine = Engine()
    buffered(engine, 4)
    engine.keeper.relieve()
    assert engine.books.buffered == 4


def late(engine: Engine) -> None:
    """A renewal begins that comes too late."""
    lease = Lease("late", "late#0", engine.clock(), 1.0)
    engine.keeper.plan(lease, engine.clock() - 100.0)
    assert engine.keeper.take(0) is lease


def test_relief_comes_once_a_second_and_from_the_first_second_of_a_machine_on() -> None:
    """What was released has to be given a chance to help; a whole second later it has had that."""
    engine = Engine(clock=Clock(1.0))
    buffered(engine, 8)
    left = []
    for seconds in (0.0, 0.5, 0.5):
        engine.clock.advance(seconds)
        late(engine)
        engine.keeper.relieve()
        left.append(engine.books.buffered)
    assert left == [4, 4, 2]


def buffered(engine: Engine, count: int) -> None:
    """So many messages wait in the buffer."""
    waiting = [delivery(engine.clock, received(f"m-{number}")) for number in range(count)]
    engine.in_flight.receive(waiting, engine.in_flight.reserve(count, 0))


def test_a_faster_renewal_counts_for_little_and_a_slower_one_for_half() -> None:
    """From 0.1 s to 0.2 s at once, and from there a tenth of the way back: 63 leases of 15 s can be kept then."""
    engine = Engine(slots=1_000)
    kept(engine, "m", 15.0)
    engine.keeper.took(0.3)
    assert engine.in_flight.reserve(1_000, 0) == 60 // 2
    engine.in_flight.receive((), 30)
    engine.keeper.took(0.1)
    assert engine.in_flight.reserve(1_000, 0) == 63 // 2


def test_how_long_a_renewal_takes_is_measured_from_request_to_answer() -> None:
    """Three tenths of a second, four at a time, for leases of 30 s: 120 deliveries can be kept."""
    engine = Engine(slots=1_000)
    (found,) = engine.receive()
    engine.keeper.keep(found.lease)
    hide = engine.queue.hide

    def slow(handle: str, seconds: int) -> str:
        engine.clock.advance(0.3)
        return hide(handle, seconds)

    engine.queue.hide = slow  # type: ignore[method-assign]
    engine.renewer.renew(found.lease)
    assert engine.recorder.renewals == [LeaseRenewal(found.message_id, "renewed")]
    assert engine.in_flight.reserve(1_000, 0) == 120 // 2


def test_a_renewer_that_falls_silent_is_named_with_what_it_was_doing() -> None:
    """Whatever the queue takes so long for."""
    engine = Engine()
    (found,) = engine.receive()
    engine.keeper.keep(found.lease)
    engine.clock.advance(13.5)
    heartbeat = Heartbeat("lease-keeper-1", 10.0, monotonic=engine.clock)
    doing: list[str] = []

    def hang(handle: str, _seconds: int) -> str:
        engine.clock.advance(10.5)
        doing.append(heartbeat.overdue())
        return handle

    engine.queue.hide = hang  # type: ignore[method-assign]
    assert Renewer(engine.shared, engine.queue, heartbeat).step()
    assert doing == ["renewing a lease"]


@pytest.mark.parametrize(("age_seconds", "result"), [(240.0, "renewed"), (240.25, "capped")])
def test_a_renewal_may_reach_exactly_to_the_end_of_the_total(age_seconds: float, result: str) -> None:
    """300 s in all, of which a renewal reaches 60 s far."""
    engine = Engine()
    assert (LEASES.lease_seconds, LEASES.max_total_seconds) == (60, 300.0)
    engine.queue.visibility_seconds = 1_000
    (found,) = engine.receive()
    engine.clock.advance(age_seconds)
    engine.renewer.renew(found.lease)
    assert engine.recorder.renewals == [LeaseRenewal(found.message_id, result)]


def many(engine: Engine, count: int) -> list[Lease]:
    """So many leases that are kept."""
    return [kept(engine, f"m-{number}") for number in range(count)]


def alive(leases: list[weakref.ref[Lease]]) -> int:
    """How many of them anybody still knows."""
    return sum(1 for each in leases if each() is not None)


def ended(engine: Engine, count: int) -> list[weakref.ref[Lease]]:
    """So many leases that were kept and are settled by now, known to nobody else."""
    found = []
    for number in range(count):
        lease = kept(engine, f"ended-{number}")
        lease.end()
        found.append(weakref.ref(lease))
    return found


def test_settled_leases_are_forgotten_long_before_their_moment() -> None:
    """Under load most end at once. They go whenever twice as many are planned as were held the last time."""
    engine = Engine()
    settled = ended(engine, 1_024)
    assert alive(settled) == 1_024
    held = many(engine, 1)
    assert alive(settled) == 0
    held += many(engine, 1_024)
    assert len(held) == 1_025
    settled = ended(engine, 1_025)
    assert alive(settled) == 1_025
    held += many(engine, 1)
    assert alive(settled) == 0
    engine.clock.advance(15.0)
    assert [engine.keeper.take(0) for _ in held] == held
    assert engine.keeper.take(0) is None


def test_what_is_still_held_stays_planned_in_its_order() -> None:
    """However many leases around it were forgotten: the one that is due first comes first."""
    engine = Engine()
    held, settled = [], []
    for number in range(1_025):
        lease = kept(engine, f"m-{number}", 30.0 + number * 7_919 % 1_009)
        if number % 5:
            settled.append(lease)
        else:
            held.append(lease)
        if number == 1_000:
            for each in settled:
                each.end()
    taken: list[Lease | None] = []
    for _ in range(5_000):
        engine.clock.advance(0.25)
        taken.append(engine.keeper.take(0))
    assert [lease for lease in taken if lease in held] == sorted(held, key=lambda lease: lease.expires_at)
