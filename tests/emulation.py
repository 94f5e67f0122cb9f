"""Fixtures for tests that run against an emulator; the client itself is `emulator.client`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.client import Emulator
from emulator.process import in_process, in_thread


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
