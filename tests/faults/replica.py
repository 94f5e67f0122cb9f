"""One worker process as an operator would start it: killed, stopped, frozen, started again; its log in a file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.interruption import held
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SAMPLE = re.compile(r"^remediator_(messages_\w+)(?:\{\w+=\"(\w+)\"\})? ([0-9.e+]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Key:
    """What the worker signs with: a fixed key, or a URI that hands out temporary ones."""

    access_key_id: str = ""
    access_key_secret: str = ""
    credentials_url: str = ""

    def environment(self) -> dict[str, str]:
        """The variables of the standard chain; every other source is switched off."""
        closed = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}
        if self.credentials_url:
            return {**closed, "ALIBABA_CLOUD_CREDENTIALS_URI": self.credentials_url}
        return {
            **closed,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.access_key_secret,
        }


class Replica:
    """One place for a worker, in which one process after the other may run."""

    def __init__(
        self,
        folder: Path,
        name: str,
        configuration: str,
        key: Key,
        *,
        module: tuple[str, ...] = ("-m", "consumer"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.access_key_id = key.access_key_id
        """Empty where temporary ones are renewed."""
        self.port = free_port()
        self.log = folder / f"{name}.log"
        self.exits: list[int] = []
        """The status of every process that has ended here."""
        self._module = module
        self._path = folder / f"{name}.toml"
        self._path.write_text(configuration + f"\n[http]\nport = {self.port}\n", encoding="utf-8")
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            **key.environment(),
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        assert self._process is not None
        return self._process

    @property
    def running(self) -> bool:
        """Whether a process runs here now."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start a process; it writes to the end of the log."""
        with self.log.open("ab") as output, held():
            self._process = subprocess.Popen(
                [sys.executable, *self._module, "run", "--config", str(self._path)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env=self._environment,
                process_group=0,
            )

    def command(self, *words: str) -> str:
        """What a command prints that runs where the worker runs, with its configuration; it has to succeed."""
        return subprocess.run(
            [sys.executable, "-m", "consumer", *words, "--config", str(self._path)],
            cwd=REPOSITORY,
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_SECONDS,
        ).stdout

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if there is a process."""
        if self.running:
            self.process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """The exit status, once the process has ended; killed after so many seconds."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.exits.append(status)
        return status

    def kill(self) -> int:
        """SIGKILL, also to a frozen process."""
        self.signal(signal.SIGKILL)
        return self.wait(PATIENCE_SECONDS)

    def stop(self, seconds: float) -> int:
        """SIGTERM, and the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def get(self, path: str) -> tuple[int, str]:
        """One answer of the health port; status 0 while nothing answers."""
        try:
            with _OPENER.open(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> bool:
        """Whether it says that it is ready."""
        return self.get("/readyz")[0] == 200

    def books(self) -> Books:
        """Received, settled and in flight, from one scrape."""
        totals: dict[str, float] = {}
        for name, _, value in _SAMPLE.findall(self.get("/metrics")[1]):
            totals[name] = totals.get(name, 0) + float(value)
        return Books(
            int(totals.get("messages_received_total", -1)),
            int(totals.get("messages_settled_total", -1)),
            int(totals.get("messages_in_flight", -1)),
        )

    def settled(self, disposition: str) -> int:
        """How many deliveries the worker says were settled this way."""
        found = _SAMPLE.findall(self.get("/metrics")[1])
        return sum(int(float(value)) for _, label, value in found if label == disposition)

    def lines(self) -> list[dict[str, Any]]:
        """Every JSON line of the log."""
        found: list[dict[str, Any]] = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                value = json.loads(line)
                if isinstance(value, dict):
                    found.append(value)
        return found

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of one log event. The log is written by a thread of its own: wait for the line that must come."""
        return [line for line in self.lines() if line.get("event") == name]

    def text(self) -> str:
        """The whole log."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Books:
    """One scrape of the counters that have to balance; -1 for what was not there."""

    received: int
    settled: int
    in_flight: int

    @property
    def balanced(self) -> bool:
        """Whether received = settled + in flight."""
        return self.received >= 0 and self.received == self.settled + self.in_flight
