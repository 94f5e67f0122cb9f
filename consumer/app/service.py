"""Puts the service together: from a configuration to running threads, and back to an exit status.

It decides nothing about messages; the parts themselves are made in `consumer.app.threads`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

from prometheus_client import ProcessCollector

from consumer import __version__
from consumer.aliyun.credentials import CredentialsProvider
from consumer.app.prerequisites import Found, Prerequisites
from consumer.app.readiness import Readiness
from consumer.app.renewal import LONGEST_QUESTION_SECONDS
from consumer.app.startup import Startup
from consumer.app.status import StatusSource
from consumer.app.threads import Wiring
from consumer.config import Config
from consumer.core.exit_codes import ExitCode
from consumer.core.queue_limits import MAX_MESSAGE_BYTES
from consumer.engine.dead_letter import DeadLetterTarget
from consumer.engine.stop_request import StopRequest
from consumer.engine.supervisor import Engine, Supervisor
from consumer.telemetry import status_page
from consumer.telemetry.http_server import HealthServer
from consumer.telemetry.log import get_logger

_WARNINGS = frozenset({"parking.interrupted", "startup.parking_not_permitted"})
"""Of what the service says of itself, what wants somebody to act."""


class Service:
    """Everything that runs, ready to be started."""

    def __init__(
        self, wiring: Wiring, *, monotonic: Callable[[], float], pause: Callable[[float], object] | None = None
    ) -> None:
        """Open the health port. `pause` waits before a start is tried again; without it, also for a stop.

        Raises:
            ConfigurationError: it cannot be listened on.
        """
        self._wiring = wiring
        self._stop = StopRequest()
        self._supervisor: Supervisor | None = None
        self.metrics = wiring.metrics
        self.switch = wiring.switch
        self.guards = wiring.guards
        self._startup = Startup(
            Prerequisites(wiring.config, wiring.credentials, wiring.queue, wiring.log_event),
            wiring.log_event,
            wiring.heartbeat("startup", LONGEST_QUESTION_SECONDS, monotonic=monotonic),
            stopping=lambda: bool(self._stop),
            pause=pause or self._stop.within,
            jitter=wiring.jitter,
            monotonic=monotonic,
        )
        self._ready = Readiness(
            lambda: self.stopping, wiring.board, wiring.status_board.settlements, wiring.shared_problem
        )
        self.health = self._health_server(round(time.time() * 1_000)) if wiring.config.http.enabled else None

    def _health_server(self, started_at_ms: int) -> HealthServer:
        wiring, http = self._wiring, self._wiring.config.http
        status = StatusSource(
            wiring.config,
            wiring.rules,
            wiring.status_board,
            wiring.guards,
            wiring.in_flight.books,
            alive=self.fault,
            ready=self.not_ready,
            troubles=self._troubles,
            started_at_ms=started_at_ms,
        )
        draw = (lambda: status_page.response(status())) if http.status_page else None
        registry = wiring.metrics.registry
        ProcessCollector(registry=registry)
        return HealthServer(http.host, http.port, registry, live=self.fault, ready=self.not_ready, draw=draw)

    def _troubles(self) -> Iterator[str]:
        """What keeps work from flowing without this process being unready for it."""
        wiring = self._wiring
        if wiring.journal and wiring.journal.trouble and not wiring.config.journal.required:
            yield wiring.journal.trouble
        if self._supervisor is not None and wiring.shared.parking.retention_seconds is None:
            yield "how long the queue keeps a message is not known, so what waits comes back twice a minute"
        if reason := wiring.board.paused_for:
            yield f"less is received than there is, by its own decision: {reason}"

    def pause(self) -> None:
        """Stop changes, and nothing else; callable from any thread."""
        self.switch.pause()

    def resume(self) -> None:
        """Let changes go on, also those that breakers and contests hold back; callable from any thread."""
        self.switch.resume()
        self.guards.release()

    def stop(self) -> None:
        """Request a stop in good order; callable from any thread."""
        self._stop.make()

    @property
    def stopping(self) -> bool:
        """Whether a stop was requested."""
        return bool(self._stop)

    def fault(self) -> str:
        """Which thread is dead or has fallen silent, or nothing: the liveness of the process."""
        return self._supervisor.fault() if self._supervisor else self._startup.overdue()

    def not_ready(self) -> str:
        """Why it is not ready, or nothing: it has started, the last poll was good, and it is not stopping.

        Called every few seconds on a cluster, so a pause by a file is noticed here before the threads have started.
        """
        self.switch.held_by()
        if self._supervisor is None and not self.stopping:
            return self._startup.reason()
        return self._ready() or self._not_journaled()

    def _not_journaled(self) -> str:
        wiring = self._wiring
        return wiring.journal.trouble if wiring.journal and wiring.config.journal.required else ""

    def run(self) -> ExitCode:
        """Start, however long that takes, and serve until the stop; returns the exit status.

        Raises:
            StartupError: a queue cannot be used; the text names the key to change.
            ConfigurationError: there are no credentials, or their source refuses to give any.
        """
        if self.health is not None:
            self.health.start()
        try:
            found = self._startup.wait(self._wiring.config.engine.startup_wait_seconds)
            return ExitCode.DRAINED if found is None else self._supervised(found).run()
        finally:
            if self.health is not None:
                self.health.close()

    def _supervised(self, found: Found) -> Supervisor:
        """The engine with its supervisor, not started yet."""
        wiring, config = self._wiring, self._wiring.config
        if wiring.journal:
            wiring.journal.opened(wiring.credentials.get_credentials().access_key_id)
        if wiring.store:
            wiring.guards.changes_in_window()  # so that a store that is restarted before our first change is noticed
        engine = _engine(wiring, _origin(config, found), found)
        supervisor = Supervisor(engine, config.engine.shutdown_grace_seconds, wiring.log_event, stop_request=self._stop)
        # What exists now lives as long as the process. Kept away from the collector, which then walks over what
        # messages need, and more seldom: hardly anything is a cycle, and the default looks for one every 700 objects.
        gc.freeze()
        gc.set_threshold(10_000)
        wiring.log_event("service.started", version=__version__, queue=config.queue.name, rules=len(config.rules))
        self._supervisor = supervisor
        return supervisor


def build(
    config: Config,
    credentials: CredentialsProvider,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] | None = None,
) -> Service:
    """The service that a configuration describes; no request is sent before it runs.

    Raises:
        ConfigurationError: a file or the health port cannot be opened, or an optional package is missing.
    """
    return Service(Wiring(config, credentials, _log_event), monotonic=monotonic, pause=pause)


def _log_event(event: str, **fields: object) -> None:
    log = get_logger("consumer")
    (log.warning if event in _WARNINGS else log.info)(event, **fields)


def _origin(config: Config, found: Found) -> DeadLetterTarget:
    """What dead letters say about where they come from, and how large they may be."""
    dead_letters = found.get(config.queue.dead_letter_queue)
    return DeadLetterTarget(config.queue.name, dead_letters.max_message_bytes if dead_letters else MAX_MESSAGE_BYTES)


def _engine(wiring: Wiring, origin: DeadLetterTarget, found: Found) -> Engine:
    config = wiring.config.engine
    wiring.shared.parking.learn(found.get(wiring.config.queue.name))
    clients = wiring.clients()
    pipeline = wiring.pipeline(clients)
    return Engine(
        wiring.shared,
        pollers=[wiring.poller(number) for number in range(1, config.pollers + 1)],
        workers=[wiring.worker(number, pipeline, clients) for number in range(1, config.workers + 1)],
        settlers=wiring.settlers(origin),
        renewers=[wiring.renewer(number) for number in range(1, config.lease_threads + 1)],
        others=[*wiring.others, *([wiring.sampler(found)] if wiring.config.metrics.sample_queues else ())],
    )
