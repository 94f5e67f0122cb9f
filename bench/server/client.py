"""Starts the canned server as a process of its own, and asks its control port."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import Core
from bench.server.ledger import Snapshot, Track
from emulator.interruption import held

_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the server listens on this machine."""

    control: int
    mns: int
    oss: int


class Server:
    """The running server, as its control port shows it."""

    def __init__(self, ports: Ports, process_id: int) -> None:
        self.ports = ports
        self.process_id = process_id
        self._loaded = 0
        self._socket = socket.create_connection(("127.0.0.1", ports.control), timeout=60)
        self._lines = self._socket.makefile("rb")

    def close(self) -> None:
        """Leave the control port."""
        self._lines.close()
        self._socket.close()

    def load(self, count: int, *, queued: bool = True) -> list[str]:
        """Make `count` more open buckets, with an event in the queue for each if `queued`; returns their names."""
        first, self._loaded = self._loaded, self._loaded + count
        self._ask("load", first=first, count=count, queued=queued)
        return [f"bench-{number:06}" for number in range(first, first + count)]

    def trickle(self, count: int, per_second: float) -> None:
        """From now on, enqueue so many events for new buckets, evenly."""
        first, self._loaded = self._loaded, self._loaded + count
        self._ask("trickle", first=first, count=count, per_second=per_second)

    def set_latency(self, seconds: float) -> None:
        """How much later than at once OSS answers from now on."""
        self._ask("latency", seconds=seconds)

    def snapshot(self) -> Snapshot:
        """Every counter now."""
        return Snapshot(**self._ask("snapshot"))

    def tracks(self) -> list[Track]:
        """The way of every bucket."""
        return [Track.from_row(row) for row in self._ask("tracks")["tracks"]]

    def _ask(self, command: str, **arguments: object) -> dict[str, Any]:
        self._socket.sendall(json.dumps({"do": command, **arguments}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """What the server shows to clients over TLS."""

    certificate: Path
    key: Path
    tickets: bool = True
    """Whether clients get sessions to resume."""


@contextmanager
def running(
    core: Core | None, *, visibility_seconds: float = 60.0, tls: CertificateFiles | None = None
) -> Iterator[Server]:
    """A fresh server on its own core, ended with the block.

    Raises:
        RuntimeError: it ended before it listened; its own words are on standard error.
    """
    command = [sys.executable, "-m", "bench.server", "--visibility-seconds", str(visibility_seconds)]
    if core is not None:
        command += ["--core", str(core.number)]
    if tls is not None:
        command += ["--tls-cert", str(tls.certificate), "--tls-key", str(tls.key)]
        command += [] if tls.tickets else ["--no-tickets"]
    with ExitStack() as stack:
        with held():
            process = subprocess.Popen(  # noqa: S603 - ourselves
                command, stdout=subprocess.PIPE, text=True, process_group=0
            )
            stack.callback(_end, process)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the canned server ended with status {process.wait()}")
        server = Server(Ports(**json.loads(line)), process.pid)
        yield server
        server.close()


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(_STOP_SECONDS)
    if process.stdout is not None:
        process.stdout.close()
