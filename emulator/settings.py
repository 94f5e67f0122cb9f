"""What one emulator is started with, and what it tells its starter: plain values, no behaviour."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from emulator.listening import Tls


@dataclass(frozen=True, slots=True)
class Settings:
    """One emulated account in one region, and where it listens."""

    host: str = "127.0.0.1"
    """Loopback unless configured otherwise: the emulator is a development server."""
    mns_port: int = 0
    """0 takes any free port, here and in the next three."""
    oss_port: int = 0
    ecs_port: int = 0
    control_port: int = 0
    account_id: str = "1234567890123456"
    region: str = "cn-hangzhou"
    access_key_id: str = "LTAI5tEmulatorAccessKeyX"
    access_key_secret: str = "emulator-secret-of-no-worth-00"  # noqa: S105 - a development default, worth nothing
    seed: int = 0
    """Seed of the fault dice."""
    journal_reads: bool = False
    """Whether accepted requests that change nothing are journaled too."""
    block_public_access_by_default: bool = False
    """Whether buckets made through OSS have Block Public Access on, as the service's new ones have."""
    push_to_private_addresses: bool = False
    """Whether topics push to HTTP endpoints on private addresses too, as in a network of containers."""
    tls: Tls | None = None
    """Serve MNS, OSS and ECS over TLS; control stays plain."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a started emulator listens, and the key that may sign requests."""

    mns: str
    oss: str
    control: str
    account_id: str
    region: str
    access_key_id: str
    access_key_secret: str
    ecs: str = ""

    def as_json(self) -> str:
        """The one line that `python -m emulator` prints."""
        return json.dumps(asdict(self))
