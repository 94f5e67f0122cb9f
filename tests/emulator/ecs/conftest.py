"""Fixtures of the emulated ECS's tests."""

from __future__ import annotations

import pytest

from emulator.client import Emulator
from tests.emulator.ecs.asking import Ecs


@pytest.fixture
def ecs(emulator: Emulator) -> Ecs:
    """The vendor's client with the emulator's key."""
    return Ecs(emulator)
