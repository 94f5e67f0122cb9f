"""A canned server for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.server.client import Server, running


@pytest.fixture
def server() -> Iterator[Server]:
    """A fresh canned server, unpinned."""
    with running(None, visibility_seconds=30) as started:
        yield started
