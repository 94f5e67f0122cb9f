"""Starts an emulator for a script or a test, as a process of its own or in a thread, and ends it again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from emulator.client import Emulator
from emulator.interruption import held
from emulator.server import running
from emulator.settings import Endpoints, Settings

_STOP_SECONDS = 10.0


@contextmanager
def in_process(*arguments: str) -> Iterator[Emulator]:
    """`python -m emulator` with these command-line arguments, ended with SIGTERM.

    Raises:
        RuntimeError: it ended before it accepted requests; its own words are on standard error.
    """
    # In a group of its own, so that Ctrl-C reaches only the one that started it, which then ends it.
    with ExitStack() as stack:
        with held():
            process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "emulator", *arguments], stdout=subprocess.PIPE, text=True, process_group=0
            )
            stack.callback(_end, process)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the emulator ended with status {process.wait()} before it was ready")
        yield Emulator(Endpoints(**json.loads(line)))


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def in_thread(settings: Settings | None = None) -> Iterator[Emulator]:
    """An emulator in a thread of this process: quick to start, but it shares the interpreter with the caller."""
    with running(settings) as endpoints:
        yield Emulator(endpoints)
