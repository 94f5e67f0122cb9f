"""Any order of polls, work, settlements and a close: never more than there are slots, books always balanced.

And of those that come back never more workers busy than half of them, and never more slots taken than half of those,
while no fresh one waits for a worker.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.core.outcome import Disposition
from consumer.engine.delivery import Delivery
from consumer.engine.in_flight import InFlight
from tests.unit.fakes import Clock, delivery, received

CLOCK = Clock()


def has_slot(each: Delivery) -> bool:
    """Whether it comes back, and one of the slots for that is its."""
    return not each.message.fresh and not each.crowded_out


class HandMachine(RuleBasedStateMachine):
    """What is in flight, and a model of it."""

    @initialize(slots=st.integers(1, 40), workers=st.integers(1, 12))
    def begin(self, slots: int, workers: int) -> None:
        """So many slots, for so many workers."""
        self.in_flight = InFlight(slots, workers=workers)
        self.most_busy, self.most_returned = max(1, workers // 2), max(1, slots // 2)
        self.busy: list[Delivery] = []
        self.polls: list[int] = []
        self.buffered: list[Delivery] = []
        self.working: list[Delivery] = []
        self.settling = self.received = 0

    @rule(most=st.integers(1, 16))
    def reserve(self, most: int) -> None:
        """A poller wants room."""
        if reserved := self.in_flight.reserve(most, 0):
            assert reserved <= most
            self.polls.append(reserved)

    @precondition(lambda self: self.polls)
    @rule(data=st.data())
    def receive(self, data: st.DataObject) -> None:
        """A poll comes back with as much as it had asked for, or less."""
        reserved = self.polls.pop(data.draw(st.integers(0, len(self.polls) - 1)))
        receipts = data.draw(st.lists(st.integers(1, 2), max_size=reserved))
        arrived = [delivery(CLOCK, replace(received(), dequeue_count=count)) for count in receipts]
        self.received += len(arrived)
        late = self.in_flight.receive(arrived, reserved)
        if self.in_flight.closed:
            assert list(late) == arrived
            self.settling += len(arrived)
        else:
            assert not late
            for each in arrived:
                crowded_out = not each.message.fresh and len(self._with_slot()) >= self.most_returned
                assert each.crowded_out == crowded_out
                self.buffered.append(each)

    @rule()
    def work(self) -> None:
        """A worker wants something to do: the oldest of its kind, and whatever may be worked on."""
        wait_seconds = 0
        found = self.in_flight.next(wait_seconds)
        crowded_out = [each for each in self.buffered if each.crowded_out]
        fresh = [each for each in self.buffered if each.message.fresh]
        returned = [each for each in self.buffered if has_slot(each)]
        may_return = sum(map(has_slot, self.busy)) < self.most_busy
        if found is None:
            assert not fresh
            assert not crowded_out
            assert not returned or not may_return
            return
        assert found is (crowded_out or (fresh if found.message.fresh else returned))[0]
        assert not has_slot(found) or may_return
        self.buffered.remove(found)
        self.working.append(found)
        self.busy.append(found)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        """A worker is done with some deliveries."""
        count = data.draw(st.integers(1, len(self.working)))
        done, self.working = self.working[:count], self.working[count:]
        self.in_flight.worked(done)
        self.settling += count

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def free(self, data: st.DataObject) -> None:
        """A worker is free again, whether what it took has its ending or waits for another worker's repair."""
        self.in_flight.free(self.busy.pop(data.draw(st.integers(0, len(self.busy) - 1))))

    @precondition(lambda self: self.buffered)
    @rule()
    def withdraw(self) -> None:
        """Leases cannot be renewed in time: half of what waits is given back."""
        withdrawn = self.in_flight.withdraw_untouched()
        assert len(withdrawn) == (len(self.buffered) + 1) // 2
        self.settling += len(withdrawn)
        self.buffered = [each for each in self.buffered if each not in withdrawn]

    def _with_slot(self) -> list[Delivery]:
        return [each for each in (*self.buffered, *self.working) if has_slot(each)]

    @precondition(lambda self: self.settling)
    @rule(disposition=st.sampled_from(Disposition))
    def settle(self, disposition: Disposition) -> None:
        """The settler is done with one."""
        self.in_flight.settle(disposition)
        self.settling -= 1

    @rule()
    def close(self) -> None:
        """The process stops."""
        in_order = sorted(self.buffered, key=lambda each: (not each.message.fresh, each.crowded_out))
        assert list(self.in_flight.close()) == in_order
        self.settling += len(self.buffered)
        self.buffered = []

    @invariant()
    def the_books_balance(self) -> None:
        """What was received is settled or in flight, and never more is in flight than there are slots."""
        books = self.in_flight.books()
        assert books.balanced
        assert books.received == self.received
        assert (books.buffered, books.working, books.settling) == (
            *(len(self.buffered), len(self.working), self.settling),
        )
        assert books.in_flight + sum(self.polls) <= self.in_flight.slots
        assert len(self._with_slot()) <= self.most_returned
        assert self.in_flight.wait_until_empty(0) == (not self.polls and not books.in_flight)


TestHand = HandMachine.TestCase
TestHand.settings = settings(max_examples=100, stateful_step_count=40)
