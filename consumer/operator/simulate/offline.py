"""Keeps the process from the network: while it is wanted, no name is looked up and no socket opened.

An audit hook sees every attempt, whichever library makes it. A hook stays for the life of the process, so this one
asks whether it is wanted now.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from consumer.core.errors import RemediatorError


class NetworkForbidden(RemediatorError):
    """Something wanted to reach the network where nothing may."""


class _Switch:
    installed = False
    on = False


@contextmanager
def offline() -> Iterator[None]:
    """No network inside; what tries to use it gets `NetworkForbidden`."""
    if not _Switch.installed:
        sys.addaudithook(_refuse)
        _Switch.installed = True
    _Switch.on = True
    try:
        yield
    finally:
        _Switch.on = False


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    if _Switch.on and event.startswith("socket."):
        raise NetworkForbidden(f"{event}: a simulation uses no network")
