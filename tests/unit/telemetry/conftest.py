"""Logging is global to the process: what a test configures is undone after it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from consumer.telemetry import log


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, last_resort = root.handlers[:], root.level, logging.lastResort
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.lastResort = last_resort
    logging.getLogger(log.OURS).setLevel(logging.NOTSET)
    structlog.reset_defaults()
