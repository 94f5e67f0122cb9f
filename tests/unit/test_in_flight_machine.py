"""Any order of polls, work, settlements and a close: never more than there are slots, books always balanced."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.core.outcome import Disposition
from consumer.engine.in_flight import InFlight
from tests.unit.fakes import Clock, delivery, received

CLOCK = Clock()


class HandMachine(RuleBasedStateMachine):
    """What is in flight, and a model of it."""

    @initialize(slots=st.integers(1, 40))
    def begin(self, slots: int) -> None:
        """So many slots."""
        self.in_flight = InFlight(slots)
        self.polls: list[int] = []
        self.buffered: list[object] = []
        self.working = self.settling = self.received = 0

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
        arrived = [delivery(CLOCK, received()) for _ in range(data.draw(st.integers(0, reserved)))]
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
        """A worker wants something to do; the oldest is next."""
        found = self.in_flight.next(0) if self.buffered or self.in_flight.closed else None
        if self.buffered:
            assert found is self.buffered.pop(0)
            self.working += 1
        else:
            assert found is None

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        """A worker is done with some deliveries."""
        count = data.draw(st.integers(1, self.working))
        self.in_flight.worked(count)
        self.working -= count
        self.settling += count

    @precondition(lambda self: self.settling)
    @rule(disposition=st.sampled_from(Disposition))
    def settle(self, disposition: Disposition) -> None:
        """The settler is done with one."""
        self.in_flight.settle(disposition)
        self.settling -= 1

    @rule()
    def close(self) -> None:
        """The process stops."""
        assert list(self.in_flight.close()) == self.buffered
        self.settling += len(self.buffered)
        self.buffered = []

    @invariant()
    def the_books_balance(self) -> None:
        """What was received is settled or in flight, and never more is in flight than there are slots."""
        books = self.in_flight.books()
        assert books.balanced
        assert books.received == self.received
        assert (books.buffered, books.working, books.settling) == (len(self.buffered), self.working, self.settling)
        assert books.in_flight + sum(self.polls) <= self.in_flight.slots
        assert self.in_flight.wait_until_empty(0) == (not self.polls and not books.in_flight)


TestHand = HandMachine.TestCase
TestHand.settings = settings(max_examples=100, stateful_step_count=40)
