"""Leases and their keeper: renewed at half-life, never beyond the cap, and lost only once."""

from __future__ import annotations

import threading

import pytest

from consumer.core.errors import NotAuthenticated, ServiceError, Throttled, Unanswered
from consumer.engine.delivery import Delivery
from consumer.engine.lease import Lease, LeaseState
from consumer.engine.lease_keeper import LeaseKeeper, LeasePolicy
from consumer.engine.renewer import Renewer
from tests.patience import PATIENCE_SECONDS
from tests.unit.engine import LEASES, Engine
from tests.unit.fakes import instant_heartbeat, middle, service_error


def lease_of(engine: Engine) -> Lease:
    """The lease of one fresh delivery."""
    return engine.receive()[0].lease


def results(engine: Engine) -> list[str]:
    """What became of each renewal of the one message."""
    assert {renewal.message_id for renewal in engine.recorder.renewals} <= {"m-0"}
    return [renewal.result for renewal in engine.recorder.renewals]


def test_a_renewal_swaps_the_handle_and_starts_the_time_anew() -> None:
    """The new handle is the one to use, and the lease ends its whole length after the request."""
    engine = Engine()
    lease = lease_of(engine)
    old = lease.receipt_handle
    engine.clock.advance(13)
    engine.renewer.renew(lease)
    assert lease.receipt_handle != old
    assert lease.expires_at == engine.clock() + LEASES.lease_seconds
    assert lease.held(engine.clock())
    assert results(engine) == ["renewed"]


def test_a_lease_ends_by_the_clock_before_anybody_says_so() -> None:
    """Without a renewal the lease is over when its time is, whatever its state says."""
    engine = Engine()
    lease = lease_of(engine)
    engine.clock.advance(29.9)
    assert lease.held(engine.clock())
    engine.clock.advance(0.1)
    assert not lease.held(engine.clock())


def test_a_handle_that_is_gone_loses_the_lease() -> None:
    """The queue has given the message to somebody else."""
    engine = Engine()
    lease = lease_of(engine)
    engine.queue.hide(lease.receipt_handle, 10)
    engine.renewer.renew(lease)
    assert lease.state is LeaseState.LOST
    assert not lease.held(engine.clock())
    assert results(engine) == ["lost"]


@pytest.mark.parametrize("kind", [Throttled, Unanswered, NotAuthenticated])
def test_a_renewal_that_failed_for_now_is_tried_again_while_the_old_lease_runs(kind: type[ServiceError]) -> None:
    """A passing error is no loss: the lease is ours until its time is over."""
    engine = Engine()
    lease = lease_of(engine)
    engine.keeper.keep(lease)
    engine.queue.before.append(service_error(kind, "Passing"))
    engine.clock.advance(13.5)
    engine.renewer.renew(engine.keeper.take(0) or pytest.fail("not due"))
    assert lease.state is LeaseState.HELD
    assert engine.keeper.take(0) is None
    engine.clock.advance(1.0)
    engine.renewer.renew(engine.keeper.take(0) or pytest.fail("not due again"))
    assert results(engine) == ["Passing", "renewed"]


def test_an_expired_lease_is_lost_without_a_request() -> None:
    """A renewal that comes too late is not sent: the handle may be somebody else's by now."""
    engine = Engine()
    lease = lease_of(engine)
    engine.clock.advance(30)
    engine.renewer.renew(lease)
    assert lease.state is LeaseState.LOST
    assert not engine.queue.hidden
    assert results(engine) == ["expired"]


def test_nothing_is_renewed_beyond_its_total() -> None:
    """A delivery that takes too long is given up to the queue once the cap would be passed."""
    engine = Engine()
    lease = lease_of(engine)
    engine.keeper.keep(lease)
    for _ in range(10_000):
        if due := engine.keeper.take(0):
            engine.renewer.renew(due)
        engine.clock.advance(0.5)
    assert lease.state is LeaseState.LOST
    assert lease.expires_at <= lease.taken_at + LEASES.max_total_seconds
    assert results(engine)[-2:] == ["capped", "expired"]
    assert set(results(engine)[:-2]) == {"renewed"}
    assert engine.keeper.take(0) is None


def test_renewals_come_at_about_half_the_life() -> None:
    """The first renewal is due after 40 to 50 % of the lease that the receive brought."""
    engine = Engine()
    engine.keeper.keep(lease_of(engine))
    engine.clock.advance(30 * 0.4 - 0.1)
    assert engine.keeper.take(0) is None
    engine.clock.advance(30 * 0.1 + 0.1)
    assert engine.keeper.take(0) is not None


def test_a_lease_in_use_is_left_alone_and_looked_at_again() -> None:
    """While somebody settles, a renewal would replace the handle that is on its way."""
    engine = Engine()
    lease = lease_of(engine)
    with lease.exclusively() as handle:
        engine.renewer.renew(lease)
        assert lease.receipt_handle == handle
        assert not engine.queue.hidden
    assert engine.keeper.take(0) is None
    engine.clock.advance(1.0)
    assert engine.keeper.take(0) is lease
    engine.renewer.renew(lease)
    assert results(engine) == ["renewed"]


@pytest.mark.parametrize("end", [Lease.end, Lease.lose])
def test_a_lease_that_is_over_is_not_renewed(end: object) -> None:
    """Neither a settled nor a lost lease costs a request, and the keeper forgets it."""
    engine = Engine()
    lease = lease_of(engine)
    engine.keeper.keep(lease)
    end(lease)  # type: ignore[operator]
    engine.clock.advance(20)
    engine.renewer.renew(lease)
    assert engine.keeper.take(0) is None
    assert not engine.keeper._planned
    assert not engine.queue.hidden


def test_a_state_never_goes_back() -> None:
    """Losing a settled lease does not unsettle it."""
    lease = Lease("m", "h", 0.0, 30.0)
    lease.end()
    lease.lose()
    assert lease.state is LeaseState.ENDED


def test_a_lease_settled_between_the_look_and_the_lock_is_not_renewed() -> None:
    """The keeper looks again once it holds the lease."""
    engine = Engine()
    lease = lease_of(engine)
    take = lease.try_exclusively

    def settled_meanwhile() -> bool:
        lease.end()
        return take()

    lease.try_exclusively = settled_meanwhile  # type: ignore[method-assign]
    engine.renewer.renew(lease)
    assert not engine.queue.hidden
    with lease.exclusively():
        pass  # and it was given back


def test_a_renewal_without_an_answer_is_none() -> None:
    """It may or may not have taken effect, so the lease still ends when the old one does."""
    engine = Engine()
    lease = lease_of(engine)
    ends_at, handle = lease.expires_at, lease.receipt_handle
    engine.queue.after.append(service_error(Unanswered, "timeout"))
    engine.clock.advance(13)
    engine.renewer.renew(lease)
    assert (lease.expires_at, lease.receipt_handle) == (ends_at, handle)
    assert results(engine) == ["timeout"]
    engine.clock.advance(17)
    assert not lease.held(engine.clock())


def test_what_is_in_work_is_renewed_before_what_waits() -> None:
    """When several are due, a buffered delivery may lose its turn; a repair under way must not."""
    engine = Engine()
    waiting, other, working = (Lease(name, f"{name}#0", engine.clock(), 30.0) for name in ("w", "o", "x"))
    for lease in (waiting, other, working):
        engine.keeper.keep(lease)
        engine.clock.advance(0.5)
    working.in_work = True
    engine.clock.advance(20)
    assert [engine.keeper.take(0) for _ in range(3)] == [working, waiting, other]


def test_renewals_that_come_too_late_release_what_nobody_has_begun() -> None:
    """The newer half of the buffer goes back to the queue, once a second at most; the books balance."""
    engine = Engine()
    leases = buffered(engine, 8)
    engine.clock.advance(13.5 + 6.5)
    assert engine.renewer.step()
    assert engine.books.buffered == 8
    engine.clock.advance(0.2)
    assert engine.renewer.step()
    assert engine.books.buffered == 4
    assert engine.renewer.step()
    assert engine.books.buffered == 4
    assert engine.books.balanced
    engine.settle_all()
    assert [report.message.message_id for report in engine.recorder.reports] == ["m-7", "m-6", "m-5", "m-4"]
    assert {lease.message_id for lease in leases if lease.state is LeaseState.ENDED} == {"m-4", "m-5", "m-6", "m-7"}


def test_no_more_is_received_than_can_be_kept() -> None:
    """Renewals of a quarter of a second, four at a time, for leases of 15 s: 48 deliveries can be kept, not 128."""
    engine = Engine(slots=128)
    policy = LeasePolicy(lease_seconds=15, threads=4)
    keeper = LeaseKeeper(policy, engine.in_flight, engine.settlements, jitter=middle, monotonic=engine.clock)
    for _ in range(20):
        keeper.took(0.25)
    assert engine.in_flight.reserve(128, 0) == 24
    assert engine.in_flight.reserve(128, 0) == 24
    assert engine.in_flight.reserve(1, 0) == 0
    for _ in range(100):
        keeper.took(0.01)
    assert engine.in_flight.reserve(16, 0) == 16


def test_a_queue_whose_own_timeout_is_short_is_received_from_with_care() -> None:
    """The first renewal is due within the timeout of the receive, before anything is known of how long one takes."""
    engine = Engine(slots=128)
    engine.keeper.keep(Lease("m", "h", engine.clock(), 3.0))
    assert engine.in_flight.reserve(128, 0) == 12


def buffered(engine: Engine, count: int) -> list[Lease]:
    """The leases of so many deliveries that wait in the buffer and are kept."""
    for number in range(count):
        engine.queue.put(f"m-{number}")
    now = engine.clock()
    deliveries = [
        Delivery(message, Lease(message.message_id, message.receipt_handle, now, message.lease_seconds), now)
        for message in engine.queue.receive(count, 0)
    ]
    engine.in_flight.receive(deliveries, engine.in_flight.reserve(count, 0))
    for delivery in deliveries:
        engine.keeper.keep(delivery.lease)
    return [delivery.lease for delivery in deliveries]


def test_the_loop_ends_when_the_keeper_is_closed() -> None:
    """A thread that waits for its next lease notices the close at once."""
    engine = Engine()
    heartbeat = instant_heartbeat(engine.clock)
    heartbeat.idle_seconds = 60.0
    renewer = Renewer(engine.shared, engine.queue, heartbeat)
    threads = [threading.Thread(target=renewer.run, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    engine.keeper.keep(Lease("m", "h", engine.clock(), 1_000.0))
    engine.keeper.close()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_the_loop_renews_what_is_due() -> None:
    """A lease whose time has come is renewed by the loop itself."""
    engine = Engine()
    lease = lease_of(engine)
    engine.keeper.keep(lease)
    engine.clock.advance(15)
    hide = engine.queue.hide

    def last(handle: str, seconds: int) -> str:
        engine.keeper.close()
        return hide(handle, seconds)

    engine.queue.hide = last  # type: ignore[method-assign]
    engine.renewer.run()
    assert results(engine) == ["renewed"]
