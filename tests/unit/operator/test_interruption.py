"""SIGTERM ends a command, also where what it raised got lost."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest

from consumer.operator.interruption import Terminated, pause, terminable


def test_a_signal_whose_exception_was_lost_ends_the_next_pause() -> None:
    """Python drops what is raised in a finalizer; the command would go on for an hour."""
    with terminable():
        with suppress(Terminated):
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Terminated):
            pause(3_600)


def test_a_pause_without_a_signal_is_one() -> None:
    """Whatever came in an earlier block."""
    with terminable(), suppress(Terminated):
        os.kill(os.getpid(), signal.SIGTERM)
    with terminable():
        pause(0.01)
