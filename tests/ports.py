"""Ports for servers that have to be told theirs before they start."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port of loopback that nobody listens on, and that nobody else gets before its server has started.

    The system gives connections, and servers that leave the choice to it, ports of one range: this one is not of it.
    """
    lowest, highest = (int(each) for each in _GIVEN.read_text("ascii").split())
    ports = range(10_000, lowest) if lowest > 12_000 else range(highest + 1, 65_536)
    for _ in range(100):
        port = secrets.choice(ports)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port of {ports} is free")
