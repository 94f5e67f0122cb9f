"""The workbench of the repairs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.client import Emulator
from tests.integration.conftest import Recorder
from tests.integration.remediations.workbench import Workbench


@pytest.fixture
def bench(emulator: Emulator, recorder: Recorder) -> Iterator[Workbench]:
    """An empty emulator and a pipeline to repair its buckets with."""
    workbench = Workbench(emulator, recorder)
    yield workbench
    workbench.close()
