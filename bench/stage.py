"""The scene of one run: a fresh server, the measured processes on their core, and their environment.

Everything started here is ended here, by the process ids of what was started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench import machine
from bench.contenders import Contender, Feed, Transport
from bench.machine import Machine, Usage
from bench.names import ACCESS_KEY_ID, ACCESS_KEY_SECRET, DOMAIN
from bench.redis_server import Redis
from bench.server import client
from bench.server.client import Server
from bench.settings import Settings
from bench.tls import Trust
from emulator.interruption import held

_REPOSITORY = Path(__file__).resolve().parents[1]
BACKLOG = 10_000


@dataclass(frozen=True, slots=True)
class Condition:
    """What is the same for everybody in a row."""

    transport: Transport
    latency_seconds: float

    def __str__(self) -> str:
        return f"{self.transport}, {self.latency_seconds * 1000:.0f} ms"


class Failed(RuntimeError):
    """A measured program did not do what it was started for; the text ends with its last words."""


class Client:
    """The processes of one contender."""

    def __init__(self, contender: Contender, commands: list[list[str]], environment: dict[str, str], log: Path) -> None:
        self.contender = contender
        self._commands = commands
        self.environment = environment
        self._log = log
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start every process, in sessions of their own; what they say goes to the end of one file."""
        with self._log.open("ab") as output:
            for command in self._commands:
                with held():
                    started = subprocess.Popen(  # noqa: S603 - the commands of bench.contenders
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        cwd=_REPOSITORY,
                        env=self.environment,
                        start_new_session=True,
                    )
                    self._processes.append(started)

    def usage(self) -> Usage:
        """What all its processes and their children use."""
        return machine.usage(*(process.pid for process in self._processes))

    def check(self) -> None:
        """Raise Failed if any process has ended by itself."""
        for process in self._processes:
            if process.poll() is not None:
                raise self.failure(f"ended with status {process.returncode}")

    def failure(self, what: str) -> Failed:
        """An error that says what happened, in the program's own last words."""
        said = self._log.read_text(encoding="utf-8", errors="replace")[-2000:] if self._log.exists() else ""
        return Failed(f"{self.contender.name}: {what}\n{said}")

    def kill(self) -> None:
        """kill -9 for every process and all its descendants."""
        tree = machine.descendants(*(process.pid for process in self._processes))
        for process_id in tree:
            try:
                os.kill(process_id, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for process in self._processes:
            process.wait()
        self._processes.clear()


class Stage:
    """Where runs take place."""

    def __init__(self, here: Machine, folder: Path, redis: Redis | None, trust: Trust | None) -> None:
        self.machine = here
        self.redis = redis
        self._folder = folder
        self._trust = trust
        self._serial = count(1)

    @contextmanager
    def set_up(
        self, contender: Contender, condition: Condition, *, backlog: int = 0, lease_seconds: int = 60
    ) -> Iterator[Scene]:
        """A fresh server with a backlog, and the contender's processes, not started yet."""
        transport = contender.transport or condition.transport
        tls = transport is not Transport.HTTP
        if tls and self._trust is None:
            raise Failed("no certificates without the package cryptography")
        folder = self._folder / f"run-{next(self._serial)}"
        folder.mkdir()
        with ExitStack() as stack:
            server = stack.enter_context(
                client.running(
                    self.machine.server,
                    visibility_seconds=lease_seconds,
                    tls=self._trust.shown(tickets=transport is Transport.TLS) if tls and self._trust else None,
                )
            )
            server.set_latency(condition.latency_seconds)
            scene = self._scene(contender, server, folder, lease_seconds, tls=tls)
            stack.callback(scene.client.kill)
            if backlog:
                scene.load(backlog)
            yield scene

    def _scene(self, contender: Contender, server: Server, folder: Path, lease_seconds: int, *, tls: bool) -> Scene:
        redis = self.redis if contender.feed is Feed.REDIS else None
        database = redis.new_database() if redis is not None else 0
        settings = Settings(
            f"https://mns.{DOMAIN}:{server.ports.mns}" if tls else f"http://127.0.0.1:{server.ports.mns}",
            f"https://{DOMAIN}:{server.ports.oss}" if tls else f"http://127.0.0.1:{server.ports.oss}",
            contender.workers,
            contender.calls,
            redis.url(database) if redis is not None else "",
            lease_seconds,
            contender.journal,
            contender.shipped,
            contender.slots,
        )
        file = folder / "settings.json"
        settings.save(file)
        environment = self._environment(folder, file, tls)
        commands = [
            self._command(contender, settings, file, folder / str(number)) for number in range(contender.replicas)
        ]
        return Scene(contender, server, Client(contender, commands, environment, folder / "log"), redis, database)

    def _command(self, contender: Contender, settings: Settings, file: Path, folder: Path) -> list[str]:
        folder.mkdir()
        pinned = ["--core", str(self.machine.client.number)] if self.machine.client is not None else []
        program = contender.command(settings, file, folder)
        return [sys.executable, "-m", "bench.launch", *pinned, "--local-names", *program]

    def _environment(self, folder: Path, settings: Path, tls: bool) -> dict[str, str]:
        """Nothing of the machine's own, so that no proxy and no other trust decides a measurement."""
        trust = {"SSL_CERT_FILE": "", "REQUESTS_CA_BUNDLE": ""}
        if tls and self._trust is not None:
            trust = dict.fromkeys(trust, str(self._trust.bundle))
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "PYTHONPATH": str(_REPOSITORY),
            "BENCH_SETTINGS": str(settings),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ACCESS_KEY_SECRET,
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true",
            **{name: value for name, value in trust.items() if value},
        }


@dataclass(frozen=True, slots=True)
class Scene:
    """One run, set up."""

    contender: Contender
    server: Server
    client: Client
    redis: Redis | None
    database: int

    def load(self, messages: int) -> None:
        """Give the contender so much work at once, where it looks for it."""
        self.server.load(messages, queued=self.contender.feed is Feed.MNS)
        if self.redis is None:
            return
        if messages != BACKLOG:
            self.enqueue(0, messages, 0)
            return
        kept = self.redis.backlog(self.contender.app)
        if kept is not None:
            self.redis.copy(kept, self.database)
            return
        self.enqueue(0, messages, 0)
        kept = self.redis.new_database()
        self.redis.copy(self.database, kept)
        self.redis.keep_backlog(self.contender.app, kept)

    def enqueue(self, first: int, messages: int, per_second: float) -> str:
        """Hand work to a Redis peer by a process of its own; what that printed: when it did."""
        arguments = [self.contender.app, str(first), str(messages), str(per_second)]
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "bench.peers.enqueue", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            cwd=_REPOSITORY,
            env=self.client.environment,
            process_group=0,
        )
        return done.stdout
