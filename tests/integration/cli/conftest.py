"""Runs the installed command as an operator would: a process, its output, its exit status."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.client import Emulator
from tests import worker_toml
from tests.integration.cli.catching_up import broken, settings
from tests.integration.cli.letters import letter, put
from tests.measured import python_module
from tests.patience import PATIENCE_SECONDS

BASE = (
    worker_toml.QUEUE
    + """\
wait_seconds = 1
call_timeout_seconds = 5

[topic]
name = "config-topic"
subscription = "config-events-subscription"

[oss]
call_timeout_seconds = 5

[oss.endpoints]
"*" = "{oss}"

[engine]
workers = 2
slots = 16
work_budget_seconds = 20
shutdown_grace_seconds = 20

[retry]
request_attempts = 2
request_base_seconds = 0.01
request_cap_seconds = 0.05

[http]
port = 0
"""
)

RULES = """
[[rules]]
name = "public-read"
remediation = "oss.bucket-acl"
mode = "enforce"
config_rule_ids = ["cr-read"]

[[rules]]
name = "public-write"
remediation = "oss.bucket-acl"
mode = "observe"
config_rule_ids = ["cr-write"]
"""

ENFORCE = RULES.replace('mode = "observe"', 'mode = "enforce"')
"""Both rules, and both change what they find."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class Cli:
    """The command line with one configuration and the emulator's key."""

    def __init__(self, emulator: Emulator, path: Path) -> None:
        self.path = path
        known = emulator.endpoints
        self._values = {"account": known.account_id, "region": known.region, "mns": known.mns, "oss": known.oss}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ALIBABA", "REMEDIATOR"))},
            "ALIBABA_CLOUD_ACCESS_KEY_ID": known.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": known.access_key_secret,
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            "HOME": str(path.parent),
            "XDG_STATE_HOME": "",
            "COLUMNS": "200",
        }
        self.configure()

    def configure(self, rules: str = RULES, more: str = "") -> None:
        """Write the configuration anew."""
        self.path.write_text(BASE.format(**self._values) + more + rules, encoding="utf-8")

    def replace(self, old: str, new: str) -> None:
        """Change the configuration in one place."""
        text = self.path.read_text(encoding="utf-8")
        assert old in text
        self.path.write_text(text.replace(old, new), encoding="utf-8")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The command as a process; `environment` adds variables, an empty one takes it away."""
        variables = {**self.environment, "REMEDIATOR_CONFIG": str(self.path), **environment}
        return subprocess.Popen(
            [*python_module("consumer"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in variables.items() if value},
        )

    def run(self, *arguments: str, answer: str = "", **environment: str) -> Result:
        """Run the command to its end; `answer` is what a person types."""
        process = self.start(*arguments, **environment)
        try:
            out, err = process.communicate(answer, timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        assert "Traceback" not in err, err
        return Result(process.returncode, out, err)

    @contextmanager
    def working(self, **environment: str) -> Iterator[None]:
        """A worker beside the test, which has to end in good order."""
        process = self.start("run", **environment)
        try:
            yield
        finally:
            process.terminate()
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
            assert process.returncode == 0, out + err  # also where the test waits in vain for one that has died

    def json(self, *arguments: str, **environment: str) -> Any:
        """What a command that succeeds says as JSON."""
        result = self.run(*arguments, "--output", "json", **environment)
        assert result.status == 0, result
        return result.document


@pytest.fixture
def cli(channel: Emulator, tmp_path: Path) -> Cli:
    """The command line for an emulator with queue, dead-letter queue, topic and subscription."""
    return Cli(channel, tmp_path / "config.toml")


@pytest.fixture
def journal(cli: Cli, tmp_path: Path) -> Path:
    """Where the worker of these tests keeps its journal."""
    path = tmp_path / "journal.jsonl"
    cli.configure(more=f'\n[journal]\npath = "{path}"\n')
    return path


@pytest.fixture
def forty(cli: Cli, channel: Emulator) -> Cli:
    """More letters than a peek can show: of two rules, one in four of another reason."""
    put(
        channel,
        *(
            letter(
                number,
                rule="public-write" if number % 2 else "public-read",
                reason="AccessDenied" if number % 4 else "not_owner",
            )
            for number in range(40)
        ),
    )
    return cli


@pytest.fixture
def missed(cli: Cli, emulator: Emulator) -> Cli:
    """A command line where three buckets broke the public-read rule while no notification arrived."""
    cli.configure(rules=ENFORCE, more=settings(emulator))
    emulator.config.set_channel(lose=3)
    broken(emulator, "lost-a", "lost-b", "lost-c")
    return cli
