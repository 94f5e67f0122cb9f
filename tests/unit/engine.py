"""The engine's parts around a fake queue, as a test needs them: nothing runs by itself, every step is a call."""

from __future__ import annotations

from dataclasses import dataclass, field

from consumer.core.errors import ServiceError
from consumer.core.observers import Hooks
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.engine.backoff import Attempts, Backoff
from consumer.engine.dead_letter import Origin
from consumer.engine.delivery import Delivery
from consumer.engine.in_flight import Books, Hand
from consumer.engine.lease import Lease, LeaseKeeper, LeasePolicy
from consumer.engine.resolved import Resolved
from consumer.engine.settle_queue import Outbox
from consumer.engine.settler import Settlements, SettlePolicy, Settler
from consumer.engine.undeleted_limit import ConsumptionLimit
from tests.unit.fakes import Clock, FakeDeadLetters, FakeQueue, Recorder, instant_pulse, middle

POLICY = SettlePolicy(Backoff(40.0, 1_000.0), hold_seconds=900.0, keep_seconds=3_600.0, retry_seconds=1.0)
LEASES = LeasePolicy(lease_seconds=60, max_total_seconds=300.0, retry_seconds=1.0)


@dataclass
class Engine:
    """A queue, a hand, a keeper and a settler on one clock."""

    slots: int = 64
    with_dead_letters: bool = True
    linger_seconds: float = 0.0
    clock: Clock = field(default_factory=Clock)
    recorder: Recorder = field(default_factory=Recorder)
    attempts: Attempts = field(default_factory=Attempts)

    def __post_init__(self) -> None:
        self.queue = FakeQueue(self.clock)
        self.dead_letters = FakeDeadLetters()
        self.hooks = Hooks((self.recorder,))
        self.hand = Hand(self.slots, monotonic=self.clock)
        self.outbox = Outbox(self.linger_seconds, monotonic=self.clock)
        self.consumption = ConsumptionLimit(5_000)
        pulse = instant_pulse(self.clock)
        self.keeper = LeaseKeeper(self.queue, LEASES, self.hooks, pulse, jitter=middle, monotonic=self.clock)
        self.settlements = Settlements(
            self.outbox, self.hand, POLICY, dead_letters=self.with_dead_letters, jitter=middle
        )
        self.settler = Settler(
            self.queue,
            self.dead_letters if self.with_dead_letters else None,
            self.settlements,
            self.outbox,
            self.hand,
            self.attempts,
            self.consumption,
            POLICY,
            Origin("the-queue"),
            self.hooks,
            pulse,
            monotonic=self.clock,
            wall_ms=lambda: 1_700_000_000_000,
        )

    def receive(self, count: int = 1) -> list[Delivery]:
        """Put so many messages into the queue, receive them, and begin to work on them."""
        for _ in range(count):
            self.queue.put(f"m-{len(self.queue.messages) + len(self.queue.deleted)}")
        return self.poll()

    def poll(self) -> list[Delivery]:
        """Receive what is visible and begin to work on it."""
        reserved = self.hand.reserve(16, 0)
        now = self.clock()
        try:
            messages = self.queue.receive(reserved, 0)
        except ServiceError:
            messages = []
        arrived = [
            Delivery(message, Lease(message.message_id, message.receipt_handle, now, message.lease_seconds), now)
            for message in messages
        ]
        self.hand.receive(arrived, reserved)
        return [found for _ in arrived if (found := self.hand.next(0))]

    def resolve(self, delivery: Delivery, outcome: Outcome | None, *followers: Delivery, **more: object) -> None:
        """Hand over an ending, as a worker does."""
        following = tuple(Resolved(follower, None) for follower in followers)
        ending = Ending(outcome, "reason", **more) if outcome else None  # type: ignore[arg-type]
        self.settlements.put(Resolved(delivery, ending, followers=following, resolved_at=self.clock()))

    def step(self) -> bool:
        """Settle what is due, once; whether there was anything."""
        jobs = self.outbox.take(0)
        if jobs:
            self.settler.settle(jobs)
        return bool(jobs)

    def settle_all(self) -> None:
        """Settle everything that is due now."""
        while self.step():
            pass

    @property
    def dispositions(self) -> list[Disposition]:
        """What became of each settled delivery, in order."""
        return [report.disposition for report in self.recorder.reports]

    @property
    def books(self) -> Books:
        """The hand's books."""
        return self.hand.books()
