"""Commands that a test interrupts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.cli.conftest import Cli
from tests.signals import as_under_a_terminal


@contextmanager
def started(cli: Cli, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A command that is over at the end of the block, whatever happens in it."""
    with as_under_a_terminal():
        process = cli.start(*arguments, **environment)
    with process:
        try:
            yield process
        finally:
            process.kill()
