"""The real worker as a process, exactly as an operator would start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.scene import DEAD_LETTERS, QUEUE, RULES, TERRAFORM_LOOPS
from emulator.client import Emulator, Identity
from emulator.interruption import held

_CONFIGURATION = """\
account_id = "{account}"

[queue]
region = "{region}"
name = "{queue}"
dead_letter_queue = "{dead_letters}"
endpoint = "{mns}"
wait_seconds = 2

[oss.endpoints]
"*" = "{oss}"

[ecs.endpoints]
"*" = "{ecs}"

[accounts]
sts_endpoint = "{sts}"

[engine]
shutdown_grace_seconds = 20

[retry]
backoff_base_seconds = 1

[http]
port = 0

[reevaluate]
endpoint = "{config}"

[catch_up]
min_age_seconds = 0

[log]
format = "json"

[limits]
max_changes = 1000000

[contest]
max_fixes = {loops}

[[exemptions]]
name = "static-site"
owner = "web-team"
reason = "the public site"
expires = 2999-12-31
resources = ["demo-static-site-*"]
"""

_RULE = """
[[rules]]
name = "{rule.name}"
remediation = "{rule.remediation}"
mode = "{rule.mode}"
config_rule_ids = ["{rule_id}"]
source_identifiers = ["{rule.identifier}"]
"""


def write_configuration(folder: Path, emulator: Emulator, rule_ids: dict[str, str]) -> Path:
    """The worker's configuration for this emulator."""
    known = emulator.endpoints
    path = folder / "config.toml"
    head = _CONFIGURATION.format(
        account=known.account_id,
        region=known.region,
        queue=QUEUE,
        dead_letters=DEAD_LETTERS,
        mns=known.mns,
        oss=known.oss,
        config=known.control,
        ecs=emulator.ecs,
        sts=emulator.control.url,
        loops=TERRAFORM_LOOPS,
    )
    rules = (_RULE.format(rule=rule, rule_id=rule_ids[rule.identifier]) for rule in RULES)
    path.write_text(head + "".join(rules), encoding="utf-8")
    return path


@contextmanager
def worker(configuration: Path, key: Identity, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`config-remediator run`, with its log in a file; killed at the end if it still runs."""
    environment = {
        **os.environ,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": key.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key.access_key_secret,
    }
    with log.open("wb") as output, ExitStack() as stack:
        with held():
            process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "consumer", "run", "--config", str(configuration)],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                process_group=0,
            )
            stack.callback(_kill, process)
        yield process


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


def wait_until_started(process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the worker's own word that it polls, so that its start does not count as exposure.

    Raises:
        RuntimeError: it ended instead.
    """
    while '"service.started"' not in log.read_text(encoding="utf-8", errors="replace"):
        if process.poll() is not None:
            raise RuntimeError(f"the worker ended at its start:\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.05)


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ask the worker to stop in good order; returns its exit status."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=60)
