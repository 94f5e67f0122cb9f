"""Fixtures for tests that run against an emulator; the client itself is `emulator.client`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from emulator.client import Emulator
from emulator.process import in_process, in_thread
from tests.patience import PATIENCE_SECONDS


def eventually(happened: Callable[[], bool]) -> None:
    """Wait until something has happened in another process or thread; fails when it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[Emulator]:
    """One emulator for the whole run, in a thread; use `emulator`, which empties it first."""
    with in_thread() as started:
        yield started


@pytest.fixture
def emulator(shared_emulator: Emulator) -> Emulator:
    """An empty emulator."""
    shared_emulator.reset()
    return shared_emulator


@pytest.fixture
def emulator_process() -> Iterator[Emulator]:
    """An emulator of its own, as a separate process."""
    with in_process() as started:
        yield started
