"""Any order of polls, work, settlements and a close: never more in hand than there are slots, books always balanced."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.core.outcome import Disposition
from consumer.engine.in_flight import InFlight
from tests.unit.fakes import Clock, delivery, received

CLOCK = Clock()


class HandMachine(RuleBasedStateMachine):
    """A hand and a model of what lies in it."""

    @initialize(slots=st.integers(1, 40))
    def begin(self, slots: int) -> None:
        """A hand of some size."""
        self.hand = InFlight(slots)
        self.polls: list[int] = []
        self.buffered: list[object] = []
        self.working = self.settling = self.received = 0

    @rule(most=st.integers(1, 16))
    def reserve(self, most: int) -> None:
        """A poller wants room."""
        if reserved := self.hand.reserve(most, 0):
            assert reserved <= most
            self.polls.append(reserved)

    @precondition(lambda self: self.polls)
    @rule(data=st.data())
    def receive(self, data: st.DataObject) -> None:
        """A poll comes back with as much as it had asked for, or less."""
        reserved = self.polls.pop(data.draw(st.integers(0, len(self.polls) - 1)))
        arrived = [delivery(CLOCK, received()) for _ in range(data.draw(st.integers(0, reserved)))]
        self.received += len(arrived)
        late = self.hand.receive(arrived, reserved)
        if self.hand.closed:
            assert list(late) == arrived
            self.settling += len(arrived)
        else:
            assert not late
            self.buffered += arrived

    @rule()
    def work(self) -> None:
        """A worker wants something to do; the oldest is next."""
        found = self.hand.next(0) if self.buffered or self.hand.closed else None
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
        self.hand.worked(count)
        self.working -= count
        self.settling += count

    @precondition(lambda self: self.settling)
    @rule(disposition=st.sampled_from(Disposition))
    def settle(self, disposition: Disposition) -> None:
        """The settler is done with one."""
        self.hand.settle(disposition)
        self.settling -= 1

    @rule()
    def close(self) -> None:
        """The process stops."""
        assert list(self.hand.close()) == self.buffered
        self.settling += len(self.buffered)
        self.buffered = []

    @invariant()
    def the_books_balance(self) -> None:
        """What was received is settled or in hand, and in hand is never more than there are slots."""
        books = self.hand.books()
        assert books.balanced
        assert books.received == self.received
        assert (books.buffered, books.working, books.settling) == (len(self.buffered), self.working, self.settling)
        assert books.in_flight + sum(self.polls) <= self.hand.slots
        assert self.hand.wait_until_empty(0) == (not self.polls and not books.in_flight)


TestHand = HandMachine.TestCase
TestHand.settings = settings(max_examples=100, stateful_step_count=40)
