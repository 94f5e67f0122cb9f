"""A stage for each test: an emulator process, and workers that end with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import Stage, staged


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An empty stage."""
    with staged(tmp_path) as prepared:
        yield prepared
