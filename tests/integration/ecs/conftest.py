"""Fixtures of the tests about security groups."""

from __future__ import annotations

import pytest

from emulator.client import Emulator
from tests.integration.conftest import Recorder
from tests.integration.ecs.bench import Bench

# Where the optional extra is not installed there is nothing to test.
pytest.importorskip("alibabacloud_tea_openapi")


@pytest.fixture
def bench(emulator: Emulator, recorder: Recorder) -> Bench:
    """A worker's pipeline before an empty emulator."""
    return Bench(emulator, recorder)
