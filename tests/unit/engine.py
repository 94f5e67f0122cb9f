"""The engine's parts around a fake queue, as a test needs them: nothing runs by itself, every step is a call."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from consumer.core.errors import ServiceError
from consumer.core.observers import Hooks
from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.queue_attributes import QueueAttributes
from consumer.engine.backoff import Attempts, Backoff
from consumer.engine.coalescing import Groups
from consumer.engine.context import EngineContext
from consumer.engine.dead_letter import DeadLetterTarget
from consumer.engine.delivery import Delivery
from consumer.engine.history import MessageHistory
from consumer.engine.in_flight import Books, InFlight
from consumer.engine.lease import Lease
from consumer.engine.lease_keeper import LeaseKeeper, LeasePolicy
from consumer.engine.ledger import Ledger
from consumer.engine.parking import Parking
from consumer.engine.poll_board import PollBoard
from consumer.engine.postponement import Postponement
from consumer.engine.renewer import Renewer
from consumer.engine.sender import Copier, Parker
from consumer.engine.settle_policy import Patience, SettlePolicy
from consumer.engine.settle_queue import Action, settle_queues
from consumer.engine.settlement import Settlements
from consumer.engine.settler import Deleter, Hider, Settler
from consumer.engine.undeleted_limit import UndeletedLimit
from tests.unit.fakes import Clock, FakeDeadLetters, FakeQueue, Recorder, instant_heartbeat, middle

POLICY = SettlePolicy(Backoff(40.0, 1_000.0), hold_seconds=900.0, keep_seconds=3_600.0, retry_seconds=1.0)
LEASES = LeasePolicy(lease_seconds=60, max_total_seconds=300.0, retry_seconds=1.0)


@dataclass
class Engine:
    """A queue, what is in flight, a keeper and the settlers on one clock."""

    slots: int = 64
    with_dead_letters: bool = True
    linger_seconds: float = 0.0
    policy: SettlePolicy = POLICY
    max_undeleted: int = 5_000
    park_after_seconds: float = 60.0
    clock: Clock = field(default_factory=Clock)
    recorder: Recorder = field(default_factory=Recorder)
    attempts: Attempts = field(default_factory=Attempts)

    def __post_init__(self) -> None:
        self.queue = FakeQueue(self.clock)
        self.said: list[tuple[str, dict[str, object]]] = []
        """Events of the log, with their fields."""
        self.dead_letters = FakeDeadLetters()
        self.hooks = Hooks((self.recorder,))
        self.in_flight = InFlight(self.slots, workers=2 * self.slots)
        self.settle_queues = settle_queues(self.linger_seconds, monotonic=self.clock)
        self.undeleted = UndeletedLimit(self.max_undeleted)
        self.parking = Parking(
            self.park_after_seconds,
            monotonic=self.clock,
            log_event=lambda event, **fields: self.said.append((event, fields)),
        )
        self.parking.learn(QueueAttributes(30, 345_600, 65_536))
        self.policy = replace(self.policy, dead_letters=self.with_dead_letters)
        self.postponement = Postponement(self.policy, self.parking, self.undeleted, jitter=middle, monotonic=self.clock)
        self.history = MessageHistory(self.attempts)
        self.settlements = Settlements(
            self.settle_queues,
            self.policy,
            Patience(self.policy, self.in_flight, monotonic=self.clock),
            self.postponement,
            self.history,
            Ledger(self.in_flight, self.hooks, monotonic=self.clock, wall_ms=lambda: 1_700_000_000_000),
            monotonic=self.clock,
        )
        self.keeper = LeaseKeeper(LEASES, self.in_flight, self.settlements, jitter=middle, monotonic=self.clock)
        self.groups, self.stopping = Groups(), threading.Event()
        self.board = PollBoard(wall=self.clock)
        self.shared = EngineContext(
            in_flight=self.in_flight,
            settle_queues=self.settle_queues,
            settlements=self.settlements,
            keeper=self.keeper,
            undeleted=self.undeleted,
            parking=self.parking,
            postponement=self.postponement,
            history=self.history,
            groups=self.groups,
            board=self.board,
            hooks=self.hooks,
            stopping=self.stopping,
            jitter=middle,
            monotonic=self.clock,
        )
        heartbeat = instant_heartbeat(self.clock)
        self.renewer = Renewer(self.shared, self.queue, heartbeat)
        self.settlers: dict[Action, Settler] = {
            Action.COPY: Copier(self.shared, self.dead_letters, DeadLetterTarget("the-queue"), heartbeat),
            Action.DELETE: Deleter(self.shared, self.queue, heartbeat),
            Action.HIDE: Hider(self.shared, self.queue, heartbeat),
            Action.PARK: Parker(self.shared, self.queue, heartbeat),
        }

    def receive(self, count: int = 1) -> list[Delivery]:
        """Put so many messages into the queue, receive them, and begin to work on them."""
        for _ in range(count):
            self.queue.put(f"m-{len(self.queue.messages) + len(self.queue.deleted)}")
        return self.poll()

    def poll(self) -> list[Delivery]:
        """Receive what is visible and begin to work on it."""
        reserved = self.in_flight.reserve(16, 0)
        now = self.clock()
        try:
            messages = self.queue.receive(reserved, 0)
        except ServiceError:
            messages = []
        arrived = [
            Delivery(message, Lease(message.message_id, message.receipt_handle, now, message.lease_seconds), now)
            for message in messages
        ]
        self.in_flight.receive(arrived, reserved)
        return [found for _ in arrived if (found := self.in_flight.next(0))]

    def resolve(self, delivery: Delivery, outcome: Outcome | None, *followers: Delivery, **more: object) -> None:
        """Leave an ending to be settled, as a worker does."""
        delivery.ending = Ending(outcome, "reason", **more) if outcome else None  # type: ignore[arg-type]
        delivery.followers = list(followers)
        delivery.resolved_at = self.clock()
        self.settlements.put(delivery)
        for each in (delivery, *followers):
            self.in_flight.free(each)

    def step(self, action: Action | None = None) -> bool:
        """Settle what is due, once, by any settler or by that of one action; whether there was anything."""
        settlers = [self.settlers[action]] if action else self.settlers.values()
        return any(settler.step() for settler in settlers)

    def settle_all(self) -> None:
        """Settle everything that is due now."""
        while self.step():
            pass

    def renew(self) -> None:
        """Renew every lease whose time has come."""
        while self.renewer.step():
            pass

    @property
    def dispositions(self) -> list[Disposition]:
        """What became of each settled delivery, in order."""
        return [report.disposition for report in self.recorder.reports]

    @property
    def books(self) -> Books:
        """The books."""
        return self.in_flight.books()
