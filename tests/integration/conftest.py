"""Gateways and whole workers against the emulator, with the real SDKs over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.mns.queue import Queue, QueueAddress
from consumer.app import service as app
from consumer.config import Config, load
from consumer.core.exit_codes import ExitCode
from consumer.core.observers import Hooks
from emulator.client import Emulator
from emulator.provisioning import setup_channel
from tests import worker_toml
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Recorder

QUEUE = "config-events"
DEAD_LETTERS = "config-events-dead"
RULE_IDS = {"oss-bucket-public-read-prohibited": "cr-read", "oss-bucket-public-write-prohibited": "cr-write"}


@dataclass(frozen=True, slots=True)
class FixedCredentials:
    """One key for ever, as the environment gives it."""

    key: Credentials

    def get_credentials(self) -> Credentials:
        return self.key


@pytest.fixture
def recorder() -> Recorder:
    """Everything the gateways tell."""
    return Recorder()


@pytest.fixture
def credentials(emulator: Emulator) -> FixedCredentials:
    """The emulator's key."""
    known = emulator.endpoints
    return FixedCredentials(Credentials(known.access_key_id, known.access_key_secret, ""))


@pytest.fixture
def channel(emulator: Emulator) -> Emulator:
    """An emulator with queue, dead-letter queue, topic and both public-access rules."""
    setup_channel(emulator, queue=QUEUE, dead_letter_queue=DEAD_LETTERS)
    for identifier, rule_id in RULE_IDS.items():
        emulator.config.remove_rule(identifier)
        emulator.config.add_rule(identifier, rule_id=rule_id)
    return emulator


@pytest.fixture
def queue(channel: Emulator, credentials: FixedCredentials, recorder: Recorder) -> Iterator[Queue]:
    """The gateway of the worker's queue."""
    address = QueueAddress(channel.mns, QUEUE, call_timeout_seconds=5)
    opened = Queue(address, credentials, Hooks((recorder,)))
    yield opened
    opened.close()


_BASE = (
    worker_toml.QUEUE
    + """\
wait_seconds = 1
call_timeout_seconds = 5

[oss]
call_timeout_seconds = 5

[oss.endpoints]
"*" = "{oss}"

[engine]
workers = 4
slots = 32
shutdown_grace_seconds = 20

[retry]
request_base_seconds = 0.01
request_cap_seconds = 0.05
backoff_base_seconds = 1
backoff_cap_seconds = 1
max_attempts = 3

[http]
port = 0

[[rules]]
name = "public-write"
remediation = "oss.bucket-acl"
mode = "enforce"
config_rule_ids = ["cr-write"]
source_identifiers = ["oss-bucket-public-write-prohibited"]

[[rules]]
name = "public-read"
remediation = "oss.bucket-acl"
mode = "enforce"
config_rule_ids = ["cr-read"]
source_identifiers = ["oss-bucket-public-read-prohibited"]
"""
)

Configure = Callable[..., Config]


@pytest.fixture
def configure(channel: Emulator, tmp_path: Path) -> Configure:
    """Loads a configuration for the emulator, with more tables and with overrides as environment variables."""

    def loaded(more: str = "", **overrides: str) -> Config:
        known = channel.endpoints
        path = tmp_path / "config.toml"
        path.write_text(
            _BASE.format(account=known.account_id, region=known.region, mns=known.mns, oss=known.oss) + more,
            encoding="utf-8",
        )
        return load(path, {f"REMEDIATOR__{key.upper()}": value for key, value in overrides.items()})

    return loaded


@dataclass(slots=True)
class Running:
    """A worker that runs in threads of this process."""

    service: app.Service
    status: list[ExitCode]


Run = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def run(configure: Configure, credentials: FixedCredentials) -> Run:
    """Runs a worker inside a `with` block; at its end it is stopped and has to drain."""

    @contextmanager
    def running(more: str = "", **overrides: str) -> Iterator[Running]:
        service = app.build(configure(more, **overrides), credentials)
        status: list[ExitCode] = []
        thread = threading.Thread(target=lambda: status.append(service.run()))
        thread.start()
        try:
            yield Running(service, status)
        finally:
            service.stop()
            thread.join(PATIENCE_SECONDS)
        assert status == [ExitCode.DRAINED]

    return running
