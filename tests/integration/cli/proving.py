"""A canary, its rules, and a worker beside `check --prove`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator.client import Emulator
from tests.integration.cli.conftest import Cli, Result
from tests.patience import PATIENCE_SECONDS
from tests.signals import as_under_a_terminal

CANARY = "the-canary"
ENCRYPTION = """
[[rules]]
name = "encryption"
remediation = "oss.encryption"
mode = "enforce"
source_identifiers = ["oss-bucket-server-side-encryption-enabled"]
"""
OBSERVING = ENCRYPTION.replace("enforce", "observe")
TAGS = {"config-remediator": "canary"}


def canary(emulator: Emulator, **settings: Any) -> None:
    """The bucket: tagged, private, empty, and encrypted by default."""
    whole = {"acl": "private", "encryption": {"algorithm": "AES256"}, "tagging": TAGS, **settings}
    emulator.create_buckets([CANARY], **whole)
    emulator.clear_journal()


def configured(cli: Cli, rules: str = ENCRYPTION, more: str = "", wait_seconds: float = PATIENCE_SECONDS) -> None:
    """A configuration with the canary; a repair is waited for until it is there, unless the test is about that."""
    cli.configure(rules, f'\n[canary]\nbucket = "{CANARY}"\nwait_seconds = {int(wait_seconds)}\n{more}')


def journaled(cli: Cli, directory: Path) -> Path:
    """Have the worker keep a journal, which the proof reads."""
    path = directory / "journal.jsonl"
    cli.replace("[retry]\n", f'[journal]\npath = "{path}"\n\n[retry]\n')
    return path


def prove(cli: Cli, *arguments: str) -> Result:
    """One run, as JSON."""
    return cli.run("check", "--prove", "-o", "json", *arguments)


def proofs(result: Result) -> list[dict[str, Any]]:
    """The findings about rules, with the proof's own fields beside those of a check."""
    return [{**each, **(each.get("proof") or {})} for each in result.document if each["check"] == "proof"]


def proof(result: Result) -> Mapping[str, Any]:
    """The only one."""
    (found,) = proofs(result)
    return found


def state_of(emulator: Emulator) -> Any:
    """Everything that the emulator keeps of the canary."""
    return emulator.state()["oss"]["buckets"][CANARY]


def changes_of(emulator: Emulator) -> list[str]:
    """The requests that changed the canary, in their order."""
    return [each.operation for each in emulator.journal(service="oss", resource=CANARY) if each.changed]


@contextmanager
def proving(cli: Cli, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A proof that is over at the end of the block, whatever happens in it."""
    with as_under_a_terminal():
        process = cli.start("check", "--prove", *arguments, **environment)
    with process:
        try:
            yield process
        finally:
            process.kill()
