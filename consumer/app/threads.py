"""The parts of one process: those that threads share, and how each thread's own are made from them.

It decides nothing about messages; `consumer.app.service` puts the parts together and runs them.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import assert_never

from consumer import __version__
from consumer.aliyun.cloud_config import LONGEST_CALL_SECONDS
from consumer.aliyun.credentials import CredentialsProvider
from consumer.aliyun.kept_credentials import KeptCredentials
from consumer.aliyun.mns.queue import POLL_MARGIN_SECONDS, Queue, QueueAddress
from consumer.announcements.announcer import Announcer, Life
from consumer.announcements.gauges import expose_announcements
from consumer.announcements.intake import Clocks, Intake
from consumer.announcements.publishing import OWNER_SECONDS, Bodies, Publishing
from consumer.announcements.states import StateWatch
from consumer.app.announcing import build_intake, build_writer, open_topic, owners
from consumer.app.build import (
    build_evaluator,
    build_guards,
    build_members,
    build_pipeline,
    build_reevaluation,
    build_store,
    build_switch,
)
from consumer.app.clients import ClientParts, Clients, build_clients, build_retrier
from consumer.app.renewal import LONGEST_QUESTION_SECONDS, CredentialRenewal, RefusedKeys
from consumer.app.status_board import StatusBoard
from consumer.config import Config, build_rules
from consumer.core.observers import Hooks, Listener, StepListener
from consumer.core.queue_attributes import Figures, QueueAttributes
from consumer.engine.backoff import Backoff
from consumer.engine.change import ChangeMaker
from consumer.engine.coalescing import Groups
from consumer.engine.context import EngineContext
from consumer.engine.dead_letter import DeadLetterTarget
from consumer.engine.heartbeat import Heartbeat
from consumer.engine.history import MessageHistory
from consumer.engine.in_flight import InFlight
from consumer.engine.lease_keeper import LeaseKeeper, LeasePolicy
from consumer.engine.ledger import Ledger
from consumer.engine.parking import Parking
from consumer.engine.pipeline import Pipeline
from consumer.engine.poll_board import PollBoard
from consumer.engine.poller import Poller
from consumer.engine.postponement import Postponement
from consumer.engine.queue_depth import QueueWatch, SamplingPolicy, Watched
from consumer.engine.renewer import Renewer
from consumer.engine.sampler import Sampler
from consumer.engine.sender import Copier, Parker
from consumer.engine.settle_policy import Patience, SettlePolicy
from consumer.engine.settle_queue import Action, settle_queues
from consumer.engine.settlement import Settlements
from consumer.engine.settler import Deleter, Hider, Settler
from consumer.engine.supervisor import SupervisedThread
from consumer.engine.undeleted_limit import UndeletedLimit
from consumer.engine.worker import Worker
from consumer.journal.writer import JournalWriter, actor
from consumer.reevaluation.agreement import Concluded
from consumer.telemetry.guard_gauges import expose_guards, expose_reevaluation, expose_store
from consumer.telemetry.journal_gauges import expose_journal
from consumer.telemetry.log import LogListener, get_logger, lines_dropped
from consumer.telemetry.metrics import Metrics, RunningBuild
from consumer.telemetry.queue_gauges import expose_figures, expose_retention
from consumer.telemetry.redaction import SecretRegisteringProvider

_SLACK_SECONDS = 60.0
"""On top of every bound on a thread's silence, for connecting (names included) and for a busy machine."""


class Wiring:
    """The parts that several threads share, and how each thread's own parts are made from them."""

    def __init__(self, config: Config, credentials: CredentialsProvider, log_event: Callable[..., None]) -> None:
        self.config = config
        self.credentials = KeptCredentials(SecretRegisteringProvider(credentials), fetches=False)
        self.log_event = log_event
        self.jitter = random.SystemRandom().uniform
        self.stopping = threading.Event()
        self.rules = build_rules(config)
        self.switch = build_switch(config, get_logger("consumer").warning)
        self.store = build_store(config, get_logger("consumer").warning)
        self.members = build_members(config, self.credentials)
        self.in_flight = InFlight(config.engine.slots, workers=config.engine.workers)
        self.board = PollBoard(log_event=log_event)
        self.undeleted = UndeletedLimit(max(1, config.engine.max_undeleted // config.engine.replicas))
        self.status_board = StatusBoard(config, self.rules, self.board, self.in_flight.books)
        self.metrics = Metrics(
            self.rules,
            slots=config.engine.slots,
            books=self.in_flight.books,
            poll_state=lambda: self.board.state,
            build=RunningBuild(__version__, os.environ.get("REMEDIATOR_REVISION", "")),  # which the image sets
            exposures=self.status_board.exposures,
        )
        self.log = LogListener()
        refused = RefusedKeys((self.credentials, *self.members.values()))
        watchers: tuple[Listener, ...] = (self.metrics, self.log, self.status_board, refused)
        self.evaluator_hooks = Hooks(watchers)  # which must not lead back to the re-evaluation itself
        evaluator = build_evaluator(config, self.credentials, self.evaluator_hooks)
        self.guards = build_guards(config, self.switch, self.store, evaluator)
        heartbeat = self.heartbeat("reevaluation", LONGEST_CALL_SECONDS)
        self.reevaluation = build_reevaluation(config, evaluator, self.stopping, heartbeat, self._concluded)
        self.journal = journal = self._journal()
        step_listeners: tuple[StepListener, ...] = (journal,) if journal else ()
        self.others = [
            self._renewal(),
            *([SupervisedThread(heartbeat, self.reevaluation.run)] if self.reevaluation else []),
        ]
        self.reporters: list[SupervisedThread] = []
        """The threads that may report a settled delivery."""
        observers: tuple[Listener | None, ...] = (*watchers, self.reevaluation, self._announcer())
        self.hooks = Hooks(tuple(observer for observer in observers if observer is not None), step_listeners)
        self.shared = self._shared()
        self.metrics.watch_listeners(lambda: self.hooks.failures + self.evaluator_hooks.failures)
        self.status_board.expose(self.metrics, lambda: self.undeleted.count(time.monotonic()))
        if self.store:
            expose_store(self.metrics, self.store)
        expose_retention(self.metrics, lambda: self.shared.parking.retention_seconds)
        self.metrics.watch_log(lines_dropped)
        expose_guards(self.metrics, self.rules, self.guards, {config.account_id: self.credentials, **self.members})
        if self.reevaluation:
            expose_reevaluation(self.metrics, self.reevaluation)

    def _concluded(self, concluded: Concluded) -> None:
        """The wait for the evaluator's agreement with a fix is over."""
        self.metrics.concluded(concluded)
        self.log.concluded(concluded)

    def _announcer(self) -> Intake | None:
        """What listens for announcements, with the thread that publishes them, if a topic for it is configured."""
        config = self.config
        if not config.announce.topic:
            return None
        topic, clients = open_topic(config, self.credentials, self.evaluator_hooks), self.clients(self.evaluator_hooks)
        longest = config.queue.call_timeout_seconds + OWNER_SECONDS + 2 * config.oss.call_timeout_seconds
        life = Life(self.stopping, self.heartbeat("announcements", longest), self._may_report)
        intake = build_intake(config)
        states = StateWatch(self.switch.held_by, self.guards.breakers.open_rules)
        publishing = Publishing(
            intake.outbox,
            topic,
            Bodies(build_writer(config, actor()), owners(config, clients.open)),
            get_logger("consumer").warning,
            jitter=self.jitter,
        )
        announcer = Announcer(intake, publishing, states, life, pace=config.announce.pace(), clocks=Clocks())
        expose_announcements(self.metrics, intake.outbox)

        def close() -> None:
            topic.close()
            clients.close()

        self.others.append(SupervisedThread(life.heartbeat, announcer.run, close))
        return intake

    def _reporter(self, heartbeat: Heartbeat, loop: Callable[[], None], close: Callable[[], None]) -> SupervisedThread:
        thread = SupervisedThread(heartbeat, loop, close)
        self.reporters.append(thread)
        return thread

    def _may_report(self) -> bool:
        """Whether a delivery may still be reported; the books know of it no more a moment before it is."""
        return self.in_flight.books().in_flight > 0 or any(each.thread.is_alive() for each in self.reporters)

    def shared_problem(self) -> str:
        """Why the store that replicas share cannot be reached; empty if it can, and where nothing is shared."""
        return self.store.problem if self.store else ""

    def _journal(self) -> JournalWriter | None:
        """The journal, if one is wanted."""
        if not self.config.journal.path:
            return None
        journal = JournalWriter.at(Path(self.config.journal.path), get_logger("consumer").warning)
        expose_journal(self.metrics, journal)
        return journal

    def _renewal(self) -> SupervisedThread:
        """The thread that renews our own credentials and those of member accounts, and looks for a pause."""
        heartbeat = self.heartbeat("credentials", LONGEST_QUESTION_SECONDS)
        kept = {self.config.account_id: self.credentials, **self.members}
        renewal = CredentialRenewal(kept, self.stopping, heartbeat, held_by=self.switch.held_by)
        return SupervisedThread(heartbeat, renewal.run)

    def queue(self, name: str, *, call_timeout_seconds: float | None = None) -> Queue:
        """A queue gateway for one thread."""
        settings = self.config.queue
        longest = call_timeout_seconds or settings.call_timeout_seconds
        address = QueueAddress(self.config.mns_endpoint, name, min(settings.connect_timeout_seconds, longest), longest)
        return Queue(address, self.credentials, self.hooks)

    def heartbeat(
        self, name: str, longest_seconds: float, *, monotonic: Callable[[], float] = time.monotonic
    ) -> Heartbeat:
        return Heartbeat(name, longest_seconds + _SLACK_SECONDS, monotonic=monotonic)

    def renewer(self, number: int) -> SupervisedThread:
        # A renewal that nobody answers must leave time for several more before the lease ends.
        longest = min(self.config.queue.call_timeout_seconds, max(1.0, self.config.engine.lease_seconds / 6))
        queue = self.queue(self.config.queue.name, call_timeout_seconds=longest)
        heartbeat = self.heartbeat(f"lease-keeper-{number}", longest)
        return self._reporter(heartbeat, Renewer(self.shared, queue, heartbeat).run, queue.close)

    def poller(self, number: int) -> SupervisedThread:
        queue = self.queue(self.config.queue.name)
        wait_seconds = self.config.queue.wait_seconds
        heartbeat = self.heartbeat(f"poller-{number}", wait_seconds + POLL_MARGIN_SECONDS)
        poller = Poller(self.shared, queue, heartbeat, wait_seconds=wait_seconds, first=number == 1)
        return SupervisedThread(heartbeat, poller.run, queue.close)

    def settler(self, action: Action, number: int, origin: DeadLetterTarget) -> SupervisedThread:
        """A thread that sends one kind of settling request, over a connection of its own."""
        names = self.config.queue
        queue = self.queue(names.dead_letter_queue if action is Action.COPY else names.name)
        heartbeat = self.heartbeat(f"settler-{action.value}-{number}", 2 * names.call_timeout_seconds)
        settler: Settler
        match action:
            case Action.DELETE:
                settler = Deleter(self.shared, queue, heartbeat)
            case Action.HIDE:
                settler = Hider(self.shared, queue, heartbeat)
            case Action.COPY:
                settler = Copier(self.shared, queue, origin, heartbeat)
            case Action.PARK:
                settler = Parker(self.shared, queue, heartbeat)
            case _:
                assert_never(action)
        return self._reporter(heartbeat, settler.run, queue.close)

    def settlers(self, origin: DeadLetterTarget) -> list[SupervisedThread]:
        """The threads of every kind of settling request; none for copies without a dead-letter queue."""
        actions = [action for action in Action if action is not Action.COPY or self.config.queue.dead_letter_queue]
        numbers = range(1, self.config.engine.settlers + 1)
        return [self.settler(action, number, origin) for action in actions for number in numbers]

    def sampler(self, found: Mapping[str, QueueAttributes | None]) -> SupervisedThread:
        """The thread that samples how much the queues hold; `found` has their attributes at the start, by name."""
        settings = self.config.metrics
        watched = [
            Watched(
                self.queue(name),
                dead_letters=name != self.config.queue.name,
                figures=attributes.figures if attributes else Figures(),
                readable=attributes is not None,
                retention_seconds=attributes.retention_seconds if attributes else 0,
            )
            for name, attributes in found.items()
        ]
        heartbeat = self.heartbeat("queue-sampler", self.config.queue.call_timeout_seconds)
        policy = SamplingPolicy(settings.queue_sample_seconds, settings.queue_sample_idle_seconds)
        watch = QueueWatch(watched, self.in_flight.books, policy)
        looked, learn = self.status_board.looked, self.shared.parking.learn
        sampler = Sampler(watch, self.stopping, heartbeat, observe=looked, learn=learn)
        expose_figures(self.metrics, watch.figures, dead_letter_queue=self.config.queue.dead_letter_queue)
        return SupervisedThread(heartbeat, sampler.run)

    def clients(self, hooks: Hooks | None = None) -> Clients:
        """The clients of every kind of resource that the rules are about.

        Their requests are tried again as `[retry]` says, and no more once the process stops.

        Raises:
            ConfigurationError: the packages that a kind needs are not installed.
        """
        hooks = hooks or self.hooks
        retrier = build_retrier(self.config, hooks, self.stopping)
        parts = ClientParts(self.config, self.credentials, self.members, hooks, retrier)
        return build_clients(parts, self.rules)

    def pipeline(self, clients: Clients) -> Pipeline:
        required = self.config.journal.required
        changes = ChangeMaker(self.hooks, journal_required=required, pause=self.stopping.wait)
        return build_pipeline(self.config, self.rules, clients.open, self.guards, changes)

    def worker(self, number: int, pipeline: Pipeline, clients: Clients) -> SupervisedThread:
        engine = self.config.engine
        # A request may begin just before the budget ends, the read-back follows it, and the evaluator may be queried.
        longest = engine.work_budget_seconds + 4 * self.config.oss.call_timeout_seconds + 2 * LONGEST_CALL_SECONDS
        heartbeat = self.heartbeat(f"worker-{number}", longest)
        worker = Worker(self.shared, pipeline, heartbeat, max_attempts=self.config.retry.max_attempts)
        return self._reporter(heartbeat, worker.run, clients.close)

    def _shared(self) -> EngineContext:
        """What the engine's threads share."""
        engine = self.config.engine
        policy, history = _settle_policy(self.config), MessageHistory()
        queues = settle_queues(engine.delete_linger_seconds, threads=engine.settlers)
        parking = Parking(engine.park_after_seconds, log_event=self.log_event)
        postponement = Postponement(policy, parking, self.undeleted, jitter=self.jitter)
        ledger = Ledger(self.in_flight, self.hooks)
        settlements = Settlements(queues, policy, Patience(policy, self.in_flight), postponement, history, ledger)
        leases = LeasePolicy(engine.lease_seconds, engine.max_lease_seconds, threads=engine.lease_threads)
        return EngineContext(
            in_flight=self.in_flight,
            settle_queues=queues,
            settlements=settlements,
            keeper=LeaseKeeper(leases, self.in_flight, settlements, jitter=self.jitter),
            undeleted=self.undeleted,
            parking=parking,
            postponement=postponement,
            history=history,
            groups=Groups(),
            board=self.board,
            hooks=self.hooks,
            stopping=self.stopping,
            jitter=self.jitter,
        )


def _settle_policy(config: Config) -> SettlePolicy:
    retry = config.retry
    return SettlePolicy(
        Backoff(retry.backoff_base_seconds, retry.backoff_cap_seconds),
        hold_seconds=retry.hold_seconds,
        dead_letters=bool(config.queue.dead_letter_queue),
        keep_seconds=retry.keep_seconds,
        max_tries=retry.settle_attempts,
        max_seconds=retry.settle_seconds,
    )
