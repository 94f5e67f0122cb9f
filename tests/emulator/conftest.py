"""Fixtures of the emulator's own tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.emulation import emulator, emulator_process, shared_emulator

__all__ = ["emulator", "emulator_process", "shared_emulator"]


@pytest.fixture(autouse=True)
def _only_refusals_of_the_table(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a service refuses in any test stands in its table of codes for that operation."""
    with caplog.at_level(logging.ERROR, logger="emulator"):
        yield
    messages = [record.getMessage() for record in caplog.get_records("call")]
    assert not [message for message in messages if message.startswith("no row of the table of codes")]
