"""Ctrl-C while a command waits for a service: one line, exit status 130."""

from __future__ import annotations

import signal

import pytest

from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.patience import PATIENCE_SECONDS
from tests.signals import as_under_a_terminal


@pytest.mark.parametrize("arguments", [("check",), ("provision",), ("peek",), ("dlq", "list")], ids=" ".join)
def test_ctrl_c_ends_a_command_in_one_line(cli: Cli, emulator: Emulator, arguments: tuple[str, ...]) -> None:
    """It says which command it was, and leaves no traceback."""
    fault = emulator.faults.add("stall", seconds=3600)
    with as_under_a_terminal():
        process = cli.start(*arguments)
    eventually(lambda: emulator.faults.struck()[fault] > 0 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, err) == (130, f"\nconfig-remediator {arguments[0]}: stopped by SIGINT\n")
