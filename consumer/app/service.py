"""Puts the service together: from a configuration to running threads, and back to an exit status.

It decides nothing about messages; the parts themselves are made in `consumer.app.threads`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from consumer.aliyun.credentials import CredentialsProvider
from consumer.app.readiness import Readiness
from consumer.app.startup import inspect_queue
from consumer.app.threads import Wiring
from consumer.config import Config
from consumer.core.exit_codes import ExitCode
from consumer.core.queue_attributes import QueueAttributes
from consumer.core.queue_limits import MAX_MESSAGE_BYTES
from consumer.engine.coalescing import Groups
from consumer.engine.dead_letter import Origin
from consumer.engine.supervisor import Engine, Supervisor
from consumer.guards.chain import Guards
from consumer.guards.pause import PauseSwitch
from consumer.telemetry.http_server import HealthServer
from consumer.telemetry.log import get_logger
from consumer.telemetry.metrics import Metrics


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


def build(config: Config, credentials: CredentialsProvider) -> Service:
    """The service that a configuration describes, after a look at its queues.

    Raises:
        StartupError: a queue cannot be used; the text names the key to change.
        ConfigurationError: the health port cannot be opened, or an optional package is missing.
    """
    say = get_logger("consumer").info
    wiring = Wiring(config, credentials, say)
    found = _inspected(wiring)
    engine = _engine(wiring, _origin(config, found), found)
    supervisor = Supervisor(engine, config.engine.shutdown_grace_seconds, say)
    return Service(supervisor, _health(wiring, supervisor), wiring.metrics, wiring.switch, wiring.guards)


def _inspected(wiring: Wiring) -> dict[str, QueueAttributes | None]:
    """What each configured queue says of itself, by name; None for one that we may not ask."""
    settings = wiring.config.queue
    keys = {settings.name: "queue.name", settings.dead_letter_queue: "queue.dead_letter_queue"}
    found: dict[str, QueueAttributes | None] = {}
    for name, key in keys.items():
        if name:
            queue = wiring.queue(name)
            found[name] = inspect_queue(queue, wiring.config, key, wiring.say)
            queue.close()
    return found


def _origin(config: Config, found: Mapping[str, QueueAttributes | None]) -> Origin:
    """What dead letters say about where they come from, and how large they may be."""
    dead_letters = found.get(config.queue.dead_letter_queue)
    return Origin(config.queue.name, dead_letters.max_message_bytes if dead_letters else MAX_MESSAGE_BYTES)


def _engine(wiring: Wiring, origin: Origin, found: Mapping[str, QueueAttributes | None]) -> Engine:
    config = wiring.config.engine
    keeper = wiring.keeper()
    oss, groups = wiring.oss(), Groups()
    pipeline = wiring.pipeline(oss)
    return Engine(
        pollers=[wiring.poller(number, keeper) for number in range(1, config.pollers + 1)],
        workers=[wiring.worker(number, pipeline, groups, oss) for number in range(1, config.workers + 1)],
        settlers=wiring.settlers(origin),
        renewers=[wiring.renewer(number, keeper) for number in range(1, config.lease_threads + 1)],
        in_flight=wiring.in_flight,
        settlements=wiring.settlements,
        board=wiring.board,
        keeper=keeper,
        stopping=wiring.stopping,
        others=[*wiring.others, *([wiring.sampler(found)] if wiring.config.metrics.sample_queues else ())],
    )


def _health(wiring: Wiring, supervisor: Supervisor) -> HealthServer | None:
    settings = wiring.config.http
    if not settings.enabled:
        return None

    ready = Readiness(lambda: supervisor.stopping, wiring.board, wiring.picture.settlements)
    return HealthServer(settings.host, settings.port, wiring.metrics.registry, live=supervisor.fault, ready=ready)
