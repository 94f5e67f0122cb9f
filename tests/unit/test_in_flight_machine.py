"""Any order of polls, work, settlements and a close: never more than there are slots, books always balanced.

And of those that come back never more in work than half of the workers, while no fresh one waits for a worker.
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


class HandMachine(RuleBasedStateMachine):
    """What is in flight, and a model of it."""

    @initialize(slots=st.integers(1, 40), workers=st.integers(1, 12))
    def begin(self, slots: int, workers: int) -> None:
        """So many slots, for so many workers."""
        self.in_flight = InFlight(slots, workers=workers)
        self.most_returned = max(1, workers // 2)
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
            self.buffered += arrived

    @rule()
    def work(self) -> None:
        """A worker wants something to do: the oldest of its kind, and whatever may be worked on."""
        wait_seconds = 0
        found = self.in_flight.next(wait_seconds)
        fresh = [each for each in self.buffered if each.message.fresh]
        returned = [each for each in self.buffered if not each.message.fresh]
        may_return = self._returned_in_work() < self.most_returned
        if found is None:
            assert not fresh
            assert not returned or not may_return
            return
        assert found is (fresh if found.message.fresh else returned)[0]
        assert found.message.fresh or may_return
        self.buffered.remove(found)
        self.working.append(found)

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        """A worker is done with some deliveries."""
        count = data.draw(st.integers(1, len(self.working)))
        done, self.working = self.working[:count], self.working[count:]
        self.in_flight.worked(done)
        self.settling += count

    def _returned_in_work(self) -> int:
        return sum(1 for each in self.working if not each.message.fresh)

    @precondition(lambda self: self.settling)
    @rule(disposition=st.sampled_from(Disposition))
    def settle(self, disposition: Disposition) -> None:
        """The settler is done with one."""
        self.in_flight.settle(disposition)
        self.settling -= 1

    @rule()
    def close(self) -> None:
        """The process stops."""
        in_order = sorted(self.buffered, key=lambda each: not each.message.fresh)
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
        assert self.in_flight.wait_until_empty(0) == (not self.polls and not books.in_flight)


TestHand = HandMachine.TestCase
TestHand.settings = settings(max_examples=100, stateful_step_count=40)
