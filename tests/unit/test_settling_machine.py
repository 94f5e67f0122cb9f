"""Receives, renewals, endings and settlements in any order, over a queue that fails and loses replies."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.core.errors import MessageGone, NotAuthenticated, PermissionMissing, ServiceError, Throttled, Unanswered
from consumer.core.outcome import SETTLED_BY, Disposition, Outcome, Settlement
from consumer.engine.delivery import Delivery
from consumer.engine.lease import LeaseState
from tests.unit.engine import LEASES, Engine
from tests.unit.fakes import service_error

errors = st.sampled_from([Throttled, Unanswered, NotAuthenticated, PermissionMissing, MessageGone]).map(service_error)
endings = (
    st.sampled_from(Settlement).flatmap(
        lambda by: st.sampled_from([outcome for outcome in Outcome if SETTLED_BY[outcome] is by])
    )
    | st.none()
)


class SettlingMachine(RuleBasedStateMachine):
    """One replica's keeper and settler, stepped by hand, and what may become of its messages."""

    @initialize(with_dead_letters=st.booleans())
    def begin(self, with_dead_letters: bool) -> None:
        """An engine with or without a dead-letter queue."""
        self.engine = Engine(slots=40, with_dead_letters=with_dead_letters, linger_seconds=0.5)
        self.working: list[Delivery] = []
        self.all: list[Delivery] = []
        self.endings: dict[int, Outcome | None] = {}
        self.leaders: dict[int, Delivery] = {}
        """By follower."""
        self.sent = 0

    @rule(count=st.integers(1, 5))
    def arrive(self, count: int) -> None:
        """Cloud Config publishes, and a poll brings it."""
        for _ in range(count):
            self.sent += 1
            self.engine.queue.put(f"m-{self.sent}")
        self.receive()

    @rule()
    def receive(self) -> None:
        """A poll brings what is visible, redeliveries included."""
        arrived = self.engine.poll() if self.engine.in_flight.books().in_flight <= 24 else []
        for delivery in arrived:
            self.engine.keeper.keep(delivery.lease)
        self.working += arrived
        self.all += arrived

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 13.0, 29.0, 70.0]))
    def let_time_pass(self, seconds: float) -> None:
        """The clock moves, and nobody renews meanwhile: a stall."""
        self.engine.clock.advance(seconds)

    @rule(steps=st.integers(1, 60))
    def work_on(self, steps: int) -> None:
        """Time passes while the keeper does its duty."""
        for _ in range(steps):
            self.engine.clock.advance(1.0)
            self.renew()

    @rule()
    def renew(self) -> None:
        """Every lease whose time has come."""
        self.engine.renew()

    @precondition(lambda self: self.working)
    @rule(data=st.data(), outcome=endings)
    def resolve(self, data: st.DataObject, outcome: Outcome | None) -> None:
        """A worker has an ending for one delivery, and maybe followers of it."""
        leader = self.working.pop(data.draw(st.integers(0, len(self.working) - 1)))
        count = data.draw(st.integers(0, min(3, len(self.working))))
        followers, self.working = self.working[:count], self.working[count:]
        self.endings[id(leader)] = outcome
        self.leaders.update((id(follower), leader) for follower in followers)
        if outcome is None:
            for follower in followers:
                self.engine.resolve(follower, None)
                del self.leaders[id(follower)]
                self.endings[id(follower)] = None
            followers = []
        self.engine.resolve(leader, outcome, *followers)

    @precondition(lambda self: self.working)
    @rule(outcome=endings, failing=errors | st.none(), lost_reply=st.booleans(), stall=st.sampled_from([1.0, 31.0]))
    def finish(self, outcome: Outcome | None, failing: ServiceError | None, lost_reply: bool, stall: float) -> None:
        """Everything in work ends at once, and its first settlement meets a stall or a failing queue."""
        for delivery in self.working:
            self.endings[id(delivery)] = outcome
            self.engine.resolve(delivery, outcome)
        self.working = []
        self.engine.clock.advance(stall)
        if failing is not None:
            copied = outcome is not None and SETTLED_BY[outcome] is Settlement.DEAD_LETTER
            (self.fail_next_copy if copied else self.fail_next)(failing, lost_reply)
            if outcome is not None and SETTLED_BY[outcome] is Settlement.HOLD:
                self.fail_next_park(failing, lost_reply)
        for _ in range(3):
            self.settle()

    @rule()
    def settle(self) -> None:
        """The settler takes one batch."""
        before = dict.fromkeys(self.engine.queue.messages)
        self.engine.step()
        self._check_deletions(set(before) - set(self.engine.queue.messages))

    @rule(error=errors, lost_reply=st.booleans())
    def fail_next(self, error: ServiceError, lost_reply: bool) -> None:
        """The queue fails the next request, before or after it took effect."""
        queue = self.engine.queue
        queue.before.append(None if lost_reply else error)
        queue.after.append(error if lost_reply else None)

    @rule(error=errors, lost_reply=st.booleans())
    def fail_next_copy(self, error: ServiceError, lost_reply: bool) -> None:
        """The dead-letter queue fails the next request."""
        dead = self.engine.dead_letters
        (dead.after if lost_reply else dead.before).append(error)

    @rule(error=errors, lost_reply=st.booleans())
    def fail_next_park(self, error: ServiceError, lost_reply: bool) -> None:
        """The queue fails the next message that is sent to it."""
        queue = self.engine.queue
        (queue.after_send if lost_reply else queue.before_send).append(error)

    def _check_deletions(self, gone: set[str]) -> None:
        """Whatever left the queue had an ending that deletes, was copied or parked, or followed what is kept."""
        copied = self.copies
        for message_id in gone:
            receipts = [delivery for delivery in self.all if delivery.message_id == message_id]
            assert any(self._may_delete(delivery, copied) for delivery in receipts), message_id

    @property
    def copies(self) -> str:
        """Every copy that is in the dead-letter queue."""
        return "".join(self.engine.dead_letters.bodies)

    def _may_delete(self, delivery: Delivery, copied: str) -> bool:
        if leader := self.leaders.get(id(delivery)):
            settled = [
                report.disposition
                for report in self.engine.recorder.reports
                if report.message is leader.message and report.disposition is not Disposition.LEASE_LOST
            ]
            return bool(settled) and leader.message_id != delivery.message_id
        outcome = self.endings.get(id(delivery))
        settlement = SETTLED_BY[outcome] if outcome else Settlement.NOTHING
        dead_lettered = settlement is Settlement.DEAD_LETTER and f'"message_id":"{delivery.message_id}"' in copied
        kept = settlement in (Settlement.HOLD, Settlement.BACK_OFF, Settlement.DEAD_LETTER)
        parked = kept and (delivery.message.origin_id, delivery.message.receipts) in self.engine.queue.origins
        return settlement is Settlement.DELETE or dead_lettered or parked

    @invariant()
    def books_balance(self) -> None:
        """received = settled + in flight, after every step."""
        books = self.engine.books
        assert books.balanced
        assert books.received == len(self.all)
        assert sum(books.settled.values()) == len(self.engine.recorder.reports)

    @invariant()
    def no_replaced_handle_is_ever_sent_for_deletion(self) -> None:
        """What our own confirmed renewal replaced is never used again."""
        assert not self.engine.queue.stale_deletes

    @invariant()
    def nothing_is_kept_beyond_its_total(self) -> None:
        """No lease reaches further than its cap, counted from the receive."""
        for delivery in self.all:
            longest = max(LEASES.max_total_seconds, delivery.message.lease_seconds)
            assert delivery.lease.expires_at <= delivery.lease.taken_at + longest

    @invariant()
    def a_lost_lease_is_never_a_success(self) -> None:
        """A report of deletion is one that the queue confirmed; a lost one is reported as lost, with that outcome."""
        for report in self.engine.recorder.reports:
            if report.disposition in (Disposition.DELETED, Disposition.DEAD_LETTERED, Disposition.PARKED):
                assert report.message.message_id in self.engine.queue.deleted
                assert report.message.message_id not in self.engine.queue.messages
            if report.disposition is Disposition.DEAD_LETTERED:
                assert f'"message_id":"{report.message.message_id}"' in self.copies
            if report.disposition is Disposition.PARKED:
                assert report.parked_as in dict(self.engine.queue.sent)
            assert (report.outcome is Outcome.LEASE_LOST) == (report.disposition is Disposition.LEASE_LOST)

    @invariant()
    def settled_leases_are_over(self) -> None:
        """Nothing that was settled is renewed again."""
        settled = {id(report.message) for report in self.engine.recorder.reports}
        for delivery in self.all:
            if id(delivery.message) in settled:
                assert delivery.lease.state is not LeaseState.HELD

    def teardown(self) -> None:
        """Left alone, everything that was resolved is settled within its lease: nothing stays in flight for ever."""
        if not hasattr(self, "engine"):
            return
        for delivery in self.working:
            self.endings[id(delivery)] = None
            self.engine.resolve(delivery, None)
        for _ in range(int(LEASES.max_total_seconds) + 60):
            self.settle()
            self.renew()
            self.engine.clock.advance(1.0)
            self.books_balance()
        assert self.engine.books.in_flight == 0


TestSettling = SettlingMachine.TestCase
TestSettling.settings = settings(max_examples=120, stateful_step_count=50)
