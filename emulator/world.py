"""What all emulated services share: the clock, the journal, the faults, the identities and the defaults."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from emulator.clock import Clock
from emulator.faults import Faults
from emulator.identity import AccessKey, Identities
from emulator.journal import Journal


@dataclass(slots=True)
class World:
    """One emulated account in one region; handed to every service."""

    account_id: str
    region: str
    """The region of this MNS endpoint, and of buckets that are created without naming another."""
    clock: Clock
    journal: Journal
    faults: Faults
    identities: Identities
    mns_url: str = ""
    """Filled in when the ports are known, like the next three: `http://127.0.0.1:41001`."""
    oss_url: str = ""
    ecs_url: str = ""
    control_url: str = ""
    push_to_private_addresses: bool = False
    """Whether topics push to HTTP endpoints on private addresses too. Chosen at the start alone."""
    options: dict[str, object] = field(default_factory=dict)

    @classmethod
    def create(cls, *, account_id: str, region: str, key: AccessKey, seed: int = 0) -> World:
        """A fresh world with one known access key."""
        clock = Clock()
        identities = Identities()
        identities.add(key)
        return cls(account_id, region, clock, Journal(clock), Faults(seed, clock.now), identities)

    def request_id(self) -> str:
        """A new request id as both services write them: 24 upper-case hexadecimal digits."""
        return secrets.token_hex(12).upper()
