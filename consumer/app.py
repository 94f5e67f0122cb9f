"""Wires the service together: from a configuration to running threads, and back to an exit status.

The only module that knows every part. It decides nothing about messages.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consumer import __version__
from consumer.backoff import Attempts, Backoff
from consumer.bucket import Bucket, Resource
from consumer.coalesce import Cases
from consumer.config import Config, build_exemptions, build_rules
from consumer.consumption import ConsumptionLimit
from consumer.credentials import CredentialsProvider, MemberCredentials, MemberRole
from consumer.dead_letter import Origin
from consumer.endpoints import Endpoints
from consumer.exit_codes import ExitCode
from consumer.guard import Guards
from consumer.guards.contest import LocalContest
from consumer.guards.limits import Limits
from consumer.hand import Hand
from consumer.hooks import Hooks, Listener
from consumer.lease import LeaseKeeper, LeasePolicy
from consumer.oss import Oss, OssSettings
from consumer.outbox import Outbox
from consumer.pause import PauseSwitch
from consumer.pipeline import Pipeline
from consumer.poll import PollBoard, Poller
from consumer.pulse import Pulse
from consumer.queue import POLL_MARGIN_SECONDS, Queue, QueueAddress
from consumer.queue_limits import MAX_MESSAGE_BYTES
from consumer.retry import Retrier, RetryPolicy
from consumer.settle import Settlements, SettlePolicy, Settler
from consumer.startup import inspect_queue
from consumer.supervise import Engine, Supervisor, Thread
from consumer.telemetry.guards import expose_guards
from consumer.telemetry.health import HealthServer
from consumer.telemetry.log import LogListener, get_logger
from consumer.telemetry.metrics import Metrics
from consumer.telemetry.redact import Discreet
from consumer.worker import Worker

_SLACK_SECONDS = 60.0
"""On top of every bound on a thread's silence: name resolution and a busy machine are not a fault."""


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that runs, ready to be started."""

    supervisor: Supervisor
    health: HealthServer | None
    metrics: Metrics
    switch: PauseSwitch
    guards: Guards

    def pause(self) -> None:
        """Stop changes, and nothing else; callable from a signal handler."""
        self.switch.pause()

    def resume(self) -> None:
        """Let changes go on, also those that breakers and contests hold back; callable from a signal handler."""
        self.switch.resume()
        self.guards.release()

    def run(self) -> ExitCode:
        """Serve until the stop; returns the exit status."""
        if self.health is not None:
            self.health.start()
        try:
            return self.supervisor.run()
        finally:
            if self.health is not None:
                self.health.close()


class _Wiring:
    """The parts that several threads share, and how each thread's own parts are made from them."""

    def __init__(self, config: Config, credentials: CredentialsProvider, say: Callable[..., None]) -> None:
        self.config = config
        self.credentials = credentials
        self.say = say
        self.jitter = random.SystemRandom().uniform
        self.stopping = threading.Event()
        self.rules = build_rules(config)
        self.switch = PauseSwitch(
            enabled=config.pause.enabled, file=Path(config.pause.file) if config.pause.file else None
        )
        self.guards = self._guards()
        self.members = self._members()
        self.hand = Hand(config.engine.slots)
        self.board = PollBoard()
        self.outbox = Outbox(config.engine.delete_linger_seconds)
        self.attempts = Attempts()
        self.consumption = ConsumptionLimit(config.engine.max_undeleted)
        self.policy = _settle_policy(config)
        self.settlements = Settlements(
            self.outbox,
            self.hand,
            self.policy,
            dead_letters=bool(config.queue.dead_letter_queue),
            jitter=self.jitter,
        )
        self.metrics = Metrics(
            self.rules,
            slots=config.engine.slots,
            books=self.hand.books,
            poll_state=lambda: self.board.state,
            version=__version__,
        )
        listeners: tuple[Listener, ...] = (self.metrics, LogListener())
        self.hooks = Hooks(listeners)
        self.metrics.watch_listeners(lambda: self.hooks.failures)
        expose_guards(self.metrics, self.rules, self.guards, self.members)

    def _guards(self) -> Guards:
        config = self.config
        limits = {rule.name: rule.limit for rule in self.rules if rule.limit}
        return Guards(
            exemptions=build_exemptions(config),
            limits=Limits(config.limits.build(), limits),
            breaker=config.breaker.build(),
            contest=LocalContest(config.contest.build()),
            held_by=self.switch.held_by,
        )

    def _members(self) -> dict[str, MemberCredentials]:
        """How to sign for each account that is allowed besides our own."""
        settings = self.config.accounts
        roles = [
            MemberRole(
                account, settings.role_name, settings.session_name, settings.duration_seconds, settings.sts_endpoint
            )
            for account in settings.allowed
            if account != self.config.account_id
        ]
        return {role.account_id: MemberCredentials(role, self.credentials) for role in roles}

    def queue(self, name: str) -> Queue:
        """A queue gateway for one thread."""
        settings = self.config.queue
        address = QueueAddress(
            self.config.mns_endpoint, name, settings.connect_timeout_seconds, settings.call_timeout_seconds
        )
        return Queue(address, self.credentials, self.hooks)

    def pulse(self, name: str, longest_seconds: float) -> Pulse:
        return Pulse(name, longest_seconds + _SLACK_SECONDS)

    def keeper(self) -> tuple[LeaseKeeper, Thread]:
        queue = self.queue(self.config.queue.name)
        engine = self.config.engine
        pulse = self.pulse("lease-keeper", self.config.queue.call_timeout_seconds)
        policy = LeasePolicy(engine.lease_seconds, engine.max_lease_seconds)
        keeper = LeaseKeeper(queue, policy, self.hooks, pulse, jitter=self.jitter)
        return keeper, Thread(pulse, keeper.run, queue.close)

    def poller(self, number: int, keeper: LeaseKeeper) -> Thread:
        queue = self.queue(self.config.queue.name)
        pulse = self.pulse(f"poller-{number}", self.config.queue.wait_seconds + POLL_MARGIN_SECONDS)
        poller = Poller(
            queue,
            self.hand,
            keeper,
            self.settlements,
            self.consumption,
            self.board,
            self.stopping,
            pulse,
            wait_seconds=self.config.queue.wait_seconds,
            first=number == 1,
            jitter=self.jitter,
        )
        return Thread(pulse, poller.run, queue.close)

    def settler(self, number: int, origin: Origin) -> tuple[Settler, Thread]:
        queue = self.queue(self.config.queue.name)
        name = self.config.queue.dead_letter_queue
        dead_letters = self.queue(name) if name else None
        pulse = self.pulse(f"settler-{number}", 2 * self.config.queue.call_timeout_seconds)
        settler = Settler(
            queue,
            dead_letters,
            self.settlements,
            self.outbox,
            self.hand,
            self.attempts,
            self.consumption,
            self.policy,
            origin,
            self.hooks,
            pulse,
        )

        def close() -> None:
            queue.close()
            if dead_letters is not None:
                dead_letters.close()

        return settler, Thread(pulse, settler.run, close)

    def oss(self) -> Oss:
        settings = self.config.oss
        return Oss(
            OssSettings(
                Endpoints(settings.endpoints, settings.internal),
                settings.connect_timeout_seconds,
                settings.call_timeout_seconds,
            ),
            self.credentials,
            self.hooks,
            members={account: Discreet(member) for account, member in self.members.items()},
        )

    def pipeline(self, oss: Oss) -> Pipeline:
        config = self.config
        policy = RetryPolicy(
            config.retry.request_attempts, config.retry.request_base_seconds, config.retry.request_cap_seconds
        )
        retrier = Retrier(policy, self.hooks, self.stopping)

        def open_bucket(resource: Resource, until: float) -> Bucket:
            return oss.open(resource, retrier, until)

        return Pipeline(
            self.rules,
            open_bucket,
            account_id=config.account_id,
            default_region=config.oss.default_region or config.queue.region,
            work_budget_seconds=config.engine.work_budget_seconds,
            guards=self.guards,
            member_accounts=self.members,
        )

    def worker(self, number: int, pipeline: Pipeline, cases: Cases, oss: Oss) -> Thread:
        engine = self.config.engine
        # A request may begin just before the budget ends, and the read-back still follows it.
        pulse = self.pulse(f"worker-{number}", engine.work_budget_seconds + 4 * self.config.oss.call_timeout_seconds)
        worker = Worker(
            self.hand,
            pipeline,
            cases,
            self.settlements,
            self.attempts,
            self.stopping,
            pulse,
            max_attempts=self.config.retry.max_attempts,
        )
        return Thread(pulse, worker.run, oss.close)


def build(config: Config, credentials: CredentialsProvider) -> Service:
    """The service that a configuration describes, after a look at its queues.

    Raises:
        StartupError: a queue cannot be used; the text names the key to change.
        ConfigurationError: the health port cannot be opened.
    """
    say = get_logger("consumer").info
    wiring = _Wiring(config, credentials, say)
    engine = _engine(wiring, _origin(wiring))
    supervisor = Supervisor(engine, config.engine.shutdown_grace_seconds, say)
    return Service(supervisor, _health(wiring, supervisor), wiring.metrics, wiring.switch, wiring.guards)


def _origin(wiring: _Wiring) -> Origin:
    """What dead letters say about where they come from, and how large they may be."""
    settings = wiring.config.queue
    queue = wiring.queue(settings.name)
    inspect_queue(queue, wiring.config, "queue.name", wiring.say)
    queue.close()
    limit = MAX_MESSAGE_BYTES
    if settings.dead_letter_queue:
        dead_letters = wiring.queue(settings.dead_letter_queue)
        found = inspect_queue(dead_letters, wiring.config, "queue.dead_letter_queue", wiring.say)
        dead_letters.close()
        limit = found.max_message_bytes if found else limit
    return Origin(settings.name, limit)


def _engine(wiring: _Wiring, origin: Origin) -> Engine:
    config = wiring.config.engine
    keeper, keeper_thread = wiring.keeper()
    settlers = [wiring.settler(number, origin) for number in range(1, config.settlers + 1)]
    oss, cases = wiring.oss(), Cases()
    pipeline = wiring.pipeline(oss)
    return Engine(
        pollers=[wiring.poller(number, keeper) for number in range(1, config.pollers + 1)],
        workers=[wiring.worker(number, pipeline, cases, oss) for number in range(1, config.workers + 1)],
        settlers=[thread for _, thread in settlers],
        keeper=keeper_thread,
        hand=wiring.hand,
        outbox=wiring.outbox,
        settlements=wiring.settlements,
        board=wiring.board,
        lease_keeper=keeper,
        settler_loops=[settler for settler, _ in settlers],
        stopping=wiring.stopping,
    )


def _health(wiring: _Wiring, supervisor: Supervisor) -> HealthServer | None:
    settings = wiring.config.http
    if not settings.enabled:
        return None

    def ready() -> str:
        """Ready means: valid configuration (or we would not run), last poll good, not stopping."""
        if supervisor.stopping:
            return "stopping"
        state = wiring.board.state
        if state.last_error is not None:
            return f"last poll failed: {state.last_error.code}"
        return "" if state.last_success_at is not None else "no poll has succeeded yet"

    return HealthServer(settings.host, settings.port, wiring.metrics.registry, live=supervisor.fault, ready=ready)


def _settle_policy(config: Config) -> SettlePolicy:
    retry = config.retry
    return SettlePolicy(
        Backoff(retry.backoff_base_seconds, retry.backoff_cap_seconds),
        hold_seconds=retry.hold_seconds,
        keep_seconds=retry.keep_seconds,
    )
