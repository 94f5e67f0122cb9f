"""Leases and their keeper: renewed at half-life, never beyond the cap, and lost only once."""

from __future__ import annotations

import threading

import pytest

from consumer.core.errors import NotAuthenticated, ServiceError, Throttled, Unanswered
from consumer.core.observers import Hooks
from consumer.engine.lease import Lease, LeaseKeeper, LeaseState
from tests.unit.engine import LEASES, Engine
from tests.unit.fakes import Clock, FakeQueue, Recorder, instant_pulse, middle, service_error


def lease_of(engine: Engine) -> Lease:
    """The lease of one fresh delivery."""
    return engine.receive()[0].lease


def results(engine: Engine) -> list[str]:
    """What became of each renewal."""
    return [renewal.result for renewal in engine.recorder.renewals]


def test_a_renewal_swaps_the_handle_and_starts_the_time_anew() -> None:
    """The new handle is the one to use, and the lease ends its whole length after the request."""
    engine = Engine()
    lease = lease_of(engine)
    old = lease.receipt_handle
    engine.clock.advance(13)
    engine.keeper.renew(lease)
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
    engine.keeper.renew(lease)
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
    engine.keeper.renew(engine.keeper._next_due() or pytest.fail("not due"))
    assert lease.state is LeaseState.HELD
    assert engine.keeper._next_due() is None
    engine.clock.advance(1.0)
    engine.keeper.renew(engine.keeper._next_due() or pytest.fail("not due again"))
    assert results(engine) == ["Passing", "renewed"]


def test_an_expired_lease_is_lost_without_a_request() -> None:
    """A renewal that comes too late is not sent: the handle may be somebody else's by now."""
    engine = Engine()
    lease = lease_of(engine)
    engine.clock.advance(30)
    engine.keeper.renew(lease)
    assert lease.state is LeaseState.LOST
    assert not engine.queue.hidden
    assert results(engine) == ["expired"]


def test_nothing_is_renewed_beyond_its_total() -> None:
    """A delivery that takes too long is given up to the queue once the cap would be passed."""
    engine = Engine()
    lease = lease_of(engine)
    engine.keeper.keep(lease)
    for _ in range(10_000):
        if due := engine.keeper._next_due():
            engine.keeper.renew(due)
        engine.clock.advance(0.5)
    assert lease.state is LeaseState.LOST
    assert lease.expires_at <= lease.taken_at + LEASES.max_total_seconds
    assert results(engine)[-2:] == ["capped", "expired"]
    assert set(results(engine)[:-2]) == {"renewed"}
    assert engine.keeper._next_due() is None


def test_renewals_come_at_about_half_the_life() -> None:
    """The first renewal is due after 40 to 50 % of the lease that the receive brought."""
    engine = Engine()
    engine.keeper.keep(lease_of(engine))
    engine.clock.advance(30 * 0.4 - 0.1)
    assert engine.keeper._next_due() is None
    engine.clock.advance(30 * 0.1 + 0.1)
    assert engine.keeper._next_due() is not None


def test_a_lease_in_use_is_left_alone_and_looked_at_again() -> None:
    """While somebody settles, a renewal would replace the handle that is on its way."""
    engine = Engine()
    lease = lease_of(engine)
    with lease.exclusively() as handle:
        engine.keeper.renew(lease)
        assert lease.receipt_handle == handle
        assert not engine.queue.hidden
    engine.clock.advance(1.0)
    assert engine.keeper._next_due() is lease
    engine.keeper.renew(lease)
    assert results(engine) == ["renewed"]


@pytest.mark.parametrize("end", [Lease.end, Lease.lose])
def test_a_lease_that_is_over_is_not_renewed(end: object) -> None:
    """Neither a settled nor a lost lease costs a request, and the keeper forgets it."""
    engine = Engine()
    lease = lease_of(engine)
    engine.keeper.keep(lease)
    end(lease)  # type: ignore[operator]
    engine.clock.advance(20)
    engine.keeper.renew(lease)
    assert engine.keeper._next_due() is None
    assert not engine.keeper._due
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
    engine.keeper.renew(lease)
    assert not engine.queue.hidden
    with lease.exclusively():
        pass  # and it was given back


def test_the_keepers_loop_ends_when_it_is_closed() -> None:
    """A keeper that waits for its next lease notices the close at once."""
    clock = Clock()
    pulse = instant_pulse(clock)
    pulse.idle_seconds = 60.0
    keeper = LeaseKeeper(FakeQueue(clock), LEASES, Hooks((Recorder(),)), pulse, jitter=middle, monotonic=clock)
    thread = threading.Thread(target=keeper.run, daemon=True)
    thread.start()
    keeper.keep(Lease("m", "h", clock(), 1_000.0))
    keeper.close()
    thread.join(30)
    assert not thread.is_alive()


def test_the_keepers_loop_renews_what_is_due() -> None:
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
    engine.keeper.run()
    assert results(engine) == ["renewed"]
